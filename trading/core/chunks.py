"""How a stretch of history is asked for: requests no larger than Breeze answers, laid along the sessions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from trading.core.bars import DAY, INTERVALS, IST_OFFSET, Ints, interval
from trading.core.calendar import IST, Calendar, Phase, Session

MOST: Final = 1000
"""Candles Breeze puts into one answer; what lies beyond them is left out without a word."""
TRADED: Final = ("continuous", "closing_auction")
"""Phases a candle may stand for. How Breeze shows the closing auction is not known, so room is left for it."""
MADE_FROM: Final = {"15minute": "5minute"}
FINAL: Final = dt.timedelta(minutes=5)
"""How long after a session its last candles may still come or change."""
ONE_SECOND: Final = dt.timedelta(seconds=1)
ONE_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One request: the wanted sessions in it, the instants asked for (aware, both included), the most it may hold."""

    days: tuple[dt.date, ...]
    start: dt.datetime
    end: dt.datetime
    candles: int

    @property
    def first(self) -> dt.date:
        """Return the first wanted session."""
        return self.days[0]

    @property
    def last(self) -> dt.date:
        """Return the last wanted session."""
        return self.days[-1]


def asked_as(name: str) -> str:
    """Return the interval to ask Breeze for: it has no 15-minute bars, they are made from 5-minute ones."""
    unit = interval(name)
    return MADE_FROM.get(unit, unit)


def chunks(days: Iterable[dt.date], name: str, calendar: Calendar, segment: str = "equity") -> list[Chunk]:
    """Return the fewest requests that hold every session among ``days`` once, oldest first.

    Sessions that are not wanted may lie inside a request when that saves one. ``Invalid`` outside the calendar.
    """
    wanted, minutes = set(days), INTERVALS[asked_as(name)]
    if not wanted:
        return []
    found: list[list[Session]] = []
    used = 0
    for session in calendar.sessions(min(wanted), max(wanted), segment):
        used += room(session, minutes)
        if session.date not in wanted:
            continue
        if not found or used > MOST:
            found.append([])
            used = room(session, minutes)
        found[-1].append(session)
    return [_chunk(group, minutes, calendar, segment) for group in found]


def halves(chunk: Chunk, name: str, calendar: Calendar, segment: str = "equity") -> list[Chunk]:
    """Return the chunk as two, for an answer that came back full; empty when it is a single session."""
    middle = len(chunk.days) // 2
    parts = (chunk.days[:middle], chunk.days[middle:]) if middle else ()
    return [each for part in parts for each in chunks(part, name, calendar, segment)]


def _chunk(group: list[Session], minutes: int, calendar: Calendar, segment: str) -> Chunk:
    days = tuple(session.date for session in group)
    inside = calendar.sessions(days[0], days[-1], segment)
    candles = sum(room(session, minutes) for session in inside)
    if minutes == DAY:
        return Chunk(days, _midnight(days[0]), _midnight(days[-1]) + ONE_DAY - ONE_SECOND, candles)
    last = int(starts(group[-1], minutes)[-1])
    return Chunk(days, group[0].open, dt.datetime.fromtimestamp(last, IST), candles)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, tzinfo=IST)


def room(session: Session, minutes: int) -> int:
    """Return how many candles of a session an answer may hold, its closing auction included."""
    if minutes == DAY:
        return 1
    return sum(-(-_seconds(phase) // (60 * minutes)) for phase in session.phases if phase.name in TRADED)


def _seconds(phase: Phase) -> int:
    return int((phase.end - phase.start).total_seconds())


def starts(session: Session, minutes: int, at: dt.datetime | None = None) -> Ints:
    """Return when the session's bars start (seconds UTC), those complete by ``at`` only.

    Bars are counted from the session's open and start inside a continuous window; a daily bar starts at midnight IST
    and is complete once the session's candles are final.
    """
    if minutes == DAY:
        there = at is None or over(session, at)
        return np.array([int(_midnight(session.date).timestamp())] if there else [], dtype=np.int64)
    first, last = int(session.open.timestamp()), int(session.close.timestamp())
    grid = np.arange(first, last, 60 * minutes, dtype=np.int64)
    ends = np.zeros(grid.size, dtype=np.int64)  # 0: outside every window
    for window in session.windows:
        begin, end = int(window.start.timestamp()), int(window.end.timestamp())
        inside = (grid >= begin) & (grid < end)
        ends[inside] = np.minimum(grid[inside] + 60 * minutes, end)
    known = ends > 0
    return grid[known if at is None else known & (ends <= int(at.timestamp()))]


def over(session: Session, at: dt.datetime) -> bool:
    """Say whether a session's candles are final: its closing auction is over, and a while has passed."""
    return at >= max(phase.end for phase in session.phases if phase.name in TRADED) + FINAL


def expected(sessions: Iterable[Session], minutes: int, at: dt.datetime | None = None) -> Ints:
    """Return when every bar of the sessions starts (seconds UTC), oldest first, those complete by ``at`` only."""
    parts = [starts(session, minutes, at) for session in sessions]
    return np.concatenate([np.empty(0, dtype=np.int64), *parts])


def day_of(ts: int) -> dt.date:
    """Return the date in India of a second of the epoch."""
    return dt.datetime.fromtimestamp(ts, IST).date()


def days_of(ts: Ints) -> set[dt.date]:
    """Return the dates in India on which any of the instants (seconds UTC) fall."""
    epoch = dt.date(1970, 1, 1)
    return {epoch + int(day) * ONE_DAY for day in np.unique((ts + IST_OFFSET) // 86_400)}


def spans(days: Iterable[dt.date], sessions: Iterable[dt.date]) -> list[tuple[dt.date, dt.date]]:
    """Return ``days`` as runs (first, last) of neighbours in ``sessions``."""
    wanted = set(days)
    found: list[list[dt.date]] = []
    going = False
    for day in sessions:
        if day in wanted and going:
            found[-1][1] = day
        elif day in wanted:
            found.append([day, day])
        going = day in wanted
    return [(first, last) for first, last in found]


def begun(session: Session, minutes: int, at: dt.datetime) -> Chunk | None:
    """Return the request for the bars of a session that goes on, complete by ``at``; None while there is none."""
    there = starts(session, minutes, at)
    if not there.size:
        return None
    last = dt.datetime.fromtimestamp(int(there[-1]), IST)
    return Chunk((session.date,), session.open, last, int(there.size))
