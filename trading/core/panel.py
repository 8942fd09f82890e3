"""Bars of many symbols laid out for the drivers: one lane after another in contiguous columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trading.core.bars import Bars
from trading.core.calendar import NSE, Calendar, SessionColumns
from trading.core.errors import Invalid

Ints = npt.NDArray[np.int64]
Short = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
NOTHING: Floats = np.zeros(0)


@dataclass(frozen=True, slots=True)
class LaneSpec:
    """One symbol as the desk trades it: tick in rupees (0 = no grid), lot, calendar segment, fixed quantity if any."""

    symbol: str
    tick: float = 0.05
    lot: int = 1
    segment: str = "equity"
    fixed: int = 0


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Where bars stand in their sessions, found anew each time it is asked for instead of being kept."""

    ts: Ints
    minutes: int
    calendar: Calendar
    segment: str

    def columns(self) -> SessionColumns:
        """Return all four columns."""
        return self.calendar.session_columns(self.ts, self.minutes, self.segment)

    @property
    def session(self) -> Short:
        """The ordinal of each bar's date."""
        return self.columns().session

    @property
    def minute(self) -> Short:
        """Whole minutes from the session's open to each bar's start."""
        return self.columns().minute

    @property
    def left(self) -> Short:
        """Whole minutes from each bar's end to the close."""
        return self.columns().left

    @property
    def inside(self) -> npt.NDArray[np.bool_]:
        """Whether each bar starts in a continuous window."""
        return self.columns().inside


@dataclass(frozen=True, slots=True)
class LaneBars:
    """One lane's bars with their places in the session.

    ``sentiment`` (−1 … 1) and the ``student``'s words (see ``Bar``) are as long as the bars, or empty.
    ``notes`` say what to keep in mind of where the bars came from.
    """

    spec: LaneSpec
    bars: Bars
    places: SessionColumns | Unplaced
    sentiment: Floats = field(default_factory=lambda: NOTHING)
    notes: tuple[str, ...] = ()
    student: Floats = field(default_factory=lambda: NOTHING)


def lane(
    spec: LaneSpec, bars: Bars, minutes: int, *, calendar: Calendar = NSE, sentiment: Floats = NOTHING
) -> LaneBars:
    """Return ``bars`` of ``minutes`` with their places in the sessions of ``calendar``."""
    return LaneBars(spec, bars, calendar.session_columns(bars.ts, minutes, spec.segment), sentiment)


class Stretch(NamedTuple):
    """Columns of all lanes for some time: lane j is to be driven from ``cursors[j]``, ends before ``stops[j]``."""

    columns: tuple[Any, ...]
    cursors: Ints
    stops: Ints
    until: int


@dataclass(frozen=True, slots=True)
class Panel:
    """Columns of all lanes, one lane after another; lane j owns [starts[j], stops[j])."""

    specs: tuple[LaneSpec, ...]
    starts: Ints
    stops: Ints
    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    sentiment: Floats
    student: Floats
    session: npt.NDArray[np.int32]
    minute: npt.NDArray[np.int32]
    left: npt.NDArray[np.int32]

    def __len__(self) -> int:
        """Return the number of bars in all lanes."""
        return int(self.ts.size)

    def columns(self) -> tuple[npt.NDArray[np.generic], ...]:
        """Return the eleven columns in the order the drivers take them."""
        return (
            self.ts, self.open, self.high, self.low, self.close, self.volume, self.sentiment, self.student,
            self.session, self.minute, self.left,
        )  # fmt: skip

    def span(self) -> tuple[int, int]:
        """Return the starts of the first and the last bar."""
        return int(self.ts.min()), int(self.ts.max())

    def turns(self) -> dict[int, int]:
        """Return each session with the start of its first bar."""
        order = np.argsort(self.ts, kind="stable")
        ordinals, at = np.unique(self.session[order], return_index=True)
        return dict(zip(ordinals.tolist(), self.ts[order][at].tolist(), strict=True))

    def stretches(self, cursors: Ints, until: int) -> Iterator[Stretch]:
        """Yield what lies between ``cursors`` and ``until``: everything at once."""
        yield Stretch(self.columns(), cursors.copy(), self.stops, until)

    def last(self, j: int) -> tuple[npt.NDArray[np.generic], ...]:
        """Return the columns of lane ``j``'s last bar alone."""
        return tuple(column[self.stops[j] - 1 : self.stops[j]] for column in self.columns())

    def everything(self) -> Iterator[npt.NDArray[np.generic]]:
        """Yield every column there is."""
        yield from self.columns()


def panel(lanes: Sequence[LaneBars]) -> Panel:
    """Return the lanes as one panel, in the order given; raises Invalid when there is no bar at all."""
    sizes = np.array([len(each.bars) for each in lanes], np.int64)
    if not sizes.sum():
        raise Invalid("there are no bars to run on: choose other dates or symbols")
    stops = np.cumsum(sizes)

    def join(name: str) -> Floats:
        return np.ascontiguousarray(np.concatenate([getattr(each.bars, name) for each in lanes]))

    places = [each.places for each in lanes]
    return Panel(
        tuple(each.spec for each in lanes), stops - sizes, stops,
        np.ascontiguousarray(np.concatenate([each.bars.ts for each in lanes])),
        join("open"), join("high"), join("low"), join("close"), join("volume"),
        _known([each.sentiment for each in lanes], sizes), _known([each.student for each in lanes], sizes),
        np.concatenate([each.session for each in places]), np.concatenate([each.minute for each in places]),
        np.concatenate([each.left for each in places]),
    )  # fmt: skip


def _known(columns: Sequence[Floats], sizes: Ints) -> Floats:
    """Return lanes' columns as one, NaN where a lane has none; empty when none has any."""
    if not any(column.size for column in columns):
        return NOTHING
    return np.concatenate([x if x.size else np.full(n, np.nan) for x, n in zip(columns, sizes, strict=True)])


def told(ts: Ints, minutes: int, news: Sequence[tuple[int, float]], *, memory: int = 86_400) -> Floats:
    """Return the sentiment known at each bar's end: the last score published by then, NaN when older than ``memory``.

    ``news`` are (seconds UTC, score), oldest first; ``memory`` is in seconds.
    """
    return heard(ts + minutes * 60, news, memory=memory)


def heard(ends: Ints, news: Sequence[tuple[int, float]], *, memory: int = 86_400) -> Floats:
    """Return the last score published by each of ``ends`` (seconds UTC), NaN when older than ``memory`` seconds."""
    if not news:
        return NOTHING
    when = np.array([at for at, _ in news], np.int64)
    score = np.array([value for _, value in news], np.float64)
    last = np.searchsorted(when, ends, side="right") - 1
    fresh = (last >= 0) & (ends - when[np.maximum(last, 0)] <= memory)
    return np.where(fresh, score[np.maximum(last, 0)], np.nan)
