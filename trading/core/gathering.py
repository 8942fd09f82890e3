"""Bars of minutes gathered into bars of whole days, as a desk that decides once a day sees them at the close."""

from __future__ import annotations

import datetime as dt

import numpy as np

from trading.core.bars import IST_OFFSET, Bars
from trading.core.calendar import NSE, Calendar
from trading.core.panel import NOTHING, LaneBars

EPOCH = dt.date(1970, 1, 1).toordinal()


def days_of(lane: LaneBars, *, calendar: Calendar = NSE) -> LaneBars:
    """Return the lane with one bar a session: first open, extremes, last close, summed volume (unknown when any is).

    What the news said at the day's last bar is what the day's bar knows.
    """
    b = lane.bars
    if not len(b):
        return LaneBars(lane.spec, b, calendar.session_columns(b.ts, 1440, lane.spec.segment))
    sessions, first = np.unique(lane.places.session, return_index=True)
    last = np.append(first[1:], len(b)) - 1
    ts = (sessions.astype(np.int64) - EPOCH) * 86_400 - IST_OFFSET
    bars = Bars(
        ts, b.open[first], np.maximum.reduceat(b.high, first), np.minimum.reduceat(b.low, first), b.close[last],
        np.add.reduceat(b.volume, first),
    )  # fmt: skip
    news = lane.sentiment[last] if lane.sentiment.size else NOTHING
    return LaneBars(lane.spec, bars, calendar.session_columns(ts, 1440, lane.spec.segment), news)
