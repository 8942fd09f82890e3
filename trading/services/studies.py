"""What a backtest's result is worth: beside holding, by the month, in other orders, under heavier costs.

All of it comes from the run's own trades and equity, is kept with the run, and is the same whenever it is made again.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sensequant.lib.errors import NotAllowed
from trading.core import chances, returns
from trading.core.bars import IST_OFFSET
from trading.core.calendar import IST
from trading.core.panel import LaneBars
from trading.core.rolls import rest
from trading.core.simulation import Outcome
from trading.core.state import DAY_END, TRADED, Happening
from trading.core.stress import Paid, stressed
from trading.models.backtests import BacktestRun

Floats = npt.NDArray[np.float64]
PATHS, SEED = 1_000, 7
EPOCH = dt.date(1970, 1, 1).toordinal()
RUIN = 0.7  # of the capital


def study(
    outcome: Outcome, lanes: Sequence[LaneBars], capital: float, index: LaneBars | None = None
) -> dict[str, Any]:  # fmt: skip
    """Return the whole study of a run as JSON values, beside ``index`` where there is one; null has no meaning."""
    found = outcome.happenings(TRADED, DAY_END)
    ends = [each.values for each in found if each.kind == DAY_END]
    days = [dt.date.fromordinal(int(v["session"])) for v in ends]
    equity = [v["equity"] for v in ends]
    trades = [each for each in found if each.kind == TRADED]
    earned = returns.from_equity(equity, capital)
    held = _held(lanes, days)
    curve = [(day.isoformat(), rupees) for day, rupees in zip(days, equity, strict=True)]
    told = {
        "benchmark": {"name": "buy and hold, equal parts", **returns.against(earned, held)} if len(held) > 1 else None,
        "index": _beside(index, days, earned),
        "monthly": [list(row) for row in returns.monthly(days, earned)],
        "monte_carlo": _chances([each.values["net"] for each in trades], capital),
        "stress": stressed([_paid(each) for each in trades], curve, capital),
    }  # fmt: skip
    values: dict[str, Any] = plain(told)
    return values


def by_strategy(trades: Sequence[Happening], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return what each strategy of a shared account came to, nothing for one alone; ``names`` are the lanes'."""
    told = []
    for name in dict.fromkeys(names) if len(set(names)) > 1 else ():
        mine = [each.values for each in trades if names[each.lane] == name]
        wins = sum(v["net"] > 0.0 for v in mine)
        told.append({
            "strategy": name, "trades": len(mine), "net_pnl": round(sum(v["net"] for v in mine), 2),
            "charges": round(sum(v["charges"] for v in mine), 2), "win_rate": wins / len(mine) if mine else None,
        })  # fmt: skip
    return told


def _paid(each: Happening) -> Paid:
    v = each.values
    turnover = v["quantity"] * (v["entry_price"] + v["exit_price"])
    return Paid(_day(each.ts).isoformat(), v["gross"], v["charges"], turnover)


def _day(ts: int) -> dt.date:
    return dt.datetime.fromtimestamp(ts, IST).date()


def _beside(index: LaneBars | None, days: Sequence[dt.date], earned: Floats) -> dict[str, Any] | None:
    """Return the run beside an index over the sessions the index has bars of; None with fewer than two."""
    if index is None:
        return None
    known = np.isin([day.toordinal() for day in days], index.places.session)
    if known.sum() < 2:
        return None
    common = [day for day, there in zip(days, known.tolist(), strict=True) if there]
    return {"name": index.spec.symbol, **returns.against(earned[known], _held([index], common))}


def _held(lanes: Sequence[LaneBars], days: Sequence[dt.date]) -> Floats:
    """Return the sessions' returns of equal parts bought at each symbol's first open and held, before costs."""
    if not days:
        return np.zeros(0)
    ends = (np.array([day.toordinal() for day in days]) - EPOCH + 1) * 86_400 - IST_OFFSET
    worth = np.zeros(len(days))
    for lane in lanes:
        if not len(lane.bars):
            worth += 1.0
            continue
        at = np.searchsorted(lane.bars.ts, ends) - 1  # each session's last bar
        worth += np.where(at >= 0, lane.bars.close[np.maximum(at, 0)] / lane.bars.open[0], 1.0)
        rest(lane.bars)
    return returns.from_equity((worth / len(lanes)).tolist(), 1.0)


def _chances(net: Sequence[float], capital: float) -> dict[str, Any] | None:
    """Return what other orders and choices of the same trades come to; None with fewer than two trades."""
    if len(net) < 2:
        return None
    told: dict[str, Any] = {"seed": SEED, "ruin": RUIN}
    values = np.asarray(net, np.float64)
    for method in chances.METHODS:
        fan: dict[str, Any] = {}
        final: list[float] = []
        lowest: list[float] = []
        deepest: list[float] = []
        for chunk, paths in enumerate(chances.chunk_sizes(PATHS, len(net))):
            sequences = chances.orders(values, paths, method=method, seed=SEED, chunk=chunk)
            for into, part in zip((final, lowest, deepest), chances.fates(sequences, capital), strict=True):
                into.extend(part.tolist())
            if not chunk:
                fan = chances.fan(sequences, capital)
        told[method] = {**chances.summary(final, lowest, deepest, capital, RUIN), "fan": fan}
    return told


def plain(value: Any) -> Any:
    """Return JSON values with null for what is not a finite number."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def of(run: BacktestRun) -> dict[str, Any]:
    """Return a run's study; NotAllowed before it is done, or for one of a version that kept none."""
    if run.status != "done" or not run.study:
        raise NotAllowed(f"backtest {run.pk} is {run.status} and has no study", fix="run it again")
    found: dict[str, Any] = run.study
    return found
