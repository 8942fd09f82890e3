"""What happened inside a bar: ticks that, put together again, give exactly the recorded bar.

A rising bar goes open, low, high, close, a falling one open, high, low, close; the steps between lie on the tick grid.
The same key and bar give the same ticks, whichever bars are made together with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from trading.core.bars import Bars, Floats, Ints
from trading.core.errors import Invalid

Hashes = npt.NDArray[np.uint64]

FEWEST: Final = 4
PAISA: Final = 0.01
NOISE: Final = 0.25  # how far a step strays from the straight way, as a share of the bar's range
WHEN, WHERE, STRAY, SHARE = range(4)  # what a random number is for
_MIX: Final = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


@dataclass(frozen=True, slots=True)
class Ticks:
    """Equal-length columns, oldest first: milliseconds UTC, rupees, shares that changed hands."""

    ms: Ints
    price: Floats
    volume: Ints

    def __len__(self) -> int:
        """Return the number of ticks."""
        return int(self.ms.size)


def key(seed: int, name: str) -> int:
    """Return the number that makes a symbol's path its own."""
    return (seed * 0x1_0000_0001 + crc32(name.encode())) & 0xFFFF_FFFF_FFFF_FFFF


def ticks(bars: Bars, starts: Ints, seconds: Ints, *, count: int, tick: float, key: int) -> Ticks:
    """Return ``count`` ticks for each bar, their times rising strictly inside ``[start, start + seconds)``.

    ``starts`` (seconds UTC) and ``seconds`` say per bar where it really lies: a daily bar fills its session. Volumes
    are rounded to whole shares, an unknown one counts as 0. Invalid when a bar has no room for so many ticks.
    """
    if count < FEWEST:
        raise Invalid(f"a bar needs {FEWEST} ticks or more, not {count}: open, both extremes, close")
    room = int(seconds.min(initial=1 << 40)) * 1000
    if count > room:
        raise Invalid(f"{count} ticks do not fit into {room} ms")
    ts = bars.ts[:, None]
    return Ticks(
        _times(ts, starts, seconds, count, key).ravel(),
        _prices(bars, count, tick or PAISA, key).ravel(),
        _volumes(bars, count, key).ravel(),
    )


def _times(ts: Ints, starts: Ints, seconds: Ints, count: int, key: int) -> Ints:
    """Return when each tick falls: one in each of ``count`` equal slots, the first where the bar begins."""
    length = seconds[:, None].astype(np.int64) * 1000
    edges = np.arange(count + 1, dtype=np.int64)[None, :] * length // count
    slot = edges[:, 1:] - edges[:, :-1]
    jitter = _uniform(key, ts, count, WHEN)
    jitter[:, 0] = 0.0
    return starts[:, None] * 1000 + edges[:, :-1] + (jitter * slot).astype(np.int64)


def _prices(bars: Bars, count: int, tick: float, key: int) -> Floats:
    """Return the prices: straight from each of the four corners to the next, straying a little, inside the bar."""
    o, h, l, c = (column[:, None] for column in (bars.open, bars.high, bars.low, bars.close))
    rising = c >= o
    first, second = np.where(rising, l, h), np.where(rising, h, l)
    where = _uniform(key, bars.ts[:, None], 2, WHERE)
    one = 1 + (where[:, :1] * (count - 3)).astype(np.int64)
    two = one + 1 + (where[:, 1:] * (count - 2 - one)).astype(np.int64)
    at = np.arange(count)[None, :]
    end = count - 1
    straight = np.where(
        at <= one,
        o + (first - o) * at / one,
        np.where(
            at <= two,
            first + (second - first) * (at - one) / (two - one),
            second + (c - second) * (at - two) / np.maximum(end - two, 1),
        ),
    )
    stray = (_uniform(key, bars.ts[:, None], count, STRAY) - 0.5) * NOISE * (h - l)
    price: Floats = np.clip(np.round(np.rint((straight + stray) / tick) * tick, 4), l, h)
    for corner, value in ((np.zeros_like(one), o), (one, first), (two, second), (np.full_like(one, end), c)):
        np.put_along_axis(price, corner, value, axis=1)
    return price


def _volumes(bars: Bars, count: int, key: int) -> Ints:
    """Return whole shares per tick that add up to the bar's; every tick trades when there are enough."""
    total = np.rint(np.nan_to_num(bars.volume)).astype(np.int64)[:, None]
    each = (total >= count).astype(np.int64)
    weight = np.cumsum(0.2 + _uniform(key, bars.ts[:, None], count, SHARE), axis=1)
    spread = np.floor((total - each * count) * (weight / weight[:, -1:])).astype(np.int64)
    spread[:, -1:] = total - each * count
    return np.diff(spread, axis=1, prepend=0) + each


def _uniform(key: int, ts: Ints, count: int, purpose: int) -> Floats:
    """Return numbers in [0, 1), one row a bar and ``count`` a row, that depend on nothing but their arguments."""
    step = np.arange(count, dtype=np.uint64)[None, :] * np.uint64(4) + np.uint64(purpose)
    mixed = _mixed(ts.astype(np.uint64) ^ np.array([[key]], np.uint64))
    mixed = _mixed(mixed + step * np.array([[_MIX[0]]], np.uint64))
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mixed(x: Hashes) -> Hashes:
    """Return SplitMix64's finisher: every bit of the answer depends on every bit of ``x``."""
    x = (x ^ (x >> np.uint64(30))) * np.array([[_MIX[1]]], np.uint64)
    x = (x ^ (x >> np.uint64(27))) * np.array([[_MIX[2]]], np.uint64)
    mixed: Hashes = x ^ (x >> np.uint64(31))
    return mixed
