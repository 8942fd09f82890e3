"""A desk with a broker, small enough for a story: two shares, an account of ten lakh, an order room."""

import datetime as dt
import time
from decimal import Decimal

from tests.trading.live.venue import START, Ticking, Venue
from trading.core import desk as core
from trading.core.features import Bar
from trading.core.panel import LaneSpec
from trading.core.setups import make_setup
from trading.core.simulation import schedule
from trading.core.state import ENTRY, QTY, SIDE
from trading.models import EngineRun, Order
from trading.services import order_book, order_room, recording
from trading.services.live_engine import LiveEngine
from trading.services.live_orders import Name
from trading.services.live_recording import LiveRecorder

NAN = float("nan")
DAY = dt.date(2026, 11, 23)
NAMES = (Name("RELIANCE", "RELIND", Decimal("0.05")), Name("TCS", "TCS", Decimal("0.05")))


class Desk:
    """One run and everything it needs; ``again()`` is the same run after a crash."""

    def __init__(self, venue=None, run=None):
        self.clock = venue.clock if venue else Ticking()
        self.venue = venue or Venue(self.clock)
        self.run = run or EngineRun.objects.create(
            name="live", mode="live", source="breeze", interval="1minute", strategy="crossover", plan={},
            capital=1_000_000, state="running", started_at=START,
        )  # fmt: skip
        setup = make_setup("crossover", 1, {"stop_loss": 0.02, "take_profit": 0.04, "max_exposure": 500_000}, {})
        specs = [LaneSpec(name.symbol, 0.05, 1, "equity") for name in NAMES]
        self.engine = LiveEngine(
            "crossover", setup, specs, capital=1e6, charges=schedule("i-secure", "cash", DAY, DAY)
        )  # fmt: skip
        self.cursor = int(START.timestamp()) - 60
        going_on = recording.restore(self.run, self.engine, lambda lane: [])
        self.recorder = LiveRecorder(self.run, self.engine)
        self.room = order_room.OrderRoom(
            self.engine, self.recorder, NAMES, clock=self.clock, broker=self._broker, take=self._take, patience=60.0
        )
        self.book = order_book.BookReader(self.room)
        self.no_session = None
        if not going_on:
            self.recorder.open_session(self.cursor)
            self.bar(100.0)

    def _broker(self):
        if self.no_session:
            raise self.no_session
        return self.venue

    def _take(self, happenings):
        self.recorder.instantly(self.cursor, happenings)

    def bar(self, close):
        """Let both shares have a quiet bar."""
        self.cursor += 60
        session = DAY.toordinal()
        bar = Bar(close, close, close, close, 1000.0, NAN, session, 45, 300, self.cursor)
        self.recorder.record(self.engine.step(self.cursor, [(0, bar), (1, bar)]))
        for price in self.room.prices:
            price.last, price.came = Decimal(str(close)), time.monotonic()
        self.recorder.save(self.cursor)

    def buy(self, quantity=10, lane=0, price=100.0):
        """Let the desk decide on an entry, as a strategy would have it, and send it."""
        bar = Bar(price, price, price, price, 1000.0, NAN, DAY.toordinal(), 45, 300, self.cursor)
        self.recorder.said[lane] = "because the story says so"
        engine = self.engine
        core.order(
            bar, ENTRY, 1, quantity, price, 0, engine.L[lane], engine.K[lane], engine.A, engine.N, engine.ev
        )  # fmt: skip
        self.recorder.instantly(self.cursor, engine._drain())
        self.room.dispatch()
        return Order.objects.latest("id")

    def hold(self, quantity=10, price="100.00"):
        """Let the desk hold shares."""
        order = self.buy(quantity)
        self.until(lambda: self.venue.book)
        self.venue.fill(self.venue.newest(), quantity, price)
        self.until(lambda: self.held() == quantity)
        return order

    def held(self, lane=0):
        """Return how many shares a lane holds."""
        return self.engine.K[lane][SIDE] * self.engine.K[lane][QTY]

    def until(self, done, seconds=5.0):
        """Pump until ``done()``, looking at every order at once instead of when it is due."""
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, f"it never came to that: {[str(o.status) for o in Order.objects.all()]}"
            self.pump()

    def pump(self):
        for live in self.room.live.values():
            live.due = 0.0
        self.room.pump()
        self.book.tend()
        time.sleep(0.002)

    def read_book(self, times=1):
        """Let the whole book be read."""
        for _ in range(times):
            before = len(self.venue.verbs("orders"))
            self.book._due = self.book._begun = 0.0
            self.until(lambda before=before: len(self.venue.verbs("orders")) > before and not self.book._busy)

    def again(self):
        """Return the desk as a new process finds it."""
        self.room.pool.close()
        return Desk(self.venue, EngineRun.objects.get(pk=self.run.pk))

    def close(self):
        self.room.close()
