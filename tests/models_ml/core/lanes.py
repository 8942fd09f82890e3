"""Lanes to label: choppy random walks in sessions of their own."""

from __future__ import annotations

import datetime as dt

import numpy as np

from tests.trading.core.panels import placed, walk
from trading.core.bars import DAY, Bars
from trading.core.calendar import SessionColumns
from trading.core.charges import Rates
from trading.core.panel import LaneBars, LaneSpec
from trading.core.simulation import Schedule, schedule

CHARGES = schedule("prime-2999", "margin", dt.date(2026, 11, 2), dt.date(2028, 12, 30))
DELIVERY = schedule("prime-2999", "cash", dt.date(2026, 11, 2), dt.date(2028, 12, 30))
FREE = Schedule(np.zeros(1, np.int64), np.array([[0] * (len(Rates._fields) - 1) + [100]], np.int64))


def lane(seed, *, days=3, a_day=15, minutes=5, lot=1, symbol="R0"):
    """Return a lane of ``days`` sessions; daily bars when ``minutes`` is a day's."""
    bars = walk(seed, days=days, a_day=1 if minutes == DAY else a_day, minutes=minutes)
    return placed(bars, 1 if minutes == DAY else a_day, minutes, LaneSpec(symbol, 0.05, lot))


def crafted(rows, *, left=None, minutes=5):
    """Return a lane of one session whose bars are ``rows`` of (open, high, low, close)."""
    columns = np.array(rows, float).T
    n = columns.shape[1]
    ts = np.arange(n) * 60 * minutes + 1_793_000_000
    stays = np.arange(n)[::-1] * minutes if left is None else np.array(left)
    places = SessionColumns(np.full(n, 740_300, np.int32), np.arange(n) * minutes, stays, np.ones(n, bool))
    return LaneBars(LaneSpec("C", 0.05), Bars(ts, *columns, np.full(n, 1e6)), places)
