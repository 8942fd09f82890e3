"""The admin pages: every row can be looked up, what happened cannot be changed, and changes go through the services."""

from __future__ import annotations

from trading.admin import (
    backtests,
    bars,
    calendar,
    engine,
    instruments,
    live,
    orders,
    positions,
    sentiment,
    strategies,
    tokens,
)

__all__ = [
    "backtests",
    "bars",
    "calendar",
    "engine",
    "instruments",
    "live",
    "orders",
    "positions",
    "sentiment",
    "strategies",
    "tokens",
]
