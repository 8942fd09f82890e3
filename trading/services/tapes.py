"""Bars as the engine meets them: one session at a time, moment by moment, with only that session in memory."""

from __future__ import annotations

import datetime as dt
import mmap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from trading.core.bars import IST_OFFSET, Bars
from trading.core.features import Bar
from trading.core.panel import LaneBars, LaneSpec

DAY_SECONDS = 86_400
CLOSE = 55_800  # 15:30, seconds of the day
Moment = tuple[int, list[tuple[int, Bar]]]


class Playable(Protocol):
    """Bars to be taken session by session: recorded ones, or those of a market that is still open."""

    specs: tuple[LaneSpec, ...]

    @property
    def days(self) -> Iterable[int]:
        """The sessions as epoch days in IST, oldest first."""

    def moments(self, day: int) -> Iterator[Moment]:
        """Yield (bar start, [(lane, bar), …]) of one day in the order of time, lanes in their own order."""

    def bars_of(self, lane: int, day: int) -> list[Bar]:
        """Return a lane's bars of one day that may be known now, oldest first."""

    def before_today(self, lane: int) -> list[Bar]:
        """Return the bars a lane's indicators are warmed with; none where everything is played."""

    def before(self, lane: int, day: int) -> float:
        """Return the lane's last close before a day, NaN when there is none."""

    def bars(self, lane: int) -> Bars:
        """Return the recorded bars of one lane."""


@dataclass(frozen=True, slots=True)
class _Track:
    """One lane's bars and where each day of it begins."""

    lane: LaneBars
    days: list[int]
    edges: list[int]


class Tape:
    """The bars of several lanes, played session by session; a day is an epoch day in IST."""

    def __init__(self, lanes: Sequence[LaneBars]) -> None:
        """Play ``lanes`` in the order given."""
        self.specs: tuple[LaneSpec, ...] = tuple(each.spec for each in lanes)
        self._tracks = [_track(each) for each in lanes]
        self.days: list[int] = sorted({day for track in self._tracks for day in track.days})

    def __len__(self) -> int:
        """Return the number of bars in all lanes."""
        return sum(track.edges[-1] for track in self._tracks)

    def bars_of(self, lane: int, day: int) -> list[Bar]:
        """Return a lane's bars of one day, oldest first; empty when it has none."""
        track = self._tracks[lane]
        if day not in track.days:
            return []
        k = track.days.index(day)
        return bars_between(track.lane, track.edges[k], track.edges[k + 1])

    def last(self, day: int) -> int:
        """Return the start of the last bar of a day; 0 when it has none."""
        ends = [int(t.lane.bars.ts[t.edges[t.days.index(day) + 1] - 1]) for t in self._tracks if day in t.days]
        return max(ends, default=0)

    def moments(self, day: int) -> Iterator[Moment]:
        """Yield (bar start, [(lane, bar), …]) of one day in the order of time, lanes in their own order."""
        queues = [self.bars_of(lane, day) for lane in range(len(self._tracks))]
        cursors = [0] * len(queues)
        while True:
            heads = [queue[at].ts for queue, at in zip(queues, cursors, strict=True) if at < len(queue)]
            if not heads:
                break
            now = min(heads)
            rows = []
            for lane, queue in enumerate(queues):
                if cursors[lane] < len(queue) and queue[cursors[lane]].ts == now:
                    rows.append((lane, queue[cursors[lane]]))
                    cursors[lane] += 1
            yield now, rows
        self._forget()

    def before_today(self, lane: int) -> list[Bar]:
        """Return nothing: a recorded tape is played from its beginning."""
        return []

    def before(self, lane: int, day: int) -> float:
        """Return the lane's last close before a day, NaN when there is none."""
        track = self._tracks[lane]
        at = int(np.searchsorted(np.array(track.days), day))
        return float(track.lane.bars.close[track.edges[at] - 1]) if at else float("nan")

    def bars(self, lane: int) -> Bars:
        """Return all bars of one lane."""
        return self._tracks[lane].lane.bars

    def _forget(self) -> None:
        """Hand pages of mapped files back, so a long replay does not grow."""
        for track in self._tracks:
            for column in track.lane.bars.columns():
                base: object = column
                while isinstance(base, np.ndarray) and base.base is not None:
                    base = base.base
                if isinstance(base, mmap.mmap):
                    base.madvise(mmap.MADV_DONTNEED)


class TwoTapes(Tape):
    """Minutes and days on one account: each day's bars come once the session's last minute is over."""

    def __init__(self, minutes: Sequence[LaneBars], days: Sequence[LaneBars]) -> None:
        """Play the lanes of ``minutes``, then those of ``days``, which are numbered after them."""
        super().__init__([*minutes, *days])
        self._fine, self._count = Tape(minutes), len(minutes)

    def last(self, day: int) -> int:
        """Return the moment at which a day's last bar is taken; 0 when it has none."""
        return self._close(day) if self._daily(day) else self._fine.last(day)

    def moments(self, day: int) -> Iterator[Moment]:
        """Yield the day's minutes in the order of time, then its daily bars in one moment after them."""
        if day in self._fine.days:
            yield from self._fine.moments(day)
        if rows := self._daily(day):
            yield self._close(day), rows

    def _daily(self, day: int) -> list[tuple[int, Bar]]:
        lanes = range(self._count, len(self.specs))
        return [(lane, bar) for lane in lanes for bar in self.bars_of(lane, day)]

    def _close(self, day: int) -> int:
        return max(self._fine.last(day) + 1, day * DAY_SECONDS - IST_OFFSET + CLOSE)


def epoch_day(day: dt.date) -> int:
    """Return a date as an epoch day."""
    return (day - dt.date(1970, 1, 1)).days


def _track(lane: LaneBars) -> _Track:
    numbers = (lane.bars.ts + IST_OFFSET) // DAY_SECONDS
    days, first = np.unique(numbers, return_index=True)
    return _Track(lane, days.tolist(), [*first.tolist(), len(lane.bars)])


def bars_between(lane: LaneBars, a: int, b: int) -> list[Bar]:
    """Return a lane's bars from place ``a`` to before ``b``, as the engine meets them."""
    values = (column[a:b].tolist() for column in lane.bars.columns()[1:])
    scores = lane.sentiment[a:b].tolist() if lane.sentiment.size else [float("nan")] * (b - a)
    places = lane.places
    where = (places.session[a:b].tolist(), places.minute[a:b].tolist(), places.left[a:b].tolist())
    return [Bar(*row) for row in zip(*values, scores, *where, lane.bars.ts[a:b].tolist(), strict=True)]
