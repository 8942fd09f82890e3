"""How old the newest news of each lane is, and which lanes it makes unfit for an entry.

Age is judged by what arrived, never by whether a socket is open: a connected and mute stream is stale. News is a tick
that differs from the newest one; the same message over and over is none. A price that stands still while its trades go
on is fresh. Ages are seconds of this machine's monotonic clock, whatever the market's clock does, so in a simulated
market that runs sixty times as fast a limit of 30 seconds is half an hour of the market.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

from trading.core.tick_bars import Window
from trading.core.ticks import INF, NAN, Tick

OFFERS: Final = 8  # a tick's fields up to its limits of the day are what it tells
QUIET_TIMES: Final = 3.0  # times the limit without news, while others have some, after which a lane counts as halted


class Feed(NamedTuple):
    """What is known of one lane's feed.

    ``age`` is seconds since its newest news (infinite before the first of the day), ``traded_at`` seconds UTC of its
    newest trade (0: none), prices rupees, NaN when unknown; ``band`` is ``upper`` or ``lower`` while the price stands
    at that limit of the day, else empty.
    """

    age: float
    traded_at: int
    last: float
    bid: float
    ask: float
    lower: float
    upper: float
    stale: bool
    halted: bool
    band: str


class Freshness:
    """The newest tick of every lane, judged by ``limit`` seconds."""

    def __init__(self, windows: Sequence[Sequence[Window]], limit: float) -> None:
        """Watch one lane per entry of ``windows``: its continuous stretches of the day, in seconds UTC."""
        self.windows, self.limit = [tuple(each) for each in windows], limit
        self.ticks: list[Tick | None] = [None] * len(self.windows)
        self._since = [INF] * len(self.windows)  # when (mono) a lane was first seen inside its present window
        self._inside: list[Window | None] = [None] * len(self.windows)
        self._edges = sorted({float(edge) for each in self.windows for window in each for edge in window})
        self._stretch = -1  # how many edges the clock has passed

    def see(self, lane: int, tick: Tick) -> bool:
        """Take a tick in and say whether it is news."""
        newest = self.ticks[lane]
        if newest is not None and (tick.ts < newest.ts or _same(tick, newest)):
            return False
        self.ticks[lane] = tick
        return True

    def look(self, clock: float, mono: float) -> None:
        """Take note of what time it is: market seconds UTC, and this machine's monotonic clock."""
        stretch = bisect_right(self._edges, clock)
        if stretch == self._stretch:
            return
        self._stretch = stretch
        for lane, windows in enumerate(self.windows):
            inside = next((each for each in windows if each[0] <= clock < each[1]), None)
            if inside != self._inside[lane]:
                self._inside[lane], self._since[lane] = inside, mono if inside else INF

    def expected(self) -> bool:
        """Say whether any lane should have news now."""
        return any(self._inside)

    def stale(self, lane: int, mono: float) -> bool:
        """Say whether a lane inside its session has had no news for longer than the limit."""
        return self._inside[lane] is not None and self._quiet(lane, mono) > self.limit

    def blocked(self, mono: float) -> frozenset[int]:
        """Return the lanes that must not be entered: stale, halted, at a limit of the day, or not heard of yet."""
        return frozenset(
            lane
            for lane, tick in enumerate(self.ticks)
            if tick is None or self.stale(lane, mono) or self.halted(lane, mono) or _band(tick)
        )

    def halted(self, lane: int, mono: float) -> bool:
        """Say whether a lane has long been silent while most of the others were not."""
        inside = [other for other in range(len(self.ticks)) if self._inside[other] is not None and other != lane]
        lively = sum(self._quiet(other, mono) <= self.limit for other in inside)
        silent = self._inside[lane] is not None and self._quiet(lane, mono) > QUIET_TIMES * self.limit
        return silent and lively > 0 and 2 * lively >= len(inside)

    def feed(self, lane: int, mono: float) -> Feed:
        """Return what is known of a lane."""
        tick, stale, halted = self.ticks[lane], self.stale(lane, mono), self.halted(lane, mono)
        if tick is None:
            return Feed(INF, 0, NAN, NAN, NAN, NAN, NAN, stale, halted, "")
        prices = (tick.price, tick.bid, tick.ask, tick.lower, tick.upper)
        return Feed(mono - tick.received, tick.ts, *prices, stale, halted, _band(tick))

    def _quiet(self, lane: int, mono: float) -> float:
        """Return for how long a lane has been silent, the time before its window not counted."""
        tick = self.ticks[lane]
        heard = self._since[lane] if tick is None else max(tick.received, self._since[lane])
        return mono - heard


def _same(one: Tick, other: Tick) -> bool:
    """Say whether two ticks tell the same; unknown equals unknown."""
    return all(a == b or (a != a and b != b) for a, b in zip(one[1:OFFERS], other[1:OFFERS], strict=True))


def _band(tick: Tick) -> str:
    """Return the limit of the day the price stands at, if any."""
    if tick.price >= tick.upper:
        return "upper"
    return "lower" if tick.price <= tick.lower else ""
