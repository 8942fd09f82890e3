"""What fetched bars lack, and daily bars whose open and close changed places."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from trading.core.bars import Bars, Floats, Ints, ordinals
from trading.core.calendar import IST, Session
from trading.core.chunks import starts

Kind = Literal["session", "first", "hole", "last"]

CLEAR: Final = 2.0  # how much better the crossed reading must fit than the straight one, intraday bars at hand
APART: Final = 0.002  # share of the price open and close must lie apart to be told from one another
HINT_CLEAR: Final = 6.0  # the same without intraday bars: neighbours say less
HINT_APART: Final = 0.015
SERIES_DAYS: Final = 20  # sessions in a row that tell whether all of them are exchanged
SERIES_CLEAR: Final = 0.7  # real ones never came below 0.86 in 82,000 sessions of 25 shares, exchanged ones lie at 0.3


@dataclass(frozen=True, slots=True)
class Gap:
    """Bars missing in a row inside one session; ``start`` and ``end`` are the first and last of them, seconds UTC."""

    kind: Kind
    day: dt.date
    bars: int
    start: int
    end: int

    @property
    def told(self) -> str:
        """Return the gap in words."""
        first, last = _clock(self.start), _clock(self.end)
        span = first if self.bars == 1 else f"{first} to {last}"
        bars = f"{self.bars} bar{'' if self.bars == 1 else 's'}"
        words = {
            "session": f"no bar at all ({bars} missing)",
            "first": f"the session begins late: {bars} missing, {span}",
            "hole": f"a hole: {bars} missing, {span}",
            "last": f"the session ends early: {bars} missing, {span}",
        }
        return f"{self.day}: {words[self.kind]}"

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        clock = "" if self.kind == "session" else _clock(self.start)
        return {"kind": self.kind, "day": self.day.isoformat(), "bars": self.bars, "start": clock}


def _clock(ts: int) -> str:
    return dt.datetime.fromtimestamp(ts, IST).strftime("%H:%M")


def gaps(ts: Ints, sessions: Iterable[Session], minutes: int, at: dt.datetime | None = None) -> list[Gap]:
    """Return what ``ts`` (seconds UTC, ascending) lacks of the sessions' bars complete by ``at``, oldest first.

    A minute in which nobody traded has no candle and looks like a missing one.
    """
    return [found for session in sessions for found in _in_session(ts, session, minutes, at)]


def _in_session(ts: Ints, session: Session, minutes: int, at: dt.datetime | None) -> Iterable[Gap]:
    wanted = starts(session, minutes, at)
    if not wanted.size:
        return
    low, high = np.searchsorted(ts, (wanted[0], wanted[-1] + 1))
    absent = ~np.isin(wanted, ts[low:high])
    if absent.all():
        yield Gap("session", session.date, int(wanted.size), int(wanted[0]), int(wanted[-1]))
        return
    edges = np.flatnonzero(np.diff(np.concatenate(([0], absent.astype(np.int8), [0]))))
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        kind: Kind = "first" if begin == 0 else "last" if end == wanted.size else "hole"
        yield Gap(kind, session.date, end - begin, int(wanted[begin]), int(wanted[end - 1]))


def missing_by_day(found: Iterable[Gap]) -> dict[dt.date, int]:
    """Return how many bars each day lacks."""
    total: Counter[dt.date] = Counter()
    for gap in found:
        total[gap.day] += gap.bars
    return dict(total)


def counted_kinds(found: Iterable[Gap]) -> str:
    """Return the gaps in a few words, such as ``2 sessions missing, 1 late start``."""
    names = {"session": "missing session", "first": "late start", "hole": "hole", "last": "early end"}
    kinds: Counter[str] = Counter(gap.kind for gap in found)
    return ", ".join(
        f"{kinds[kind]} {name}{'' if kinds[kind] == 1 else 's'}" for kind, name in names.items() if kinds[kind]
    )


@dataclass(frozen=True, slots=True)
class Swap:
    """A daily bar whose open and close seem to have changed places; ``proved`` by intraday bars, or only suspected."""

    day: dt.date
    open: float
    close: float
    proved: bool

    @property
    def told(self) -> str:
        """Return the finding in words."""
        prices = f"open {self.open:g} and close {self.close:g}"
        if self.proved:
            return f"{self.day}: {prices} have changed places: the day's own bars begin and end the other way round"
        return f"{self.day}: {prices} may have changed places: the neighbouring days fit the other way round"


def swapped(daily: Bars, intraday: Sequence[Bars] = ()) -> list[Swap]:
    """Return the daily bars whose open and close look exchanged, oldest first; nothing is changed.

    Where a day has ``intraday`` bars, their first open and last close decide. Elsewhere a day is suspected when its
    close continues the day before and its open leads on to the day after, and the other way round it jumps twice;
    and every day is when that holds for the series as a whole.
    """
    days = ordinals(daily.ts)
    told, first, last = _ends(days, intraday)
    proved = _crossed(daily.open, daily.close, first, last, CLEAR, APART)
    before, after = _shifted(daily.close, 1), _shifted(daily.open, -1)
    suspected = ~told & _crossed(daily.open, daily.close, before, after, HINT_CLEAR, HINT_APART)
    if _all_crossed(daily):
        suspected |= ~told & (np.abs(daily.open - daily.close) > APART * daily.close)
    return [
        Swap(dt.date.fromordinal(int(days[at])), float(daily.open[at]), float(daily.close[at]), bool(proved[at]))
        for at in np.flatnonzero(proved | suspected)
    ]


def _crossed(opens: Floats, closes: Floats, first: Floats, last: Floats, clear: float, apart: float) -> Any:
    """Say where (close, open) fits (first, last) clearly better than (open, close) does; NaN never fits."""
    straight = np.abs(opens - first) + np.abs(closes - last)
    crossed = np.abs(closes - first) + np.abs(opens - last)
    return (crossed * clear < straight) & (np.abs(opens - closes) > apart * closes)


def _all_crossed(daily: Bars) -> bool:
    """Say whether nights look like days and days like nights throughout the series."""
    if len(daily) < SERIES_DAYS:
        return False
    straight = np.abs(daily.open[1:] - daily.close[:-1]).sum()
    crossed = np.abs(daily.close[1:] - daily.open[:-1]).sum()
    return bool(crossed < SERIES_CLEAR * straight)


def _ends(days: Ints, intraday: Sequence[Bars]) -> tuple[Any, Floats, Floats]:
    """Return, per day, whether it has intraday bars, its first open and its last close (NaN without)."""
    first, last = np.full(days.size, np.nan), np.full(days.size, np.nan)
    for bars in intraday:
        own = ordinals(bars.ts)
        begin = np.searchsorted(own, days, side="left")
        end = np.searchsorted(own, days, side="right")
        there = np.flatnonzero(end > begin)
        first[there], last[there] = bars.open[begin[there]], bars.close[end[there] - 1]
    return ~np.isnan(first), first, last


def _shifted(values: Floats, by: int) -> Floats:
    out = np.full(values.size, np.nan)
    if by > 0:
        out[by:] = values[:-by]
    else:
        out[:by] = values[-by:]
    return out
