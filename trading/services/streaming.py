"""The market as it comes: ticks of a stream, played as bars with the same face as a recorded tape.

A tape of this kind is made by ``Runner`` for dry-run and live at Breeze. It is driven by whoever iterates over
``moments``: between two moments it drains the stream, folds ticks into bars, tells the hooks, asks history for what was
missed, and calls ``rest`` a few times a second.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput
from sensequant.lib.logs import get_logger
from trading.core.bars import Bars
from trading.core.calendar import Session
from trading.core.features import Bar
from trading.core.freshness import Feed
from trading.core.panel import LaneSpec
from trading.core.ticks import INF, NAN, Outage, Received, Tick
from trading.services import calendar as calendars
from trading.services import news_history, stream_bars
from trading.services.engine import Latency
from trading.services.feed_watch import FeedWatch
from trading.services.filling import Filler, History
from trading.services.live_day import Lane, LiveDay, Patience
from trading.services.markets import Wanted
from trading.services.stream_bars import Kept
from trading.services.tapes import Moment, Tape, epoch_day

LOOK = 0.25  # seconds between two calls of ``rest``
BREATH = 0.05  # seconds the stream may be silent before the clock is looked at again
MADE = (1, 5, 15)
log = get_logger("streaming")


class Source(Protocol):
    """What is streamed from: ``trading.adapters.breeze.stream.Stream``, or anything that does the same."""

    @property
    def state(self) -> str: ...  # noqa: D102 - see Stream
    @property
    def failures(self) -> int: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def heard(self) -> float: ...  # noqa: D102
    @property
    def outages(self) -> Sequence[Outage]: ...  # noqa: D102
    def expect(self, data: bool) -> None: ...  # noqa: D102
    def rejoin(self, token: str) -> None: ...  # noqa: D102
    def wait(self, timeout: float) -> bool: ...  # noqa: D102
    def drain(self) -> tuple[list[Received], list[Received]]: ...  # noqa: D102


def never() -> bool:
    """Return that a market is not over: real ones go on."""
    return False


@dataclass(frozen=True, slots=True)
class Venue:
    """The market to be followed.

    ``tokens`` are the lanes' tokens in the order of their lanes; ``clock`` tells the market's time; ``history(symbol,
    start, end)`` returns bars of the wanted interval that start between two aware moments, both included, and is called
    in other threads; ``ended`` says that no more will ever come.
    """

    stream: Source
    tokens: Sequence[str]
    clock: Callable[[], dt.datetime]
    history: History
    ended: Callable[[], bool] = never


def nobody(_: object) -> None:
    """Listen to nothing."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """Who is told of what came between two moments: news of lanes in the exchange's order, raw order notices."""

    on_ticks: Callable[[list[tuple[int, Tick]]], None] = nobody
    on_notices: Callable[[list[Received]], None] = nobody


class Phase(NamedTuple):
    """Where a lane stands: the session's phase (``closed`` outside), and the step inside a call auction, if any."""

    name: str
    step: str


