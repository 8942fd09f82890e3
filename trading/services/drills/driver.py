"""The engine of a drill: the real order path over the real client, deciding by a script instead of a strategy.

It does what ``LiveRunner`` does around its bars: takes the lease, restores the run, follows the broker's stream, pumps
the order room and the book reader, looks at the halts. It is a process of its own, to be killed at any moment.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import faulthandler
import json
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connections

from sensequant.lib import broadcast, crash
from sensequant.lib.clock import IST, now
from sensequant.lib.errors import BadInput, NotAllowed, SenseQuantError
from trading.adapters.breeze.errors import SessionLost
from trading.adapters.breeze.line import Terms
from trading.adapters.breeze.stream import Stream
from trading.core import desk as core
from trading.core import risk, ticks
from trading.core.features import Bar
from trading.core.panel import LaneSpec
from trading.core.ports import OrderDesk
from trading.core.setups import make_setup
from trading.core.simulation import schedule
from trading.core.state import ENTRY, HELD, NOTHING, OPERATOR, PEND, SIDE, Happening
from trading.models.engine import EngineRun
from trading.services import guard, leases, order_book, order_room, recording, sessions
from trading.services.brakes import Brakes
from trading.services.broker_log import BrokerLog
from trading.services.drills.children import tell
from trading.services.drills.plans import CAPITAL, MAX_EXPOSURE, PRICE, SHARES, STOP_LOSS, Decision
from trading.services.live_engine import LiveEngine
from trading.services.live_market import notice_of
from trading.services.live_orders import Name
from trading.services.live_recording import LiveRecorder
from trading.services.market_clock import MarketClock

LEASE: Final = "breeze-stream"
TTL: Final = 4.0  # seconds; all times of the drill are a quarter to a tenth of the real ones, in the same proportions
PATIENCE: Final = 1.2  # seconds an entry may stay unfilled
LOST: Final = 3  # exit code: another engine has the lease
MISSED: Final = 0.4  # seconds after which a decision of the script is too old to be made
BAR_EVERY: Final = 0.5
LOOK: Final = 0.1
TICK: Final = Decimal("0.05")
NAN: Final = float("nan")


@dataclass(frozen=True, slots=True)
class Brief:
    """What one engine process is told; ``base`` is the monotonic second its script counts from (0: when it is ready).

    ``clear`` is a file that exists once every fault is over.
    """

    origin: str
    key: str
    secret: str
    codes: tuple[str, ...]
    tokens: tuple[str, ...]
    decisions: tuple[Decision, ...]
    clear: Path
    home: Path
    base: float = 0.0
    crash: str = ""
    number: int = signal.SIGKILL
    skew: float = 0.0
    skew_from: float = 0.0
    redis: str = ""
    waits: float = 0.0  # seconds it goes on asking for the lease
    calls: int = 100_000  # a minute, by the desk's own budget


class Skewed(MarketClock):
    """The market's clock, wrong by some seconds."""

    skew = 0.0

    def __call__(self) -> dt.datetime:
        """Return the wrong moment."""
        return super().__call__() + dt.timedelta(seconds=self.skew)


class Scripted(LiveEngine):
    """The engine with one more way to decide: as the script says."""

    def enter(self, lane: int, ts: int, quantity: int, price: float) -> list[Happening]:
        """Order an entry, unless something speaks against it."""
        mask = risk.objections(quantity * price, quantity, self.A, self.N, self.setup.limits)
        if mask or self.K[lane][PEND] != NOTHING or self.K[lane][SIDE] != 0:
            return []
        bar = self._now(price, ts)
        core.order(bar, ENTRY, 1, quantity, price, 0, self.L[lane], self.K[lane], self.A, self.N, self.ev)
        return self._drain()


def drive(brief: Brief, pipe: int) -> int:
    """Be an engine until SIGTERM comes, the lease is lost, or something kills it; return the exit code."""
    faulthandler.register(signal.SIGUSR1)  # what an engine that does not come to rest is doing
    _settle(brief)
    crash.arm(brief.crash, brief.number)
    try:
        driver = Driver(brief, pipe)
        try:
            driver.run()
        finally:
            driver.close()
    except NotAllowed as error:
        tell(pipe, f"lost {error}")
        return LOST
    return 0


def _settle(brief: Brief) -> None:
    """Shorten what takes minutes in life, in this process only; no rule is changed."""
    settings.DESK = dataclasses.replace(
        settings.DESK, breeze_base_url=brief.origin, breeze_api_key=brief.key,
        breeze_api_secret=brief.secret, breeze_connect_timeout=1.0, breeze_read_timeout=1.0,
        breeze_calls_per_minute=brief.calls, breeze_calls_per_day=100_000, breeze_orders_per_second=10,
        breeze_session_token="",
    )  # fmt: skip
    settings.SENSEQUANT_HOME = brief.home
    order_book.EVERY, order_book.SOON, order_book.GRACE = 2.0, 0.5, 3.2
    order_room.SEND_WITHIN = 1.0
    order_room.LOOK_EVERY, order_room.SOON, order_room.EXIT_PATIENCE = 0.6, 0.15, 0.7
    guard.LONGEST, guard.CANCEL_PATIENCE = 1.0, 0.4
    recording.EQUITY_EVERY = 1
    if brief.redis:
        settings.CHANNEL_LAYERS = {
            "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [brief.redis]}}
        }


