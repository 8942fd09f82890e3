"""The admin pages: every row can be looked up, what happened cannot be changed, and changes go through the services."""

from __future__ import annotations

from trading.admin import (
    backtests,
    bars,
    broker,
    calendar,
    control,
    engine,
    fetching,
    instruments,
    live,
    orders,
    positions,
    releases,
    sentiment,
    strategies,
    students,
    telemetry,
    tokens,
)

__all__ = [
    "backtests",
    "bars",
    "broker",
    "calendar",
    "control",
    "engine",
    "fetching",
    "instruments",
    "live",
    "orders",
    "positions",
    "releases",
    "sentiment",
    "strategies",
    "students",
    "telemetry",
    "tokens",
]