class StreamTape:
    """Plays today and the sessions after it as their bars are made."""

    def __init__(
        self, wanted: Wanted, past: Tape, venue: Venue, *, rest: Callable[[], bool], hooks: Hooks | None = None,
        patience: Patience | None = None,
    ) -> None:  # fmt: skip
        """Follow ``wanted`` from the present day on; ``past`` holds the sessions before it, lane for lane.

        ``rest`` tends to whatever must be tended to, does not wait, and answers False when the run should end.
        BadInput when the bars are not of 1, 5 or 15 minutes, or a lane has no token.
        """
        if wanted.minutes not in MADE:
            fix = "use --interval 1minute, 5minute or 15minute"
            raise BadInput(f"the stream makes no bars of {wanted.interval}", fix=fix)
        if len(venue.tokens) != len(past.specs):
            raise BadInput(f"{len(past.specs)} lanes have {len(venue.tokens)} tokens", fix="give one for each lane")
        self.wanted, self.past, self.venue, self.rest = wanted, past, venue, rest
        self.specs: tuple[LaneSpec, ...] = past.specs
        self.hooks, self.patience = hooks or Hooks(), patience or Patience()
        self.after = 0  # bars that start up to here (seconds UTC) are behind the run that is continued
        self.live_from = int(venue.clock().timestamp())  # what was over by then, nobody watched
        self.latency = Latency()  # from a quote's arrival to its place in a bar
        self.live: LiveDay | None = None
        self._first = epoch_day(self.today())
        self._filler = Filler(venue.history)
        self._watch = FeedWatch([spec.symbol for spec in self.specs])
        self._rested = -INF

    def today(self) -> dt.date:
        """Return the date at the exchange."""
        return self.venue.clock().astimezone(IST).date()

    def __len__(self) -> int:
        """Return the number of bars the indicators are warmed with."""
        return len(self.past)

    @property
    def days(self) -> Iterator[int]:
        """Yield today, if it is a session, and every session after it as its day comes."""
        day = self.today()
        while not self.venue.ended():
            calendar = calendars.current()
            if not calendar.is_session(day):
                day = calendar.next_session(day)
            while self.today() < day:
                self.pump()
                if self.venue.ended() or not self._rest():
                    return
            yield epoch_day(day)
            day += dt.timedelta(days=1)

    def before_today(self, lane: int) -> list[Bar]:
        """Return a lane's bars of the sessions before the present one."""
        day = epoch_day(self.today())
        return [bar for each in self.past.days if each < day for bar in self.past.bars_of(lane, each)]

    def bars_of(self, lane: int, day: int) -> list[Bar]:
        """Return a lane's bars of ``day`` that were given out and are over by now, oldest first."""
        present, spec = self.venue.clock().timestamp(), self.specs[lane]
        made = Lane(spec.symbol, self._session(lane, day))
        rows = stream_bars.of_day(spec.symbol, self.wanted.interval, day) if made.session else []
        return self._told(lane, [made.bar(row, self.wanted.minutes) for row in rows if row.start < present])

    def before(self, lane: int, day: int) -> float:
        """Return the lane's last close before a day, NaN when there is none."""
        known = self.past.before(lane, day)
        if day <= self._first and known == known:
            return known
        newer = stream_bars.close_before(self.specs[lane].symbol, self.wanted.interval, day)
        return newer if newer == newer else known

    def bars(self, lane: int) -> Bars:
        """Return the bars the lane was warmed with."""
        return self.past.bars(lane)

    def last(self, day: int) -> int:
        """Return 0: the day is not over."""
        return 0

    def moments(self, day: int) -> Iterator[Moment]:
        """Yield each moment of ``day`` as it is settled, lanes in their own order, until every session is over."""
        live = self.live = self._begin(day)
        while not live.over:
            self.pump()
            found = live.moment(time.monotonic(), self.venue.stream.heard)
            if found is None:
                if (self.venue.ended() and live.due > self.venue.clock().timestamp()) or not self._rest():
                    break
                continue
            start, rows, new = found
            self._keep(live, new)
            while live.deaf:
                self.venue.stream.rejoin(self.venue.tokens[live.deaf.pop()])
            if rows:
                bars = [(lane, live.lanes[lane].bar(row, self.wanted.minutes)) for lane, row in rows]
                yield start, [(lane, self._told(lane, [bar])[0]) for lane, bar in bars]
        self._keep(live, [])
        self._watch.look(live, self.venue.stream, at=self.venue.clock())
        self.venue.stream.expect(False)

    def blocked(self) -> frozenset[int]:
        """Return the lanes that must not be entered now: the stream is down, or their news is stale, or they stand."""
        everyone = frozenset(range(len(self.specs)))
        if self.live is None or self.live.lost:
            return everyone
        return self.live.fresh.blocked(time.monotonic())

    def feed(self, lane: int) -> Feed:
        """Return what is known of a lane's feed."""
        if self.live is None:
            return Feed(INF, 0, NAN, NAN, NAN, NAN, NAN, stale=False, halted=False, band="")
        return self.live.fresh.feed(lane, time.monotonic())

    def phase(self, lane: int, at: dt.datetime) -> Phase:
        """Return where a lane stands in its session at ``at`` (aware), the closing auction and its steps included."""
        date, session = at.astimezone(IST).date(), self.live.lanes[lane].session if self.live else None
        if session is None or session.date != date:
            session = self._session(lane, epoch_day(date))
        if session is None:
            return Phase("closed", "")
        name = next((each.name for each in session.phases if each.start <= at < each.end), "closed")
        return Phase(name, next((each.name for each in session.steps if each.start <= at < each.end), ""))

    def close(self) -> None:
        """Ask history no more; the stream is the caller's to close."""
        self._filler.close()
        self.venue.stream.expect(False)

    def _told(self, lane: int, bars: list[Bar]) -> list[Bar]:
        """Return a lane's bars with the sentiment that was known at their ends; what nobody knew stays unknown."""
        spec, ts = self.specs[lane], np.array([bar.ts for bar in bars], np.int64)
        calendar, minutes = calendars.current(), self.wanted.minutes
        scores = news_history.sentiment(spec.symbol, ts, minutes, calendar=calendar, segment=spec.segment)
        if not scores.size:
            return bars
        return [bar._replace(sentiment=score) for bar, score in zip(bars, scores.tolist(), strict=True)]

    def _session(self, lane: int, day: int) -> Session | None:
        date = dt.date(1970, 1, 1) + dt.timedelta(days=day)
        return calendars.current().session(date, self.specs[lane].segment)

    def _begin(self, day: int) -> LiveDay:
        """Begin a day with what was given out of it before, in an earlier life of this run."""
        interval, at = self.wanted.interval, self.venue.clock()
        symbols = [spec.symbol for spec in self.specs]
        if gone := stream_bars.forget_after(symbols, interval, day, at):
            log.warning("bars of the future were forgotten: the day is lived again", bars=gone)
        lanes = []
        for number, spec in enumerate(self.specs):
            rows = {row.start: row for row in stream_bars.of_day(spec.symbol, interval, day)}
            settled = max(self.after, max(rows, default=0))
            lanes.append(Lane(spec.symbol, self._session(number, day), rows, settled))
        return LiveDay(lanes, self.venue.tokens, self.wanted.minutes, self.patience, self._filler)

    def pump(self) -> None:
        """Take in whatever has come, and tell whom it concerns."""
        stream, live = self.venue.stream, self.live
        quotes, notices = stream.drain()
        clock = self.venue.clock().timestamp()
        if live is not None:
            if live.missed(stream.outages):
                self._filler.hurry()
            news = live.take(quotes, clock)
            mono = time.monotonic()
            for quote in quotes:
                self.latency.add(int((mono - quote.at) * 1e9))
            live.look(clock, mono)
            live.answered(self._filler.answers(), mono)
            stream.expect(live.fresh.expected())
            if news:
                self.hooks.on_ticks(news)
        if notices:
            self.hooks.on_notices(notices)

    def _rest(self) -> bool:
        """Let the caller tend to its things now and then, and wait a moment for the stream."""
        if time.monotonic() - self._rested >= LOOK:
            self._rested = time.monotonic()
            if self.live is not None:
                self.live.check()
                self._watch.look(self.live, self.venue.stream, at=self.venue.clock())
            if not self.rest():
                return False
        self.venue.stream.wait(BREATH)
        return True

    def _keep(self, live: LiveDay, new: list[tuple[int, Kept]]) -> None:
        """Remember bars before they are decided on, and the ticks that came too late for theirs."""
        if new:
            stream_bars.save(self.wanted.interval, [(self.specs[lane].symbol, row) for lane, row in new])
        if late := live.late():
            stream_bars.count_late(self.wanted.interval, late)
