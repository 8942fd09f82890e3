"""Backtests and their trades, as the pages ask for them."""

from __future__ import annotations

from django.db.models import QuerySet

from trading.models import BacktestRun, BacktestTrade

ACTIVE = ("queued", "running")


def backtests() -> QuerySet[BacktestRun]:
    """Return every backtest, newest first, without its equity curve."""
    return BacktestRun.objects.defer("equity", "warnings").order_by("-id")


def backtest(pk: int) -> BacktestRun | None:
    """Return one backtest; None when there is no such run."""
    return BacktestRun.objects.filter(pk=pk).first()


def trades(run: BacktestRun) -> QuerySet[BacktestTrade]:
    """Return the trades of ``run`` in their order."""
    return BacktestTrade.objects.filter(run=run)


def drawdowns(equity: list[list[float | str]]) -> list[float]:
    """Return, for each point [date, ₹] of an equity curve, how far it lies below the highest before it (0 … −1)."""
    highest, found = 0.0, []
    for _, value in equity:
        highest = max(highest, float(value))
        found.append(float(value) / highest - 1.0 if highest > 0 else 0.0)
    return found
