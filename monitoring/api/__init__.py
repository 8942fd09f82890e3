"""The monitoring app's part of the REST API: one router per noun."""

from __future__ import annotations

from ninja import Router

from monitoring.api import alerts, metrics

ROUTERS: dict[str, Router] = {"alerts": alerts.router, "monitoring": metrics.router}
