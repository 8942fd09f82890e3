"""A stream that says what a story wants, when it wants, and a tape over it."""

import datetime as dt
import math
import threading
import time
from collections import deque

from tests.trading.core.streams import MONDAY, OPEN, demo_bars, quote, raw_of
from trading.core.calendar import NSE
from trading.core.panel import LaneSpec, lane
from trading.core.tick_bars import Pace
from trading.core.ticks import INF, Outage, Received
from trading.services import markets
from trading.services.live_day import Patience
from trading.services.streaming import Hooks, StreamTape, Venue
from trading.services.tapes import Tape, epoch_day

DAY = epoch_day(MONDAY)
TAPES = []
BRIEF = Patience(pace=Pace(hold=0.0, grace=0.0, quiet=INF), stale=30.0, partial=0.05, missing=0.05)


class World:
    """A market clock, a stream and a broker's history; every wait for the stream plays the next step of the script."""

    def __init__(self, at=OPEN - 60):
        self.at, self.steps, self.finished = float(at), deque(), False
        self.state, self.failures, self.reason, self.mute = "connected", 0, "", False
        self.heard, self.heard_at, self.expected = time.monotonic(), float(at), None
        self.outages = (Outage(-INF, float(at), -INF, time.monotonic(), "not connected yet"),)
        self.queue, self.notices, self.joined, self.count = [], [], [], 0
        self.bars, self.asked, self.refusal = {}, [], {}
        self.turn = threading.Lock()

    # the stream

    def expect(self, data):
        self.expected = data

    def rejoin(self, token):
        self.joined.append(token)

    def wait(self, timeout):
        if self.steps:
            self.steps.popleft()()
        else:
            time.sleep(0.001)  # history may still be on its way
            if self.state == "connected" and not self.mute:
                self.heard = time.monotonic()  # of other shares
            self.finished = True
        return bool(self.queue)

    def drain(self):
        quotes, notices = self.queue, self.notices
        self.queue, self.notices = [], []
        return quotes, notices

    # what happens

    def say(self, raw):
        self.count += 1
        self.heard, self.heard_at = time.monotonic(), self.at
        self.queue.append(Received(raw, self.heard, self.count))

    def lose(self):
        self.state = "lost"
        self.outages = (*self.outages, Outage(self.heard_at, INF, time.monotonic(), INF, "cut"))

    def back(self):
        self.state = "connected"
        self.heard = time.monotonic()
        newest = self.outages[-1]._replace(until=self.at, ended=self.heard)
        self.outages = (*self.outages[:-1], newest)

    def step(self, act):
        self.steps.append(act)

    def play(self, raws, *, until):
        """Let quotes come, each second's when the clock has reached it, and the clock go on to ``until``."""
        by_second = {}
        for raw in raws:
            by_second.setdefault(raw[19], []).append(raw)
        for second in sorted({*by_second, int(until)}):
            self.step(lambda second=second: self._second(second, by_second.get(second, ())))

    def _second(self, second, raws):
        self.at = max(self.at, float(second))
        for raw in raws:
            if self.state == "connected":
                self.say(raw)

    def ended(self):
        return self.finished

    def clock(self):
        return dt.datetime.fromtimestamp(self.at, dt.UTC)

    # the broker

    def history(self, symbol, start, end):
        with self.turn:
            self.asked.append((symbol, int(start.timestamp()), int(end.timestamp())))
            if symbol in self.refusal:
                raise self.refusal[symbol]
            return self.bars[symbol].between(int(start.timestamp()), int(end.timestamp()) + 1)


def past_of(symbols, segment="equity"):
    """Return a tape that knows one earlier session of each symbol."""
    friday = dt.date(2026, 10, 30)
    session = NSE.session(friday, segment)
    bars = demo_bars("DEMOLABS", friday)
    assert session is not None
    return Tape([lane(LaneSpec(symbol, 0.05, 1, segment), bars, 1) for symbol in symbols])


def tape(world, symbols=("AAA",), *, interval="1minute", past=None, rest=None, patience=BRIEF, **hooks):
    """Return a tape over the world; the token of a symbol is its name."""
    wanted = markets.Wanted("breeze", tuple(symbols), interval, MONDAY, MONDAY)
    venue = Venue(world, list(symbols), world.clock, world.history, world.ended)
    made = StreamTape(
        wanted, past or past_of(symbols), venue, rest=rest or (lambda: True), hooks=Hooks(**hooks), patience=patience
    )
    TAPES.append(made)
    return made


def quotes_of(symbol, bars, count=6, start=0):
    return raw_of(bars, count=count, share=symbol, start=start)


def traded(symbol, second, price=100.0, volume=1):
    return quote(symbol, second, price, volume)


def same(a, b):
    """Say whether two rows of numbers are equal, unknown ones included."""
    return all(x == y or (math.isnan(x) and math.isnan(y)) for x, y in zip(a, b, strict=True))
