"""Daily bars as they come: a day's minutes gathered into one bar, decided on at the close or a few minutes before it.

The stream below goes on all day, so stops and targets are watched on every tick; only the decision is once a day.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator
from typing import Any

from trading.core.bars import Bars
from trading.core.calendar import Session
from trading.core.features import Bar
from trading.services import calendar as calendars
from trading.services.streaming import Phase, StreamTape
from trading.services.tapes import Moment, Tape

NAN = float("nan")


class DailyTape:
    """Plays one bar a session and lane; ``early`` minutes before the close, or at it when 0."""

    def __init__(self, inner: StreamTape, past: Tape, *, early: int) -> None:
        """Gather the minutes of ``inner``; ``past`` holds the daily bars before today, lane for lane."""
        self.inner, self.past, self.early = inner, past, early
        self.specs = past.specs
        self.after = 0  # daily bars that start up to here are behind the run that is continued

    @property
    def days(self) -> Iterable[int]:
        """Yield today, if it is a session, and every session after it as its day comes."""
        return self.inner.days

    @property
    def venue(self) -> Any:
        """Return the market that is followed."""
        return self.inner.venue

    def before_today(self, lane: int) -> list[Bar]:
        """Return a lane's daily bars of the sessions before the present one."""
        today = self.inner.today().toordinal() - dt.date(1970, 1, 1).toordinal()
        return [bar for day in self.past.days if day < today for bar in self.past.bars_of(lane, day)]

    def bars_of(self, lane: int, day: int) -> list[Bar]:
        """Return the lane's bar of ``day`` once it was decided on."""
        start = day * 86_400 - 19_800
        known = self.past.bars_of(lane, day)
        if known or start > self.after:
            return known
        made = gathered(self._until(lane, day, self.inner.bars_of(lane, day)), start)
        return [made] if made else []

    def moments(self, day: int) -> Iterator[Moment]:
        """Yield the day's one moment, and follow the market to its close."""
        start = day * 86_400 - 19_800
        seen = {lane: self.inner.bars_of(lane, day) for lane in range(len(self.specs))}
        told = start <= self.after
        for ts, rows in self.inner.moments(day):
            for lane, bar in rows:
                seen[lane].append(bar)
            if not told and ts + 60 >= self._decides(day):
                told = True
                yield start, self._rows(seen, day, start)
        if not told and any(seen.values()):
            yield start, self._rows(seen, day, start)

    def before(self, lane: int, day: int) -> float:
        """Return the lane's last close before a day, NaN when there is none."""
        return self.past.before(lane, day)

    def bars(self, lane: int) -> Bars:
        """Return the bars the lane was warmed with."""
        return self.past.bars(lane)

    def blocked(self) -> frozenset[int]:
        """Return the lanes that must not be entered now; while the market is closed nothing is stale."""
        return self.inner.blocked() if self.inner.live is not None and not self.inner.live.over else frozenset()

    def feed(self, lane: int) -> Any:
        """Return what is known of a lane's feed."""
        return self.inner.feed(lane)

    def phase(self, lane: int, at: dt.datetime) -> Phase:
        """Return where a lane stands in its session at ``at`` (aware)."""
        return self.inner.phase(lane, at)

    def pump(self) -> None:
        """Take in whatever has come."""
        self.inner.pump()

    def close(self) -> None:
        """Ask history no more."""
        self.inner.close()

    def _session(self, lane: int, day: int) -> Session | None:
        date = dt.date(1970, 1, 1) + dt.timedelta(days=day)
        return calendars.current().session(date, self.specs[lane].segment)

    def _decides(self, day: int) -> float:
        """Return when (seconds UTC) the day is decided on: by the lane whose session ends first."""
        closes = [found.close.timestamp() for lane in range(len(self.specs)) if (found := self._session(lane, day))]
        return min(closes, default=math.inf) - 60.0 * self.early

    def _until(self, lane: int, day: int, bars: list[Bar]) -> list[Bar]:
        ends = self._decides(day) if self.early else math.inf
        return [bar for bar in bars if bar.ts + 60 <= ends]

    def _rows(self, seen: dict[int, list[Bar]], day: int, start: int) -> list[tuple[int, Bar]]:
        made = {lane: gathered(self._until(lane, day, bars), start) for lane, bars in seen.items()}
        return [(lane, bar) for lane, bar in made.items() if bar is not None]


def gathered(bars: list[Bar], start: int) -> Bar | None:
    """Return one bar of many: first open, extremes, last close, summed volume (unknown when any is); None of none."""
    if not bars:
        return None
    return Bar(
        bars[0].open, max(bar.high for bar in bars), min(bar.low for bar in bars), bars[-1].close,
        sum(bar.volume for bar in bars), NAN, bars[0].session, 0, 0, start,
    )  # fmt: skip
