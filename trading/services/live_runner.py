"""A run on the broker's stream: on paper (dry-run), or with orders (live), by what it is built with.

A dry run holds a ``BreezeData`` somewhere below and no order room at all; there is nothing in it that could send.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sensequant.lib.clock import IST, now
from sensequant.lib.errors import NotAllowed
from sensequant.lib.logs import get_logger
from trading.core import risk
from trading.core.bars import DAY
from trading.core.ports import OrderDesk
from trading.core.rules import Setup
from trading.core.simulation import Schedule
from trading.core.state import OPERATOR, SIDE, TICK, Happening
from trading.core.ticks import Received, Tick
from trading.models.engine import EngineRun
from trading.services import arming, budgets, egress, journal, leases, release_gate, runner, runs, sessions
from trading.services import calendar as calendars
from trading.services.broker_log import BrokerLog
from trading.services.closing import Closing
from trading.services.daily_tape import DailyTape
from trading.services.engine import Engine, Step
from trading.services.live_engine import LiveEngine
from trading.services.live_market import Followed, follow, notice_of
from trading.services.live_orders import Name
from trading.services.live_recording import LiveRecorder
from trading.services.market_clock import MarketClock
from trading.services.order_book import BookReader
from trading.services.order_room import OrderRoom
from trading.services.reconciling import Reconciler
from trading.services.recording import Recorder
from trading.services.streaming import Hooks, StreamTape

STREAM = "breeze-stream"  # the lease of whoever owns the sockets
LIVE_RULES = {"latched": 1, "square_off": 10}  # a person resets the breaker; ten minutes to leave in, not one
LONGEST_ENTRY = 600.0  # market seconds an entry may stay unfilled, however long its bars are
SHUT = ("closed", "pre_open", "post_close")  # phases in which not even an exit is taken
WIND_UP = 8.0  # seconds an engine that is told to stop takes for its last orders
LATE = 5.0  # seconds (of this machine) a bar may be late beyond its own length before nothing is entered on it
log = get_logger("live")


def wish(run: EngineRun, setup: Setup) -> str:
    """Return what a run does with its positions when it is told to stop: "leave" or "square-off"."""
    return run.plan.get("on_stop") or ("square-off" if setup.rules.intraday else "leave")


class StreamRunner(runner.Runner):
    """One run that follows Breeze and fills on paper."""

    clock: MarketClock
    tape: StreamTape | DailyTape

    def __init__(self, run: EngineRun, *, stop: threading.Event, clock: MarketClock, show: bool = True) -> None:
        """Take the stream's lease, connect, warm up, and restore what the run had come to."""
        self.lease = leases.take(STREAM, leases.myself())
        run.refresh_from_db()  # whoever had the lease before may have written until just now
        self.tended = time.monotonic()
        self.late = 0  # the bit that says the newest bar came too late to act on
        self.masks: list[int] = []
        self.market: Followed | None = None
        try:
            super().__init__(run, stop=stop, clock=clock, show=show)
            self.wall = now
            self.tape.after = self.cursor
            self._ready()
        except BaseException:
            self.close()
            raise

    def __call__(self) -> str:
        """Go on until the market is over for good, an operator ends the run, or ``stop`` is set."""
        try:
            return super().__call__()
        finally:
            self.close()

    def close(self) -> None:
        """Hang up and give the lease back."""
        if self.market is not None:
            self.market.close()
        leases.give_back(self.lease)

    def _open_tape(self) -> StreamTape | DailyTape:
        rules = runs.setup_of(runner.plan_of(self.run)[1], self.wanted).rules
        hooks = Hooks(on_ticks=self._ticked, on_notices=self._noticed)
        live = self.run.mode == "live"
        fresh = not self.run.numbers
        self.market = follow(
            self.wanted, rules, clock=self.clock, rest=self._rest, hooks=hooks, orders=live, warm=fresh
        )  # fmt: skip
        return self.market.tape

    def _span(self) -> tuple[dt.date, dt.date]:
        day = self.clock().astimezone(IST).date()
        return day, day

    def _ready(self) -> None:
        """Do what must be done once the run is restored."""
        self.masks = [0] * len(self.tape.specs)

    def _ticked(self, news: list[tuple[int, Tick]]) -> None:
        """Take news of the lanes in; on paper they matter only in their bars."""

    def _noticed(self, notices: list[Received]) -> None:
        """Take order notifications in; on paper there are none."""

    def _wait(self, ts: int, seconds: int) -> bool:
        """Never wait: a moment is given out when it is settled. Say how late it is, before it is decided on."""
        if self.stop.is_set() or self.run.stop_requested:
            return False
        behind = self.clock().timestamp() - (ts + seconds)
        self.late = risk.BAR_LATE if behind > seconds + LATE * self.clock.speed else 0
        self._block()
        return True

    def _rest(self) -> bool:
        """Tend to everything but the bars; the tape calls it a few times a second, and it does not wait."""
        self._renew()
        if hasattr(self, "picture"):
            self._tend()
            self._look()
            self._show()
        return not (self.stop.is_set() or self.run.stop_requested)

    def _renew(self) -> None:
        """Keep the lease; NotAllowed when another process has it."""
        if leases.due(self.lease):
            leases.renew(self.lease)

    def _tend(self) -> None:
        self._say()

    def _block(self) -> None:
        at, blocked = self.clock(), self.tape.blocked()
        common = self._common() | self.late | self.brakes.mask
        for lane in range(len(self.tape.specs)):
            feed, mask = self.tape.feed(lane), common
            if lane in blocked:
                mask |= risk.HALTED if feed.halted or feed.band else risk.FEED_STALE
            if self.wanted.minutes < DAY and self.tape.phase(lane, at).name != "continuous":
                mask |= risk.NOT_CONTINUOUS
            mask |= self._of_lane(lane)
            self.engine.block(lane, mask)
            self.masks[lane] = mask

    def _common(self) -> int:
        """Return what speaks against every lane's entries."""
        return 0

    def _of_lane(self, lane: int) -> int:
        """Return what else speaks against one lane's entries."""
        return 0

    def _say(self) -> None:
        """Put the state words that only this run knows into its picture."""
        stream, picture = self.tape.venue.stream, self.picture
        ages = {lane: self.tape.feed(lane).age for lane in range(len(self.tape.specs))}
        picture.ages = {lane: round(age, 1) for lane, age in ages.items() if age < 1e6}
        blocked = len(self.tape.blocked())
        told = f"{stream.state}, {len(ages) - blocked} of {len(ages)} fresh"
        level = "ok" if stream.state == "connected" and not blocked else "warn" if blocked < len(ages) else "bad"
        place = "simulator" if self.clock.simulated else "breeze"
        picture.words = {"FEED": (level, told), **self._broker_words(place)}

    def _broker_words(self, place: str) -> dict[str, tuple[str, str]]:
        return {"BROKER": ("ok", f"paper, prices of {place}"), "RATE": _rate()}