class Driver:
    """One engine process."""

    def __init__(self, brief: Brief, pipe: int) -> None:
        """Take the lease, restore the run, and begin to follow the broker."""
        self.brief, self.pipe = brief, pipe
        self.stopping = False
        signal.signal(signal.SIGTERM, self._stop)
        self.lease = self._lease()
        self.renewed = time.monotonic()
        tell(pipe, f"took {self.lease.token}")
        self.clock = Skewed(brief.origin)
        self._wind(brief.base)
        self.run_row = self._run()
        self.names = tuple(Name(symbol, code, TICK) for symbol, code in zip(SHARES, brief.codes, strict=True))
        self.engine = self._engine()
        self.cursor = int(self.run_row.cursor.timestamp()) if self.run_row.cursor else 0
        self.recorder = self._restored()
        self.messages, self.version = BrokerLog(), -1
        self.desk: OrderDesk | None = None
        self.room = order_room.OrderRoom(
            self.engine, self.recorder, self.names, clock=self.clock, broker=self._broker, take=self._take,
            patience=PATIENCE,
        )  # fmt: skip
        self.room.lease = self.lease
        self.book = order_book.BookReader(self.room)
        self.brakes = Brakes(self.run_row, self.engine)
        terms = Terms(delays=(0.1, 0.3), mute=5.0)
        self.stream = Stream(self._wire, brief.tokens, clock=self.clock, terms=terms).start()
        self.base, self.cleared, self.said = brief.base, 0.0, ""
        self.looked = self.barred = self.flushed = self.quiet = 0.0
        self.waiting = [each for each in brief.decisions if not self._over(each)]

    def _restored(self) -> LiveRecorder:
        going_on = recording.restore(self.run_row, self.engine, lambda lane: [])
        recorder = LiveRecorder(self.run_row, self.engine)
        if not going_on:
            recorder.open_session(0)
        return recorder

    def _wind(self, base: float) -> None:
        """Let the clock be wrong from its moment on."""
        wrong = self.brief.skew_from < 0 or (base and time.monotonic() >= base + self.brief.skew_from)
        self.clock.skew = self.brief.skew if wrong else 0.0

    def _over(self, each: Decision) -> bool:
        return bool(self.base) and self.base + each.at < time.monotonic() - MISSED

    def _lease(self) -> leases.Held:
        me, until = leases.myself(), time.monotonic() + self.brief.waits
        while True:
            try:
                return leases.take(LEASE, me, ttl=TTL)
            except NotAllowed:
                if time.monotonic() >= until or self.stopping:
                    raise
            time.sleep(0.05)

    def _run(self) -> EngineRun:
        found = EngineRun.objects.filter(name="drill", current=True).first()
        return found or EngineRun.objects.create(
            name="drill", mode="live", label="SIMULATED", source="breeze", interval="1minute", strategy="crossover",
            plan={}, capital=CAPITAL, state="running", started_at=self.clock(),
        )  # fmt: skip

    def _engine(self) -> Scripted:
        day = self.clock().astimezone(IST).date()
        asked = {"stop_loss": STOP_LOSS, "take_profit": 0.04, "max_exposure": MAX_EXPOSURE, "daily_loss": 0}
        setup = make_setup("crossover", 1, {}, asked)
        specs = [LaneSpec(name.symbol, float(TICK), 1, "equity") for name in self.names]
        charges = schedule("i-secure", "cash", day, day + dt.timedelta(days=1))
        return Scripted("crossover", setup, specs, capital=CAPITAL, charges=charges)

    def _stop(self, *_: Any) -> None:
        self.stopping = True

    def _wire(self) -> Any:
        try:
            return sessions.wire(clock=self.clock)[0]
        finally:
            connections.close_all()

    def _broker(self) -> OrderDesk:
        if self.desk is None or self.version != sessions.version(at=self.clock()):
            self.desk, self.version = sessions.desk(clock=self.clock, on_message=self.messages.hear)
        return self.desk

    def _take(self, happenings: Sequence[Happening]) -> None:
        if happenings:
            self.recorder.instantly(self.cursor, happenings)

    def run(self) -> None:
        """Go on until SIGTERM."""
        while not self.stopping:
            if time.monotonic() - self.renewed >= TTL / 4.0:
                leases.renew(self.lease, ttl=TTL)
                self.renewed = time.monotonic()
            self._wind(self.base)
            self._hear()
            self._look()
            self._bar()
            self._decide()
            self.room.pump()
            self.book.tend()
            self._log_in()
            self._tell()
            self.stream.wait(0.01)

    def close(self) -> None:
        """Let requests under way end, as the engine does when it is stopped, and give the lease back."""
        try:
            self.room.close()
            self.messages.flush(at=now())
        finally:
            self.stream.close()
            leases.release(self.lease)

    def _hear(self) -> None:
        quotes, notices = self.stream.drain()
        lanes = {token: lane for lane, token in enumerate(self.brief.tokens)}
        found = [tick for each in quotes if (tick := ticks.parse(each)) is not None and tick.token in lanes]
        for tick in ticks.in_order(found):
            self.room.prices[lanes[tick.token]].tick(tick)
            self.room.guard.tick(lanes[tick.token], tick.price)
        for notice in notices:
            if number := notice_of(notice):
                self.messages.heard(number, notice.raw)
                self.room.heard(number)

    def _look(self) -> None:
        if time.monotonic() - self.looked < LOOK:
            return
        self.looked = time.monotonic()
        self.brakes.look(at=self.clock())
        if self.brakes.leave_now():
            for lane in range(len(self.names)):
                self.room.guard.leave(lane, OPERATOR)
        if self.brief.redis:
            broadcast.publish("live", {"version": 1})

    def _bar(self) -> None:
        """Let every share have a bar, so that positions are valued and the numbers are written as in life."""
        if time.monotonic() - self.barred < BAR_EVERY:
            return
        self.barred = time.monotonic()
        ts, rows = max(self.room.now() - 60, self.cursor + 1), []
        session = dt.datetime.fromtimestamp(ts, IST).date().toordinal()
        for lane, price in enumerate(self.room.prices):
            last = float(price.last) or PRICE
            rows.append((lane, Bar(last, last, last, last, 1000.0, NAN, session, 45, 300, ts)))
        self.recorder.record(self.engine.step(ts, rows))
        self.cursor = ts
        self.room.dispatch()

    def _decide(self) -> None:
        if not self.base and self.book.reconciled and self.stream.state == "connected":
            self.base = time.monotonic() + 0.1
            tell(self.pipe, f"ready {self.base}")
        while self.base and self.waiting and time.monotonic() >= self.base + self.waiting[0].at:
            each = self.waiting.pop(0)
            if each.verb == "leave":
                self.room.guard.leave(each.lane, OPERATOR)
            elif each.verb == "close" and self.engine.K[each.lane][SIDE]:
                self.engine.K[each.lane][HELD] = 2  # what trades inside the day leaves on the first bar of the next one
            elif each.verb == "enter":
                self._enter(each)

    def _enter(self, each: Decision) -> None:
        if self.brakes.killed or not self.book.reconciled or self.room.lost is not None:
            tell(self.pipe, "blocked")
            return
        price = float(self.room.prices[each.lane].last) or PRICE
        self.recorder.said[each.lane] = "because the drill says so"
        self._take(self.engine.enter(each.lane, self.room.now(), each.quantity, price))
        self.room.dispatch()

    def _log_in(self) -> None:
        """Tell that the session is gone, and log in again as a person would once the broker lets one."""
        if time.monotonic() - self.flushed < 0.2:
            return
        self.flushed = time.monotonic()
        self.messages.flush(at=now())
        lost = self.room.lost
        if lost is None:
            return
        if self.desk is not None:
            sessions.lost(lost.message, at=self.clock(), version=self.version)
            self.desk = None
        try:
            sessions.log_in(sessions.published().get("api_session", ""), at=self.clock(), by="drill")
        except (SessionLost, SenseQuantError, BadInput):
            return

    def _busy(self) -> bool:
        """Say whether anything is open, or the book was not read since all was clear."""
        fresh = self.book.reconciled and self.book.read_at > self.cleared + 0.5
        open_ = self.waiting or self.room.live or self.room.guard.again or self.room.lost is not None
        return bool(open_) or not fresh

    def _tell(self) -> None:
        """Say how things stand when that changes: ``rest`` once nothing is open and a book read since says so."""
        if not self.cleared and self.brief.clear.exists():
            self.cleared = time.monotonic()
        if self._busy():
            self.quiet = time.monotonic()
        if self.cleared and time.monotonic() - self.quiet > BAR_EVERY + 0.2:  # a bar had nothing to add
            word = "rest"
        else:
            stands = sorted(str(live.order.status) for live in self.room.live.values())
            flags = (bool(self.cleared), self.book.reconciled, self.room.lost is None, len(self.waiting))
            word = json.dumps([stands, flags, sorted(self.room.guard.again)])
        if word != self.said:
            self.said = word
            tell(self.pipe, word)
