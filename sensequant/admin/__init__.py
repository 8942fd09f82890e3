"""The admin pages of what is no app's own: who came in, and when the desk's jobs are rung."""

from __future__ import annotations

from sensequant.admin import schedules, security

__all__ = ["schedules", "security"]