class LiveRunner(StreamRunner):
    """One run that follows Breeze and sends its orders there."""

    engine: LiveEngine
    recorder: LiveRecorder

    def _make_engine(self, order: runs.Ordered, setup: Setup, charges: Schedule) -> Engine:
        return LiveEngine(order.strategy, setup, self.tape.specs, capital=order.capital, charges=charges)

    def _make_recorder(self) -> Recorder:
        return LiveRecorder(self.run, self.engine)

    def _ready(self) -> None:
        super()._ready()
        self.messages = BrokerLog()
        self.desk: OrderDesk | None = None
        self.version = -1
        self.differing: frozenset[int] = frozenset()
        assert self.market is not None  # noqa: S101 - the tape was opened
        self.room = OrderRoom(
            self.engine, self.recorder, self._names(), clock=self.clock, broker=self._broker, take=self._happened,
            patience=min(float(self.engine.setup.minutes * 60), LONGEST_ENTRY),
        )  # fmt: skip
        self.room.lease = self.lease
        self.room.may_send, self.room.opened = self._may_send, self._opened
        self.book = BookReader(self.room)
        self.reconciler = Reconciler(self.room, self.book)
        rules = self.engine.setup.rules
        self.closing = Closing(self.room, rules.square_off) if rules.intraday == 1 else None

    def _may_send(self, lane: int, exit: bool) -> bool:
        """Say whether the exchange takes such an order now: entries in continuous trading, exits in an auction too."""
        phase = self.tape.phase(lane, self.clock()).name
        return phase == "continuous" or (exit and phase not in SHUT)

    def _opened(self, lane: int) -> dt.datetime | None:
        """Return when today's session of a lane opened, for a run that holds over night."""
        if self.engine.setup.rules.intraday == 1:
            return None
        session = calendars.current().session(self.clock().astimezone(IST).date(), self.tape.specs[lane].segment)
        return session.open if session else None

    def _names(self) -> Sequence[Name]:
        assert self.market is not None  # noqa: S101 - the tape was opened
        # a run that goes on knows the tick it began with; what is known of it today may only be a guess
        return [
            replace(name, tick=Decimal(str(floats[TICK])))
            for name, floats in zip(self.market.names, self.engine.L, strict=True)
        ]

    def close(self) -> None:
        """Let requests under way end, keep what they came to, hang up and give the lease back."""
        if hasattr(self, "room"):
            self.room.close()
            self.messages.flush(at=now())
        super().close()

    def _wind_up(self, ended: str) -> None:
        """Take waiting entries back, leave what must not stay overnight, see the answers in; within ten seconds."""
        deadline = time.monotonic() + WIND_UP
        wanted = wish(self.run, self.engine.setup)
        leaving = wanted == "square-off" and ended != "finished"
        while time.monotonic() < deadline and self._unsettled(leaving=leaving):
            self._leave_all() if leaving else self._take_back()  # again and again: an entry may fill meanwhile
            self._renew()
            self.tape.pump()
            self._tend()
            self.tape.venue.stream.wait(0.05)
        if left := [name.symbol for lane, name in enumerate(self.room.names) if self.engine.K[lane][SIDE] != 0]:
            log.warning("the engine ends with open positions", symbols=left, on_stop=wanted)

    def _unsettled(self, *, leaving: bool) -> bool:
        waiting = ("new", "sending", "unknown")
        busy = any(live.busy or live.order.status in waiting for live in self.room.live.values())
        held = any(ints[SIDE] != 0 for ints in self.engine.K)
        entries = any(not live.exit for live in self.room.live.values())
        return busy or entries or (leaving and held)

    def _take_back(self) -> None:
        """Want no entry any more: what was not sent is not sent, what works is cancelled."""
        for live in self.room.live.values():
            if not live.exit and not live.unwanted:
                live.unwanted, live.due = True, 0.0

    _cancel_all = _take_back

    def _broker(self) -> OrderDesk:
        """Return the order desk of today's session, made anew when somebody has logged in since."""
        if self.desk is None or self.version != sessions.version(at=self.clock()):
            self.desk, self.version = sessions.desk(clock=self.clock, on_message=self.messages.hear)
        return self.desk

    def _happened(self, happenings: Sequence[Happening]) -> None:
        """Remember what happened between two bars, and show it."""
        if not happenings:
            return
        self.recorder.instantly(self.cursor, happenings)
        self.tracing.trace()
        self._journal(Step(self.cursor, list(happenings)))
        self.picture.happened()

    def _take(self, step: Step, seconds: int) -> None:
        super()._take(step, seconds)
        self.room.dispatch()

    def _journal(self, step: Step) -> None:
        journal.append(self.recorder.booked, self.recorder.trades)
        self.recorder.booked = []

    def _ticked(self, news: list[tuple[int, Tick]]) -> None:
        """Keep every lane's price and circuit, and watch its stop and target."""
        if not hasattr(self, "room"):
            return
        for lane, tick in news:
            self.room.prices[lane].tick(tick)
            self.room.guard.tick(lane, tick.price)

    def _noticed(self, notices: list[Received]) -> None:
        """Look at the orders a notification is about: it is a hint to read, never the truth."""
        if not hasattr(self, "room"):
            return
        for notice in notices:
            if number := notice_of(notice):
                self.messages.heard(number, notice.raw)
                self.room.heard(number)

    def _tend(self) -> None:
        self.room.pump()
        self.book.tend()
        self.reconciler.tend()
        if (lost := self.room.lost) is not None and self.desk is not None:
            sessions.lost(lost.message, at=self.clock(), version=self.version)
            self.desk = None
        if time.monotonic() - self.tended >= 1.0:
            self.tended = time.monotonic()
            self.messages.flush(at=now())
            self.differing = self.reconciler.blocked()
            if self.brakes.leaving:
                self._leave_all()
            if self.closing is not None:
                self.closing.tend()
            super()._tend()

    def _leave_all(self) -> None:
        """Take every entry back and order every position out."""
        self._take_back()
        for lane in range(len(self.engine.specs)):
            if lane not in self.room.guard.again:
                self.room.guard.leave(lane, OPERATOR)

    def _common(self) -> int:
        mask = 0 if self.book.reconciled and self.reconciler.ready else risk.NOT_RECONCILED
        if self.room.lost is not None:
            mask |= risk.NO_BROKER
        if not self.clock.simulated and arming.armed(at=self.clock()) is None:
            mask |= risk.NOT_ARMED
        if _low():
            mask |= risk.BUDGET_LOW
        return mask

    def _of_lane(self, lane: int) -> int:
        return risk.NOT_RECONCILED if lane in self.differing else 0

    def _broker_words(self, place: str) -> dict[str, tuple[str, str]]:
        unknown = sum(live.order.status == "unknown" for live in self.room.live.values())
        if self.room.lost is not None:
            words = ("bad", "no session: log in")
        elif unknown:
            words = ("bad", f"{unknown} orders unknown")
        elif not self.book.reconciled:
            words = ("warn", "reading the book")
        else:
            words = ("ok", place)
        return {"BROKER": words, "RATE": _rate()}


