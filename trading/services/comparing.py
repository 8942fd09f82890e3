"""Two backtests side by side: what was asked differently, what came out, and whether that is more than luck."""

from __future__ import annotations

from typing import Any

import numpy as np

from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from trading.core import returns
from trading.core.metrics import DAYS
from trading.core.resampling import block_bootstrap
from trading.models.backtests import BacktestRun, BacktestTrade

FIELDS = ("symbols", "strategy", "interval", "start", "end", "source", "directory", "sound_rows", "capital")
LEAST_DAYS = 10
BLOCK, TIMES, SEED = 5, 2000, 7
SHOWN = 200  # trades listed of those only one run has


def compare(first: int, second: int) -> dict[str, Any]:
    """Return the comparison of two finished runs; the paired test asks whether b − a is 0 on the same days."""
    if first == second:
        raise BadInput(f"backtest {first} cannot be compared with itself", fix="name two")
    a, b = _done(first), _done(second)
    return {
        "a": a.pk, "b": b.pk, "settings": settings(a, b), "metrics": metrics(a, b), "paired": paired(a, b),
        "trades": trades(a, b),
    }  # fmt: skip


def _done(number: int) -> BacktestRun:
    run = BacktestRun.objects.filter(pk=number).first()
    if run is None:
        raise NotFound(f"there is no backtest {number}", fix="look at the list of backtests")
    if run.status != "done":
        raise NotAllowed(f"backtest {number} is {run.status}", fix="compare runs that are done")
    return run


def settings(a: BacktestRun, b: BacktestRun) -> list[dict[str, Any]]:
    """Return the settings in which the runs differ."""
    rows = [(name, getattr(a, name), getattr(b, name)) for name in FIELDS]
    rows += [(f"params.{key}", a.params.get(key), b.params.get(key)) for key in dict.fromkeys([*a.params, *b.params])]
    return [{"name": name, "a": _plain(x), "b": _plain(y)} for name, x, y in rows if str(x) != str(y)]


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | list) else str(value)


def metrics(a: BacktestRun, b: BacktestRun) -> list[dict[str, Any]]:
    """Return every measure of both, and b − a where both have one."""
    rows = []
    for key in dict.fromkeys([*a.metrics, *b.metrics]):
        x, y = a.metrics.get(key), b.metrics.get(key)
        rows.append({"name": key, "a": x, "b": y, "difference": None if x is None or y is None else y - x})
    return rows


def paired(a: BacktestRun, b: BacktestRun) -> dict[str, Any] | None:
    """Return the paired test of daily returns, by a bootstrap of blocks of five sessions; None with too few days.

    ``mean`` is the mean of b − a by the year (× 252), with the interval that holds 95 of 100 resamples; ``p`` is twice
    the smaller share of resamples on either side of 0.
    """
    ours, theirs = _daily(a), _daily(b)
    days = [day for day in ours if day in theirs]
    if len(days) < LEAST_DAYS:
        return None
    x, y = np.array([ours[day] for day in days]), np.array([theirs[day] for day in days])
    drawn = block_bootstrap(len(days), block=BLOCK, times=TIMES, seed=SEED)
    means = (y - x)[drawn].mean(axis=1) * DAYS
    ratios = returns.sharpe(y[drawn]) - returns.sharpe(x[drawn])
    ratios = ratios[np.isfinite(ratios)]
    low, high = np.quantile(means, (0.025, 0.975))
    spread = np.quantile(ratios, (0.025, 0.975)).tolist() if ratios.size else [None, None]
    p = min(1.0, 2.0 * min(float(np.mean(means <= 0.0)), float(np.mean(means >= 0.0))))
    worse, better = high < 0.0, low > 0.0
    return {
        "days": len(days), "first": days[0], "last": days[-1], "mean": float(np.mean(y - x)) * DAYS,
        "low": float(low), "high": float(high), "p": p, "sharpe_low": spread[0], "sharpe_high": spread[1],
        "verdict": "b is better" if better else "b is worse" if worse else "no difference that luck could not make",
    }  # fmt: skip


def _daily(run: BacktestRun) -> dict[str, float]:
    r = returns.from_equity([value for _, value in run.equity], float(run.capital))
    return {day: float(x) for (day, _), x in zip(run.equity, r, strict=True)}


def trades(a: BacktestRun, b: BacktestRun) -> dict[str, Any]:
    """Return how many trades both runs opened alike (symbol, side, moment), and those only one of them has."""
    ours, theirs = _trades(a), _trades(b)
    only_a = [row for key, row in ours.items() if key not in theirs]
    only_b = [row for key, row in theirs.items() if key not in ours]
    return {
        "both": len(ours) - len(only_a), "only_a": len(only_a), "only_b": len(only_b),
        "listed_a": only_a[:SHOWN], "listed_b": only_b[:SHOWN],
    }  # fmt: skip


def _trades(run: BacktestRun) -> dict[tuple[Any, ...], dict[str, Any]]:
    names = ("symbol", "side", "entry_time", "quantity", "entry_price", "exit_time", "net_pnl")
    rows = BacktestTrade.objects.filter(run=run).order_by("number").values(*names)
    return {
        (row["symbol"], row["side"], row["entry_time"]): {
            **row, "quantity": row["quantity"], "entry_price": float(row["entry_price"]),
            "net_pnl": float(row["net_pnl"]), "entry_time": row["entry_time"].isoformat(),
            "exit_time": row["exit_time"].isoformat(),
        }
        for row in rows
    }  # fmt: skip
