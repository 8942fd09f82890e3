"""The market's time as one line: the recorded days one after the other, the nights left out."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from trading.core.calendar import IST, Session
from trading.core.errors import Invalid

MORNING = dt.time(9, 0)
BEFORE = dt.timedelta(minutes=15)  # how long before an evening session its day begins
AFTER = dt.timedelta(minutes=5)  # how long after its last trade a day ends


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the market: from ``start`` to ``end``, seconds UTC."""

    date: dt.date
    start: float
    end: float

    @property
    def length(self) -> float:
        """Return how many seconds the day lasts."""
        return self.end - self.start


def day(sessions: Sequence[Session]) -> Day:
    """Return the day on which all these sessions (one a segment, of one date) take place; Invalid when none does."""
    if not sessions:
        raise Invalid("a day without a session cannot be played: choose a trading day")
    date = sessions[0].date
    opens = min(session.phases[0].start for session in sessions)
    morning = dt.datetime.combine(date, MORNING, IST)
    start = morning if opens.hour < 12 else opens - BEFORE
    trading = [phase.end for session in sessions for phase in session.phases if phase.name != "post_close"]
    return Day(date, min(start, opens).timestamp(), (max(trading) + AFTER).timestamp())


class Timeline:
    """Days in order; a position is seconds from the start of the first, nights not counted."""

    def __init__(self, days: Sequence[Day]) -> None:
        """Take the days in order; Invalid when there is none."""
        if not days:
            raise Invalid("a market needs one day or more")
        self.days = tuple(days)
        self._starts = [0.0, *accumulate(each.length for each in self.days)]

    @property
    def length(self) -> float:
        """Return the position at which the last day is over."""
        return self._starts[-1]

    def index(self, position: float) -> int:
        """Return which day a position lies in."""
        return min(max(bisect_right(self._starts, position) - 1, 0), len(self.days) - 1)

    def moment(self, position: float) -> float:
        """Return the market's time at a position, seconds UTC."""
        at = self.index(position)
        return self.days[at].start + min(max(position, 0.0), self.length) - self._starts[at]

    def position(self, index: int, moment: float) -> float:
        """Return the position of a moment on a day, held inside that day."""
        each = self.days[index]
        return self._starts[index] + min(max(moment, each.start), each.end) - each.start


@dataclass(slots=True)
class Pace:
    """How the position moves: from ``position`` at the wall's second ``since``, ``speed`` market seconds a second."""

    position: float
    since: float
    speed: float

    def at(self, wall: float) -> float:
        """Return the position at a wall second."""
        return self.position + max(wall - self.since, 0.0) * self.speed
