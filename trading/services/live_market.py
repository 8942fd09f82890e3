"""Breeze as a market to follow: the shares by the names it knows them under, its stream, its history, its clock."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db import connections

from sensequant.lib.clock import IST
from sensequant.lib.errors import NotAllowed, SenseQuantError
from sensequant.lib.logs import get_logger
from trading.adapters.breeze.stream import Stream
from trading.adapters.breeze.wire import Wire
from trading.core.bars import DAY, Bars, empty, resample
from trading.core.panel import LaneBars, LaneSpec, lane
from trading.core.rules import Rules
from trading.core.ticks import Received
from trading.models.instruments import Instrument, Listing
from trading.services import calendar as calendars
from trading.services import instruments, markets, sessions, ticks
from trading.services.daily_tape import DailyTape
from trading.services.live_orders import Name
from trading.services.market_clock import MarketClock, addresses
from trading.services.markets import Wanted
from trading.services.streaming import Hooks, StreamTape, Venue
from trading.services.tapes import Tape

WARM_DAYS = 250  # the same, of daily bars
WARM_SESSIONS = 10  # sessions the indicators see before the first decision, at most
WARM_BARS = 1_000  # as many bars are enough: of finer bars fewer sessions are asked for, and calls are few
SESSION_MINUTES = 375
FINER = {"15minute": "5minute"}  # what Breeze lacks is made of what it has
log = get_logger("live-market")


@dataclass(frozen=True, slots=True)
class Followed:
    """A market that is followed: its tape, its stream, and its shares' names in the order of the lanes."""

    tape: StreamTape | DailyTape
    stream: Stream
    names: tuple[Name, ...]

    def close(self) -> None:
        """Ask nothing more and hang up."""
        self.tape.close()
        self.stream.close()


def follow(
    wanted: Wanted, rules: Rules, *, clock: MarketClock, rest: Callable[[], bool], hooks: Hooks, orders: bool,
    warm: bool,
) -> Followed:  # fmt: skip
    """Begin to follow ``wanted`` at Breeze, daily bars made of minutes; ``orders`` hears order notifications too.

    ``warm`` reads the sessions before today; a run that goes on remembers what they taught it, and starts at once.

    SessionLost without a session, Unavailable when the broker's master was never read, NotFound or BadInput for a
    symbol it does not list, NotAllowed for a trade-to-trade share when ``rules`` want to be flat by the evening.
    """
    at = clock()
    sessions.keys(at=at)
    if note := instruments.ensure(at=at, addresses=addresses()):
        log.warning("instruments", note=note)
    listings = [_listing(symbol, at, intraday=rules.intraday == 1) for symbol in sorted(wanted.symbols)]
    past = Tape([_warm(wanted, each, at) if warm else _cold(wanted, each) for each in listings])
    names = tuple(
        Name(spec.symbol, each.isec_code, _decimal_tick(spec)) for spec, each in zip(past.specs, listings, strict=True)
    )
    stream = Stream(lambda: _wire(clock), [each.token for each in listings], clock=clock, orders=orders)
    codes = {name.symbol: name.code for name in names}
    daily = wanted.minutes >= DAY
    streamed = replace(wanted, interval="1minute") if daily else wanted
    venue = Venue(
        stream, [each.token for each in listings], clock, _history(streamed, codes, clock), ended=lambda: clock.ended
    )  # fmt: skip
    tape = StreamTape(streamed, past, venue, rest=rest, hooks=hooks)
    return Followed(DailyTape(tape, past, early=rules.decide_early) if daily else tape, stream.start(), names)


def notice_of(message: Received) -> str:
    """Return the order number a raw order notification is about; empty when it is about none."""
    raw = message.raw
    found = raw.get("orderReference") if isinstance(raw, dict) else raw[23] if _is_equity(raw) else ""
    return str(found or "")


def _is_equity(raw: object) -> bool:
    return isinstance(raw, list | tuple) and len(raw) > 23 and "!" not in str(raw[0])


def _listing(symbol: str, at: dt.datetime, *, intraday: bool) -> Listing:
    found = instruments.resolve(symbol, on=at.astimezone(IST).date())
    if intraday and instruments.trade_to_trade(found):
        raise NotAllowed(
            f"{symbol} is in series {found.series}: what is bought must be taken, so it cannot be squared the same day",
            fix="leave it out, or trade it with the swing strategy",
        )
    return found


def _warm(wanted: Wanted, listing: Listing, at: dt.datetime) -> LaneBars:
    """Return a lane's bars of the sessions before today, none when they cannot be had: then its indicators warm up."""
    calendar = calendars.current()
    day = at.astimezone(IST).date()
    first = last = calendar.previous_session(day)
    enough = min(WARM_SESSIONS, math.ceil(WARM_BARS * wanted.minutes / SESSION_MINUTES))
    for _ in range((WARM_DAYS if wanted.minutes >= DAY else enough) - 1):
        first = calendar.previous_session(first)
    try:
        return markets.one_lane(replace(wanted, start=first, end=last), listing.symbol, calendar, at=at)
    except SenseQuantError as error:
        log.warning("nothing to warm up on", symbol=listing.symbol, error=str(error))
        return _cold(wanted, listing)


def _cold(wanted: Wanted, listing: Listing) -> LaneBars:
    """Return a lane without bars."""
    share = Instrument.objects.filter(symbol=listing.symbol).first()
    tick = ticks.known(share)
    spec = LaneSpec(listing.symbol, float(tick or markets.TICK), 1, share.segment if share else "equity")
    return lane(spec, empty(), wanted.minutes, calendar=calendars.current())


def _history(wanted: Wanted, codes: dict[str, str], clock: MarketClock) -> Callable[..., Bars]:
    interval = FINER.get(wanted.interval, wanted.interval)

    def history(symbol: str, start: dt.datetime, end: dt.datetime) -> Bars:
        whole = end + dt.timedelta(minutes=wanted.minutes - 1) if interval != wanted.interval else end
        bars = sessions.data(clock=clock).history(codes[symbol], interval, start, whole)
        return bars if interval == wanted.interval else resample(bars, wanted.minutes)

    return history


def _wire(clock: MarketClock) -> Wire:
    """Return a wire of the present session, for a thread of the stream."""
    try:
        return sessions.wire(clock=clock)[0]
    finally:
        connections.close_all()


def _decimal_tick(spec: LaneSpec) -> Decimal:
    return Decimal(str(spec.tick))
