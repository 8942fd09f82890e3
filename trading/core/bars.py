"""Bars as columns: the one shape in which prices travel from a file to a decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from trading.core.errors import Invalid

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DAY: Final = 1440
IST_OFFSET: Final = 19_800
OPEN_MINUTE: Final = 9 * 60 + 15

INTERVALS: Final[dict[str, int]] = {"1minute": 1, "5minute": 5, "15minute": 15, "1day": DAY}
ALIASES: Final[dict[str, str]] = {"1m": "1minute", "5m": "5minute", "15m": "15minute", "1d": "1day"}


def interval(name: str) -> str:
    """Return the canonical interval name for ``name`` or its alias; raise ``Invalid`` for any other."""
    key = name.strip().lower()
    key = ALIASES.get(key, key)
    if key not in INTERVALS:
        raise Invalid(f"interval {name!r} is not known: use one of {', '.join(INTERVALS)} (or {', '.join(ALIASES)})")
    return key


def alias(name: str) -> str:
    """Return the short name (``5m``) of an interval, as file names carry it."""
    canonical = interval(name)
    return next(short for short, full in ALIASES.items() if full == canonical)


@dataclass(frozen=True, slots=True)
class Bars:
    """Equal-length one-dimensional columns, oldest bar first.

    ``ts`` is int64 seconds since the Unix epoch, UTC, of the bar's start (a daily bar starts at midnight IST).
    Prices are float64 rupees. ``volume`` is float64 shares; NaN means unknown, which is not zero.
    """

    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __post_init__(self) -> None:
        """Raise ``Invalid`` when the columns are not one-dimensional and of one length."""
        shapes = {column.shape for column in self.columns()}
        if len(shapes) != 1 or len(next(iter(shapes))) != 1:
            raise Invalid(f"bar columns must be one-dimensional and of one length, not of shapes {sorted(shapes)}")

    def columns(self) -> tuple[Ints, Floats, Floats, Floats, Floats, Floats]:
        """Return the six columns in the order ts, open, high, low, close, volume."""
        return self.ts, self.open, self.high, self.low, self.close, self.volume

    def __len__(self) -> int:
        """Return the number of bars."""
        return int(self.ts.shape[0])

    def until(self, n: int) -> Bars:
        """Return the first ``n`` bars, as views."""
        if n < 0:
            raise Invalid(f"until needs a count of bars of 0 or more, not {n}")
        return self._slice(0, n)

    def between(self, start_ts: int, end_ts: int) -> Bars:
        """Return the bars that start in ``[start_ts, end_ts)`` (seconds UTC), as views."""
        first, last = np.searchsorted(self.ts, (start_ts, end_ts), side="left")
        return self._slice(int(first), max(int(first), int(last)))

    def _slice(self, first: int, last: int) -> Bars:
        return Bars(*(column[first:last] for column in self.columns()))  # type: ignore[arg-type]


def empty() -> Bars:
    """Return bars of length zero."""
    none = np.empty(0, dtype=np.float64)
    return Bars(np.empty(0, dtype=np.int64), none, none, none, none, none)


def ordinals(ts: Ints) -> Ints:
    """Return for each second-of-epoch the ordinal number of its day in IST (as ``date.toordinal``)."""
    return (ts + IST_OFFSET) // 86_400 + 719_163


def resample(bars: Bars, minutes: int, *, opens: Ints | None = None) -> Bars:
    """Return ``bars`` grouped into bars of ``minutes`` minutes counted from each session's open.

    ``opens`` gives per bar the second (UTC) at which its session opened; without it the open is 09:15 IST of
    the bar's own day. ``minutes=1440`` makes one bar a day, starting at midnight IST. A bucket's volume is unknown
    (NaN) when any of its bars' is. Bars before the open fall into buckets counted backwards from it.
    """
    if minutes < 1:
        raise Invalid(f"resample needs whole minutes of 1 or more, not {minutes}")
    if not len(bars):
        return bars
    midnight = bars.ts - (bars.ts + IST_OFFSET) % 86_400
    if minutes == DAY:
        starts = midnight
    else:
        origin = midnight + OPEN_MINUTE * 60 if opens is None else opens
        starts = bars.ts - (bars.ts - origin) % (minutes * 60)
    return _grouped(bars, starts)


def _grouped(bars: Bars, starts: Ints) -> Bars:
    """Return one bar for each run of equal ``starts``: first open, extreme high and low, last close, summed volume."""
    first = np.flatnonzero(np.diff(starts, prepend=starts[0] - 1))
    last = np.append(first[1:], len(bars)) - 1
    return Bars(
        starts[first],
        bars.open[first],
        np.maximum.reduceat(bars.high, first),
        np.minimum.reduceat(bars.low, first),
        bars.close[last],
        np.add.reduceat(bars.volume, first),
    )
