"""The trading app's part of the REST API: one router per noun."""

from __future__ import annotations

from ninja import Router

from trading.api import (
    accuracy,
    backtests,
    bars,
    broker,
    calendar,
    charges,
    engine,
    equity,
    health,
    orders,
    positions,
    risk,
    sentiment,
    signals,
    state,
    strategies,
    symbols,
    tokens,
    trades,
)

ROUTERS: dict[str, Router] = {
    "symbols": symbols.router,
    "bars": bars.router,
    "signals": signals.router,
    "orders": orders.router,
    "positions": positions.router,
    "trades": trades.router,
    "equity": equity.router,
    "backtests": backtests.router,
    "engine": engine.router,
    "broker": broker.router,
    "risk": risk.router,
    "state": state.router,
    "sentiment": sentiment.router,
    "strategies": strategies.router,
    "calendar": calendar.router,
    "charges": charges.router,
    "accuracy": accuracy.router,
    "health": health.router,
    "tokens": tokens.router,
}
