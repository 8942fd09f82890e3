"""Panels too large to stand in memory: their bars stay in the files they are mapped from and pass in stretches of time.

A ``Roll`` is driven as a ``Panel`` is. Only the stretch at hand is copied, in the very columns a panel has, and the
pages it was copied from are given back, so 500 symbols of minutes take the memory of a few days of them.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from trading.core.bars import Bars
from trading.core.calendar import Calendar, SessionColumns
from trading.core.errors import Invalid
from trading.core.panel import Ints, LaneBars, LaneSpec, Panel, Stretch, Unplaced, panel

MANY: Final = 8_000_000
"""Bars of a panel that may stand in memory as a whole: about a gigabyte with what is made of them."""
STRETCH: Final = 1_000_000
"""Bars in memory at a time beyond that, more or less."""


def light(lane: LaneBars, minutes: int, *, calendar: Calendar) -> LaneBars:
    """Return the lane without the columns that can be found anew, and its mapped pages given back."""
    rest(lane.bars)
    return replace(lane, places=Unplaced(lane.bars.ts, minutes, calendar, lane.spec.segment))


def rest(bars: Bars) -> None:
    """Give back the memory of bars that are mapped from a file; they are read from it again when they are needed."""
    for column in bars.columns():
        base: Any = column
        while base is not None and not isinstance(base, mmap.mmap):
            base = getattr(base, "base", None)
        if base is not None:
            base.madvise(mmap.MADV_DONTNEED)


def rolled(lanes: Sequence[LaneBars]) -> Panel | Roll:
    """Return the lanes as a panel, or as a roll when there are many bars; Invalid when there is none at all."""
    return Roll.of(lanes) if sum(len(each.bars) for each in lanes) > MANY else panel(lanes)


@dataclass(frozen=True, slots=True)
class Roll:
    """Many lanes behind the face of a panel; ``cuts`` are the moments between two stretches."""

    lanes: tuple[LaneBars, ...]
    specs: tuple[LaneSpec, ...]
    starts: Ints
    stops: Ints
    cuts: tuple[int, ...]

    @classmethod
    def of(cls, lanes: Sequence[LaneBars], stretch: int = STRETCH) -> Roll:
        """Return a roll of lanes, in the order given, that passes about ``stretch`` bars at a time."""
        sizes = np.array([len(each.bars) for each in lanes], np.int64)
        if not sizes.sum():
            raise Invalid("there are no bars to run on: choose other dates or symbols")
        first = min(int(each.bars.ts[0]) for each in lanes if len(each.bars))
        last = max(int(each.bars.ts[-1]) for each in lanes if len(each.bars))
        count = -(-int(sizes.sum()) // stretch)
        cuts = tuple(first + (last - first) * k // count for k in range(1, count))
        stops = np.cumsum(sizes)
        return cls(tuple(lanes), tuple(each.spec for each in lanes), stops - sizes, stops, cuts)

    def __len__(self) -> int:
        """Return the number of bars in all lanes."""
        return int(self.stops[-1])

    def span(self) -> tuple[int, int]:
        """Return the starts of the first and the last bar."""
        ends = [each.bars.ts[[0, -1]] for each in self.lanes if len(each.bars)]
        return int(min(a for a, _ in ends)), int(max(b for _, b in ends))

    def turns(self) -> dict[int, int]:
        """Return each session with the start of its first bar."""
        found: dict[int, int] = {}
        for lane in self.lanes:
            days, at = np.unique(lane.places.session, return_index=True)
            for day, ts in zip(days.tolist(), lane.bars.ts[at].tolist(), strict=True):
                found[day] = min(ts, found.get(day, ts))
            rest(lane.bars)
        return found

    def stretches(self, cursors: Ints, until: int) -> Iterator[Stretch]:
        """Yield what lies between ``cursors`` and ``until``, oldest first, as stretches that fit into memory."""
        at = cursors.copy()
        for limit in (*(cut for cut in self.cuts if cut < until), until):
            upto = np.array([self._place(j, limit) for j in range(len(self.lanes))], np.int64)
            upto = np.maximum(upto, at)
            if (upto > at).any():
                yield self._stretch(at, upto, limit)
            at = upto

    def last(self, j: int) -> tuple[npt.NDArray[np.generic], ...]:
        """Return the columns of lane ``j``'s last bar alone."""
        count = len(self.lanes[j].bars)
        return panel([_cut(self.lanes[j], count - 1, count)]).columns()

    def everything(self) -> Iterator[npt.NDArray[np.generic]]:
        """Yield every column there is, lane by lane, to be looked at and let go."""
        for lane in self.lanes:
            yield from (*lane.bars.columns(), lane.sentiment, lane.student, lane.places.session)
            rest(lane.bars)

    def _place(self, j: int, limit: int) -> int:
        return int(self.starts[j] + np.searchsorted(self.lanes[j].bars.ts, limit))

    def _stretch(self, at: Ints, upto: Ints, limit: int) -> Stretch:
        some = [
            _cut(lane, int(a - first), int(b - first))
            for lane, a, b, first in zip(self.lanes, at, upto, self.starts, strict=True)
        ]
        made = panel(some)
        for lane in self.lanes:
            rest(lane.bars)
        return Stretch(made.columns(), made.starts, made.stops, limit)


def _cut(lane: LaneBars, a: int, b: int) -> LaneBars:
    """Return bars [a, b) of a lane; its news and words are cut where there are any in the whole."""
    bars = Bars(*(column[a:b] for column in lane.bars.columns()))  # type: ignore[arg-type]
    places = lane.places
    if isinstance(places, Unplaced):
        placed = replace(places, ts=bars.ts).columns()
    else:
        placed = SessionColumns(places.session[a:b], places.minute[a:b], places.left[a:b], places.inside[a:b])
    return replace(lane, bars=bars, places=placed, sentiment=lane.sentiment[a:b], student=lane.student[a:b])
