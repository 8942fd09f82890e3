"""One share on the simulated exchange: its recorded bars become ticks, its book and its quote follow them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from trading.adapters.simulator.listing import Listed
from trading.core.bars import DAY, Bars, Ints
from trading.core.calendar import Session
from trading.core.exchange import path
from trading.core.exchange.book import Book, Fill, Liquidity, Order, take, units
from trading.core.exchange.market import Market, limits

CHUNK = 4_096  # ticks made at a time
NEVER = 1 << 62
Tell = Callable[["Share", list[Fill]], None]


class Supply:
    """The ticks of one day, made a few bars ahead of the clock."""

    def __init__(
        self, bars: Bars, starts: Ints, seconds: Ints, count: Callable[[], int], tick: float, key: int
    ) -> None:
        """Take the day's bars and where they lie; ``count`` is asked anew for each stretch."""
        self._bars, self._starts, self._seconds = bars, starts, seconds
        self._count, self._tick, self._key = count, tick, key
        self._next_bar = 0
        self._ticks = path.Ticks(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))
        self._at = 0

    @property
    def next_ms(self) -> int:
        """Return when the next tick falls; far away when there is none."""
        if self._at < len(self._ticks):
            return int(self._ticks.ms[self._at])
        return int(self._starts[self._next_bar]) * 1000 if self._next_bar < len(self._bars) else NEVER

    def take(self, until_ms: int) -> path.Ticks:
        """Return the ticks up to ``until_ms``, included, that were not taken yet."""
        parts = []
        while self.next_ms <= until_ms:
            if self._at == len(self._ticks):
                self._make()
            end = int(np.searchsorted(self._ticks.ms, until_ms, side="right"))
            parts.append(_cut(self._ticks, self._at, end))
            self._at = end
        if len(parts) == 1:
            return parts[0]
        columns = zip(*((part.ms, part.price, part.volume) for part in parts), strict=True)
        joined = [np.concatenate(column) for column in columns]
        return path.Ticks(*joined) if parts else _cut(self._ticks, self._at, self._at)

    def _make(self) -> None:
        first = self._next_bar
        room = int(self._seconds[first:].min()) * 1000
        count = min(max(self._count(), path.FEWEST), room)
        last = min(first + max(CHUNK // count, 1), len(self._bars))
        bars = Bars(*(column[first:last] for column in self._bars.columns()))  # type: ignore[arg-type]
        self._ticks = path.ticks(
            bars, self._starts[first:last], self._seconds[first:last], count=count, tick=self._tick, key=self._key
        )
        self._next_bar, self._at = last, 0


def _cut(ticks: path.Ticks, first: int, last: int) -> path.Ticks:
    return path.Ticks(ticks.ms[first:last], ticks.price[first:last], ticks.volume[first:last])


@dataclass
class Share:
    """A listed share with its recorded bars, and the day it is living through."""

    listed: Listed
    bars: Bars
    minutes: int
    key: int
    liquidity: Liquidity = field(default_factory=Liquidity)
    market: Market = field(init=False)
    book: Book = field(init=False)
    supply: Supply = field(init=False)
    session: Session | None = None
    edges: list[tuple[int, str]] = field(default_factory=list)
    crossing: list[Order] = field(default_factory=list)  # cancelled orders a fill is on its way to
    locked: str = ""  # the limit the fault ``circuit`` holds the price at
    frozen: float = 0.0  # the price the fault ``ltp_frozen`` shows

    def begin(self, session: Session | None, midnight: int, count: Callable[[], int]) -> None:
        """Begin the day that starts at ``midnight`` (seconds UTC)."""
        bars = self.bars.between(midnight, midnight + 86_400) if session else self.bars.between(0, 0)
        before = self.bars.between(0, midnight).close
        close = float(before[-1]) if before.size else (float(bars.open[0]) if len(bars) else 0.0)
        lower, upper = limits(close, self.listed.segment, self.listed.tick)
        known = bool(np.isfinite(bars.volume).any() and np.nansum(bars.volume) > 0)
        self.market = Market(self.listed.tick, close, lower, upper, known)
        self.book, self.session, self.crossing = Book(), session, []
        self.edges = _edges(session)
        self.supply = Supply(bars, *_places(bars, self.minutes, session), count, self.listed.tick, self.key)

    @property
    def next_ms(self) -> int:
        """Return when something happens next."""
        return min(self.supply.next_ms, self.edges[0][0] if self.edges else NEVER)

    def phase(self, ms: int) -> str:
        """Return the name of the session's phase at a moment, or ``closed``."""
        phases = self.session.phases if self.session else ()
        at = ms / 1000
        return next((each.name for each in phases if each.start.timestamp() <= at < each.end.timestamp()), "closed")

    def skip(self, until_ms: int) -> None:
        """Let the market go on without anybody looking or trading."""
        ticks = self.supply.take(until_ms)
        self.market.trade_many(ticks)
        if len(ticks):
            self.book.left = self.liquidity.of(int(ticks.volume[-1]), known=self.market.volume_known)

    def play(self, until_ms: int, filled: Tell, seen: Callable[[Share], None] | None) -> None:
        """Let the market go on tick by tick: orders are filled, ``seen`` hears of every tick."""
        ticks = self.supply.take(until_ms)
        for ms, price, volume in zip(ticks.ms.tolist(), ticks.price.tolist(), ticks.volume.tolist(), strict=True):
            self.tick(ms, price, volume, filled, seen)

    def tick(self, ms: int, price: float, volume: int, filled: Tell, seen: Callable[[Share], None] | None) -> None:
        """Take one tick in."""
        if self.book.halted:
            return
        if self.locked:
            price, volume = (self.market.upper if self.locked == "upper" else self.market.lower), 0
        self.market.trade(ms, price, volume)
        shares = self.liquidity.of(volume, known=self.market.volume_known or bool(self.locked))
        fills = [*self._crossed(ms), *self.book.trade(ms, units(price), shares)]
        if fills:
            filled(self, fills)
        if seen is not None:
            seen(self)

    def _crossed(self, ms: int) -> list[Fill]:
        """Fill the orders whose cancel came too late."""
        fills = []
        for order in self.crossing:
            quantity, order.cancelled = order.cancelled, 0
            fills.append(take(order, quantity, order.limit, ms))
        self.crossing = []
        return fills


def _edges(session: Session | None) -> list[tuple[int, str]]:
    """Return when queued orders are let in and when all orders end, milliseconds UTC."""
    if session is None:
        return []
    opens = [(int(window.start.timestamp() * 1000), "open") for window in session.windows]
    return [*opens, (int(session.close.timestamp() * 1000), "close")]


def _places(bars: Bars, minutes: int, session: Session | None) -> tuple[Ints, Ints]:
    """Return per bar the second it starts and how many it lasts: a daily bar lies in the session's first window."""
    lengths = np.full(len(bars), minutes * 60, np.int64)
    if minutes < DAY or session is None:
        return bars.ts, lengths
    window = session.windows[0]
    start, end = int(window.start.timestamp()), int(window.end.timestamp())
    return np.full(len(bars), start, np.int64), np.full(len(bars), end - start, np.int64)
