"""Bars as they come: the same face as a recorded tape, but the day is not over yet."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from sensequant.lib.clock import IST
from sensequant.lib.errors import NotFound
from sensequant.lib.logs import get_logger
from trading.core.bars import DAY, Bars
from trading.core.features import Bar
from trading.core.panel import LaneSpec
from trading.services import calendar as calendars
from trading.services import markets
from trading.services.tapes import Moment, Tape, epoch_day

OFTEN, SELDOM = 1.0, 15.0  # seconds between two readings of a source
WARM_SESSIONS = 10  # sessions the indicators see before the first decision
log = get_logger("following")


class FollowTape:
    """Follows a source through today and the sessions after it.

    ``rest`` waits a moment, tends to the switches, and answers False when the run should end.
    """

    def __init__(self, wanted: markets.Wanted, *, clock: Callable[[], dt.datetime], rest: Callable[[], bool]) -> None:
        """Follow ``wanted`` from the present day on; its dates are not asked."""
        self.wanted, self.clock, self.rest = wanted, clock, rest
        calendar = calendars.current()
        first = self.today()
        for _ in range(WARM_SESSIONS):
            first = calendar.previous_session(first)
        past = replace(wanted, start=first, end=self.today())
        self.history = Tape(markets.lanes(past, at=clock()))
        self.specs: tuple[LaneSpec, ...] = self.history.specs

    def today(self) -> dt.date:
        """Return the date at the exchange."""
        return self.clock().astimezone(IST).date()

    def __len__(self) -> int:
        """Return the number of bars the indicators are warmed with."""
        return len(self.history)

    @property
    def days(self) -> Iterator[int]:
        """Yield today, if it is a session, and every session after it as its day comes."""
        day = self.today()
        while True:
            calendar = calendars.current()
            if not calendar.is_session(day):
                day = calendar.next_session(day)
            while self.today() < day:
                if not self.rest():
                    return
            yield epoch_day(day)
            day += dt.timedelta(days=1)

    def before_today(self, lane: int) -> list[Bar]:
        """Return a lane's bars of the sessions before the present one."""
        day = epoch_day(self.today())
        return [bar for each in self.history.days if each < day for bar in self.history.bars_of(lane, each)]

    def bars_of(self, lane: int, day: int) -> list[Bar]:
        """Return a lane's bars of ``day`` that are complete by now, oldest first."""
        return self._complete(day, self.clock().timestamp()).get(lane, [])

    def moments(self, day: int) -> Iterator[Moment]:
        """Yield each moment of ``day`` as its bars are complete, until the session is over."""
        over = self._close(day) + 2 * 60 * min(self.wanted.minutes, 30)
        last = again = -math.inf
        while True:
            present = self.clock().timestamp()
            if present >= again or present > over:
                found = self._complete(day, present)
                rows = sorted((bar.ts, lane, bar) for lane, bars in found.items() for bar in bars if bar.ts > last)
                for ts in sorted({row[0] for row in rows}):
                    yield ts, [(lane, bar) for at, lane, bar in rows if at == ts]
                    last = ts
                again = self._again(present, last)
            if present > over or not self.rest():
                return

    def _again(self, present: float, last: float) -> float:
        """Return when to read the source again: often while a bar is awaited, for late rows seldom."""
        if self.wanted.minutes >= DAY:
            return present + SELDOM
        awaited = last + 2 * 60 * self.wanted.minutes  # the end of the bar after the newest one
        return present + OFTEN if present >= awaited else min(awaited, present + SELDOM)

    def before(self, lane: int, day: int) -> float:
        """Return the lane's last close before a day, NaN when there is none."""
        return self.history.before(lane, day)

    def bars(self, lane: int) -> Bars:
        """Return the bars the lane was warmed with."""
        return self.history.bars(lane)

    def _complete(self, day: int, present: float) -> dict[int, list[Bar]]:
        """Return each lane's bars of ``day`` that are complete at ``present`` (seconds UTC)."""
        return {
            lane: [bar for bar in bars if self._due(bar.ts, day) <= present] for lane, bars in self._fresh(day).items()
        }

    def _fresh(self, day: int) -> dict[int, list[Bar]]:
        date = dt.date(1970, 1, 1) + dt.timedelta(days=day)
        asked = replace(self.wanted, start=date, end=date)
        calendar, found = calendars.current(), {}
        for lane, spec in enumerate(self.specs):
            try:
                one = markets.one_lane(asked, spec.symbol, calendar, at=self.clock())
            except NotFound:
                continue  # nothing of today yet
            found[lane] = Tape([one]).bars_of(0, day)
        return found

    def _due(self, ts: int, day: int) -> float:
        """Return when a bar is complete: at its end, a daily bar at the session's close."""
        return self._close(day) if self.wanted.minutes >= DAY else ts + self.wanted.minutes * 60

    def _close(self, day: int) -> float:
        date = dt.date(1970, 1, 1) + dt.timedelta(days=day)
        session = calendars.current().session(date, self.specs[0].segment)
        return session.close.timestamp() if session else (day + 1) * 86_400 - 19_800
