"""The trading floor: every share, the market's clock, and the days going by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from trading.adapters.simulator.journal import Journal
from trading.adapters.simulator.shares import NEVER, Share
from trading.core.calendar import IST, Calendar
from trading.core.errors import Invalid
from trading.core.exchange.book import Fill, Order
from trading.core.exchange.faults import Faults
from trading.core.exchange.path import FEWEST
from trading.core.exchange.timeline import Pace, Timeline, day

PER_MINUTE = 12  # ticks of a share in a market minute, when nothing else is asked for
CALM = 60.0  # market seconds a second up to which it gets them all


class Hears:
    """What somebody on the floor may want to hear; each does nothing by itself."""

    def filled(self, share: Share, fills: list[Fill]) -> None:
        """Hear of fills of one tick."""

    def released(self, share: Share, orders: list[Order]) -> None:
        """Hear that queued orders were let in."""

    def expired(self, share: Share, orders: list[Order]) -> None:
        """Hear that orders ended with the session."""

    def day_over(self) -> None:
        """Hear that a day is over and the next begins."""


@dataclass(frozen=True, slots=True)
class Tempo:
    """How many ticks a bar becomes: so many a bar, so many a second of wall time, or enough to look alive."""

    per_bar: int = 0
    per_second: float = 0.0

    def count(self, minutes: int, speed: float) -> int:
        """Return the number of ticks of a bar of ``minutes`` at ``speed`` market seconds a second."""
        lasting = min(minutes, 375)
        if self.per_second:
            return max(FEWEST, round(self.per_second * lasting * 60 / (speed or 1.0)))
        if self.per_bar:
            return self.per_bar
        return max(FEWEST, round(PER_MINUTE * lasting * CALM / max(speed, CALM)))


@dataclass
class Floor:
    """All shares on one clock; ``wall`` gives seconds UTC."""

    shares: dict[str, Share]
    calendar: Calendar
    dates: Sequence[dt.date]
    pace: Pace
    wall: Callable[[], float]
    journal: Journal
    tempo: Tempo = field(default_factory=Tempo)
    faults: Faults = field(default_factory=Faults)
    ears: list[Hears] = field(default_factory=list)
    watch: Callable[[Share], Callable[[Share], None] | None] = lambda _: None
    index: int = -1
    ms: int = 0

    def __post_init__(self) -> None:
        """Lay the days end to end."""
        segments = sorted({share.listed.segment for share in self.shares.values()})
        sessions = [[self.calendar.session(date, segment) for segment in segments] for date in self.dates]
        self.timeline = Timeline([day([each for each in row if each]) for row in sessions])
        self._next, self._winding = 0, False

    def open(self, index: int) -> None:
        """Begin a day."""
        self.index = index
        date = self.timeline.days[index].date
        midnight = int(dt.datetime.combine(date, dt.time(), IST).timestamp())
        for share in self.shares.values():
            session = self.calendar.session(date, share.listed.segment)
            share.begin(session, midnight, partial(self._count, share.minutes))
        self.ms = int(self.timeline.days[index].start * 1000)
        self._next = 0

    def _count(self, minutes: int) -> int:
        """Return the ticks of a bar; a clock that is wound past a stretch of time makes no more than usual."""
        if self._winding and self.tempo.per_second:
            return Tempo().count(minutes, 1.0)
        return self.tempo.count(minutes, self.pace.speed)

    @property
    def date(self) -> dt.date:
        """Return the market's date."""
        return self.timeline.days[self.index].date

    @property
    def ended(self) -> bool:
        """Say whether the last day is over."""
        return self.pace.at(self.wall()) >= self.timeline.length

    @property
    def at(self) -> dt.datetime:
        """Return the market's moment, aware, IST."""
        return dt.datetime.fromtimestamp(self.ms / 1000, IST)

    def advance(self) -> None:
        """Let the market catch up with its clock."""
        position = self.pace.at(self.wall())
        wanted = self.timeline.index(position)
        while self.index < wanted:
            self._run(int(self.timeline.days[self.index].end * 1000))
            self.open(self.index + 1)
            for ear in self.ears:
                ear.day_over()
        self._run(int(self.timeline.moment(position) * 1000))

    def _run(self, ms: int) -> None:
        if ms < self.ms:
            return
        self.ms = ms
        if ms < self._next and not self.faults.active:
            return
        for share in self.shares.values():
            self._apply_faults(share)
            self._run_share(share, ms)
        self._next = min((share.next_ms for share in self.shares.values()), default=NEVER)

    def _apply_faults(self, share: Share) -> None:
        """Let the faults of the market take hold of a share, or let go of it."""
        symbol = share.listed.symbol
        share.book.halted = self.faults.any("halt", symbol=symbol) is not None
        locked = self.faults.any("circuit", symbol=symbol)
        share.locked = str(locked.params["side"]) if locked else ""
        frozen = self.faults.any("ltp_frozen", symbol=symbol)
        share.frozen = (share.frozen or share.market.last) if frozen else 0.0

    def _run_share(self, share: Share, ms: int) -> None:
        while share.edges and share.edges[0][0] <= ms:
            edge, kind = share.edges.pop(0)
            self._go(share, edge - 1)
            self._turn(share, edge, kind)
        self._go(share, ms)

    def _go(self, share: Share, ms: int) -> None:
        seen = self.watch(share)
        if seen is None and not share.book and not share.crossing and not share.locked and not share.book.halted:
            share.skip(ms)
        else:
            share.play(ms, self._filled, seen)

    def _turn(self, share: Share, ms: int, kind: str) -> None:
        orders = share.book.release(ms) if kind == "open" else share.book.expire(ms)
        for ear in self.ears if orders else ():
            if kind == "open":
                ear.released(share, orders)
            else:
                ear.expired(share, orders)

    def _filled(self, share: Share, fills: list[Fill]) -> None:
        for ear in self.ears:
            ear.filled(share, fills)

    def nudge(self, share: Share, price: float, volume: int) -> None:
        """Let a share trade once at ``price``; its recorded path goes on with its next tick."""
        share.tick(self.ms, price, volume or round(share.liquidity.nominal / share.liquidity.share), self._filled,
                   self.watch(share))  # fmt: skip

    def wind(self, *, speed: float | None = None, seconds: float | None = None, at: str | None = None) -> None:
        """Change the clock's speed, move it on by market seconds, or to ``HH:MM[:SS]`` of this or the next day."""
        self.advance()
        position = self.pace.at(self.wall())
        if seconds is not None:
            if seconds < 0:
                raise Invalid(f"the clock cannot go back by {-seconds} seconds: advance by 0 or more")
            position += seconds
        if at is not None:
            position = self._position(at, position)
        if speed is not None and not 0 <= speed <= 100_000:
            raise Invalid(f"speed {speed} is not between 0 and 100000 market seconds a second")
        self.pace = Pace(position, self.wall(), self.pace.speed if speed is None else speed)
        self.keep_clock()
        self._winding = True
        self.advance()
        self._winding = False

    def _position(self, at: str, position: float) -> float:
        """Return where a time of day lies that is not behind the clock."""
        try:
            time = dt.time.fromisoformat(at)
        except ValueError:
            raise Invalid(f"{at!r} is not a time of day: write HH:MM or HH:MM:SS") from None
        for index in range(self.index, len(self.timeline.days)):
            moment = dt.datetime.combine(self.timeline.days[index].date, time, IST).timestamp()
            found = self.timeline.position(index, moment)
            if found >= position and moment >= self.timeline.days[index].start:
                return found
        raise Invalid(f"{at} of the last day is behind the clock, which cannot go back")

    def keep_clock(self) -> None:
        """Write the clock's pace down, so that a restart finds the market where it would have been."""
        pace = self.pace
        self.journal.write("clock", position=pace.position, since=pace.since, speed=pace.speed)

    def status(self) -> dict[str, Any]:
        """Return the clock as ``/healthz`` shows it."""
        return {
            "at": self.at.isoformat(timespec="milliseconds"), "epoch": self.ms / 1000, "speed": self.pace.speed,
            "ended": self.ended,
        }  # fmt: skip