def begin(plan: runner.Plan, *, clock: MarketClock, fresh: bool = False) -> EngineRun:
    """Return the run of a plan that follows Breeze; NotAllowed when it may not trade there.

    With orders, shorts are refused (the API carries none), and money that is real must be armed for today.
    """
    at = clock()
    mine = {**LIVE_RULES, **plan.order.params} if plan.mode == "live" else {"latched": 1, **plan.order.params}
    plan = replace(plan, order=replace(plan.order, params=mine))
    if plan.mode == "live":
        setup = runs.setup_of(plan.order, plan.wanted)
        if setup.rules.allow_short:
            raise NotAllowed("the broker's API cannot carry short positions", fix="leave allow_short at 0")
        if plan.order.params.get("product", "cash") != "cash":
            raise NotAllowed(f"the broker's API carries no product {plan.order.params['product']!r}", fix="use cash")
        if not clock.simulated:
            arming.require(at=at)
            egress.require()
    release_gate.require(plan.name, plan.mode, simulated=clock.simulated, at=at)
    return runner.begin(plan, at=at, fresh=fresh)


def kind_of(run: EngineRun) -> type[StreamRunner]:
    """Return what drives a run that follows Breeze."""
    return LiveRunner if run.mode == "live" else StreamRunner


def _gauge() -> dict[str, Any]:
    return budgets.gauges(at=now())


def _low() -> bool:
    """Say whether so few calls are left that an entry might keep an exit from being sent."""
    return any(each["left"] <= each["reserved"] for name, each in _gauge().items() if name != "orders")


def _rate() -> tuple[str, str]:
    found = _gauge()
    minute, day = found["minute"], found["day"]
    level = "warn" if _low() else "ok"
    return level, f"{minute['left']} this minute, {day['left']:,} today"
