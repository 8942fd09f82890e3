"""Backtests and their trades, as the pages ask for them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet

from trading.models import BacktestRun, BacktestTrade

ACTIVE = ("queued", "running")


def backtests() -> QuerySet[BacktestRun]:
    """Return every backtest, newest first, without its equity curve."""
    return BacktestRun.objects.defer("equity", "warnings").order_by("-id")


def backtest(pk: int) -> BacktestRun | None:
    """Return one backtest; None when there is no such run."""
    return BacktestRun.objects.filter(pk=pk).first()


def queued(before: dt.datetime) -> list[int]:
    """Return the backtests asked for before a moment that nobody has begun, the oldest first."""
    rows = BacktestRun.objects.filter(status="queued", created_at__lt=before).order_by("id")
    return list(rows.values_list("id", flat=True))


def waits(pk: int) -> bool:
    """Say whether a backtest has not ended: nobody began it, or who did may have died."""
    return BacktestRun.objects.filter(pk=pk, status__in=ACTIVE).exists()


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


def months(study: dict[str, Any]) -> list[tuple[int, list[float | None]]]:
    """Return each year with the returns of its twelve months; None where there was no session."""
    years: dict[int, list[float | None]] = {}
    for year, month, value in study.get("monthly") or []:
        years.setdefault(year, [None] * 12)[month - 1] = value
    return sorted(years.items())


def chances(study: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what other orders and choices of a run's trades come to, for the page."""
    found = study.get("monte_carlo") or {}
    return [{"name": name, **_chance(found[name])} for name in ("bootstrap", "permutation") if name in found]


def _chance(each: dict[str, Any]) -> dict[str, Any]:
    final, fall = each["final"], each["drawdown"]
    return {
        "paths": each["paths"], "low": final["0.05"], "mid": final["0.50"], "high": final["0.95"],
        "fall": fall["0.50"], "deep": fall["0.95"],
        "loss": each["probability_of_loss"], "ruin": each["risk_of_ruin"],
    }  # fmt: skip
