"""The diagnosis of a finished backtest, as the lines its command, page and API show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trading.core.bars import Bars
from trading.core.calendar import IST
from trading.core.diagnosis import Seen, TradeRow, diagnose
from trading.core.panel import LaneBars
from trading.core.rolls import rest
from trading.core.simulation import Outcome
from trading.core.state import FILLED, TRADED, WIDTH

SAID_ELSEWHERE = "too few trades"


def told(outcome: Outcome, lanes: Sequence[LaneBars]) -> list[str]:
    """Return a line for every finding: its name, its evidence, and beyond what it is one; nothing without trades."""
    if not outcome.measures.trades:
        return []
    found = diagnose(seen(outcome, lanes))
    return [
        f"{each['name']}: {each['evidence']} (threshold {each['threshold']})"
        for each in found if each["found"] and each["name"] != SAID_ELSEWHERE
    ]  # fmt: skip


def seen(outcome: Outcome, lanes: Sequence[LaneBars]) -> Seen:
    """Return what the checks look at; a stale fill is one on a bar without volume or that repeats the close before."""
    rows = outcome.events.reshape(-1, WIDTH)
    trades = [
        TradeRow(lanes[int(row[1])].spec.symbol, _month(row[3]), float(row[11])) for row in rows[rows[:, 0] == TRADED]
    ]
    fills = rows[rows[:, 0] == FILLED]
    months = {_month(ts) for each in lanes if len(each.bars) for ts in each.bars.ts[[0, -1]]}
    span = _months(sorted(months))
    bad = sum(_stale(each.bars, fills[fills[:, 1] == j, 2].astype(int)) for j, each in enumerate(lanes))
    return Seen(outcome.measures._asdict(), trades, len(lanes), span, len(fills), bad)


def _stale(b: Bars, at: npt.NDArray[np.int64]) -> int:
    """Return at how many of the bars ``at`` nobody traded, or the price of before was repeated."""
    if not at.size:
        return 0
    still = (b.high[at] == b.low[at]) & (b.close[at] == b.close[np.maximum(at - 1, 0)])
    found = int(((b.volume[at] == 0.0) | still).sum())
    rest(b)
    return found


def _month(ts: float) -> str:
    return dt.datetime.fromtimestamp(int(ts), tz=IST).strftime("%Y-%m")


def _months(edges: Sequence[str]) -> int:
    if not edges:
        return 0
    (a, b), (c, d) = ((int(x) for x in edge.split("-")) for edge in (edges[0], edges[-1]))
    return (c - a) * 12 + d - b + 1
