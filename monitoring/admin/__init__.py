"""Everything monitoring remembers, to be read; acknowledging and silencing through the services."""

from __future__ import annotations

from monitoring.admin import alerts, delivery

__all__ = ["alerts", "delivery"]
