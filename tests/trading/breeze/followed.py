"""A tape over a simulator, through the real SDK."""

import datetime as dt
import time

from tests.trading.breeze.streamed import tokens_of, wire_of
from tests.trading.streamed import past_of
from trading.adapters.breeze.client import BreezeData
from trading.adapters.breeze.stream import PATIENT, Stream
from trading.services import markets
from trading.services.market_clock import MarketClock
from trading.services.streaming import StreamTape, Venue
from trading.services.tapes import epoch_day

DATE = dt.date(2026, 11, 23)
OPEN = int(dt.datetime(2026, 11, 23, 3, 45, tzinfo=dt.UTC).timestamp())


class Followed:
    """A tape of one-minute bars; ``found`` are the moments it gave so far."""

    def __init__(self, venue, symbols, *, patience=None, terms=PATIENT, clock=None):
        self.venue, self.symbols = venue, tuple(symbols)
        tokens, self.codes = tokens_of(venue)
        asked = [tokens[symbol] for symbol in symbols]
        self.market = MarketClock(venue.url)
        self.clock = clock or self.market
        self.stream = Stream(lambda: wire_of(venue), asked, clock=self.clock, terms=terms, orders=False).start()
        wanted = markets.Wanted("breeze", self.symbols, "1minute", DATE, DATE)
        seat = Venue(self.stream, asked, self.clock, self.history, lambda: clock is None and self.market.ended)
        self.tape = StreamTape(wanted, past_of(symbols), seat, rest=self._rest, patience=patience)
        self.moments = self.tape.moments(epoch_day(DATE))
        self.found, self.blocked, self.meanwhile = {}, [], []

    def _rest(self):
        self.blocked.append((time.monotonic(), self.tape.blocked()))
        if self.meanwhile and self.meanwhile[0][0] <= time.monotonic():
            self.meanwhile.pop(0)[1]()
        return True

    def history(self, symbol, start, end):
        return BreezeData(wire_of(self.venue)).history(self.codes[symbol], "1minute", start, end)

    def take(self, minutes):
        """Take the moments of so many minutes more."""
        for _ in range(minutes):
            ts, rows = next(self.moments)
            self.found[ts] = {lane: tuple(bar[:5]) for lane, bar in rows}

    def recorded(self, lane):
        """Return the bars the venue has of a lane, by their start."""
        start, end = (dt.datetime.fromtimestamp(ts, dt.UTC) for ts in (OPEN, max(self.found)))
        bars = self.history(self.symbols[lane], start, end)
        return {row[0]: row[1:] for row in zip(*(column.tolist() for column in bars.columns()), strict=True)}

    def close(self):
        self.tape.close()
        self.stream.close()
