"""Several backtests seen as one desk: their trades together, their daily equity added up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from trading.core.metrics import Measures, measure, tidy
from trading.core.state import DAY_END, TRADED, WIDTH
from trading.models.backtests import BacktestRun, BacktestTrade
from trading.services.backtests import answer, as_json, extended


def combined(runs: Sequence[BacktestRun]) -> dict[str, Any]:
    """Return finished runs as one answer, each on its own capital; ``runs`` holds the single answers."""
    single = [answer(run) for run in runs]
    return {
        "run_id": [run.pk for run in runs],
        "bars": sum(run.bars for run in runs),
        "strategy": "both",
        "metrics": {**as_json(measures(runs)), **extended([v for _, v in add_up(runs)], _capital(runs))},
        "warnings": [warning for run in runs for warning in run.warnings],
        "trades": sorted((trade for each in single for trade in each["trades"]), key=lambda trade: trade["exit_time"]),
        "runs": single,
    }


def measures(runs: Sequence[BacktestRun]) -> Measures:
    """Return the measures of all trades and of the sum of the daily equities; the drawdown is by the day."""
    capital = _capital(runs)
    equity = add_up(runs)
    trades = BacktestTrade.objects.filter(run__in=runs).order_by("exit_time", "run", "number")
    rows = [_trade(trade) for trade in trades] + [_day(day, value) for day, value in equity]
    flat = [number for row in rows for number in row]
    bars = sum(run.bars for run in runs)
    held = sum(run.bars * (run.metrics.get("exposure") or 0.0) for run in runs)
    final = equity[-1][1] if equity else capital
    found = measure(flat, len(rows), capital, final, fall(capital, [value for _, value in equity]), bars, int(held))
    return tidy(found)


def _capital(runs: Sequence[BacktestRun]) -> float:
    return sum(float(run.capital) for run in runs)


def add_up(runs: Sequence[BacktestRun]) -> list[tuple[dt.date, float]]:
    """Return the sum of the runs' equities on every day that any of them knows."""
    curves = [{dt.date.fromisoformat(day): value for day, value in run.equity} for run in runs]
    latest = [float(run.capital) for run in runs]
    total = []
    for day in sorted({day for curve in curves for day in curve}):
        latest = [curve.get(day, before) for curve, before in zip(curves, latest, strict=True)]
        total.append((day, sum(latest)))
    return total


def fall(capital: float, equity: Sequence[float]) -> float:
    """Return the deepest fall from a peak as a fraction of it."""
    peak, deepest = capital, 0.0
    for value in equity:
        peak = max(peak, value)
        deepest = max(deepest, 1.0 - value / peak)
    return deepest


def _trade(trade: BacktestTrade) -> list[float]:
    """Return a trade as an event row; its length in bars is not known any more and counts as one."""
    row = [0.0] * WIDTH
    row[0], row[3], row[9] = TRADED, trade.exit_time.timestamp(), trade.entry_time.timestamp()
    row[5], row[6], row[7] = trade.quantity, float(trade.entry_price), float(trade.exit_price)
    row[10], row[11], row[13] = float(trade.charges), float(trade.net_pnl), float(trade.gross_pnl)
    return row


def _day(day: dt.date, value: float) -> list[float]:
    row = [0.0] * WIDTH
    row[0], row[4], row[5] = DAY_END, day.toordinal(), value
    return row
