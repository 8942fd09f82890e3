"""Whoever gets the desk out when its engine is dead: it can cancel and leave, and nothing else.

A live run whose heartbeat stopped while something is held, working or unknown is told of after ``SILENT`` seconds;
after ``DEAD`` seconds, while the market is open, the watchdog takes the engine's lease – a new token, so that the old
engine can send nothing if it wakes up – and squares off by the same order room, with the same rules. An engine that was
stopped and was to leave its positions is told of while the market is open, and left. Neither Celery nor Redis is asked.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import threading
import time
from collections.abc import Sequence
from decimal import Decimal

from django.db import InterfaceError, OperationalError, connections

from sensequant.lib import outage
from sensequant.lib.clock import IST, now
from sensequant.lib.errors import NotAllowed, SenseQuantError
from sensequant.lib.logs import get_logger
from trading.core.orders import OPEN
from trading.core.panel import LaneSpec
from trading.core.ports import OrderDesk, Ticket
from trading.core.state import OPERATOR, SIDE, Happening
from trading.models.broker import Lease
from trading.models.engine import EngineRun
from trading.models.instruments import Instrument
from trading.models.orders import Order
from trading.models.positions import Position
from trading.services import calendar as calendars
from trading.services import conditions, instruments, leases, live_runner, recording, runner, runs, sessions
from trading.services.broker_log import BrokerLog
from trading.services.live_engine import LiveEngine
from trading.services.live_orders import Name
from trading.services.live_recording import LiveRecorder
from trading.services.market_clock import MarketClock
from trading.services.order_book import BookReader
from trading.services.order_room import OrderRoom

SILENT, DEAD = 15.0, 60.0  # seconds without a heartbeat
LOOK = 2.0  # seconds between looks
PUMP = 0.1
CODE = "engine-silent"
log = get_logger("watchdog")


def exposed(run: EngineRun) -> bool:
    """Say whether anything of a run is held, working or unknown."""
    return (
        Position.objects.filter(run=run).exists() or Order.objects.filter(run=run, status__in=[*OPEN]).exists()
    )  # fmt: skip


def left(run: EngineRun) -> bool:
    """Say whether a run was ended by somebody and was to leave what it held."""
    wanted, order = runner.plan_of(run)
    return run.state in ("suspended", "stopped") and live_runner.wish(run, runs.setup_of(order, wanted)) == "leave"


def market_open(at: dt.datetime) -> bool:
    """Say whether shares trade at ``at`` (aware)."""
    session = calendars.current().session(at.astimezone(IST).date())
    return session is not None and session.open <= at < session.close


class ExitsOnly:
    """An order desk that places nothing but exits of what is held; everything else is handed on."""

    def __init__(self, desk: OrderDesk) -> None:
        """Stand before ``desk``."""
        self._desk = desk
        self.capabilities = desk.capabilities
        self.cancel, self.modify, self.order = desk.cancel, desk.modify, desk.order
        self.orders, self.deals, self.quote, self.history = desk.orders, desk.deals, desk.quote, desk.history

    def place(self, ticket: Ticket, *, deadline: float, exit: bool) -> str:
        """Send an exit; NotAllowed for anything that would open a position."""
        if not exit or ticket.side != "SELL":
            raise NotAllowed(f"the watchdog sends no {ticket.side} orders", fix="it only gets the desk out")
        return self._desk.place(ticket, deadline=deadline, exit=True)


class Rescue:
    """Gets one run out: cancels what works, leaves what is held, and goes on until the broker's book says flat."""

    def __init__(self, run: EngineRun, *, clock: MarketClock) -> None:
        """Take the lease of the run's engine; NotAllowed while that is alive and well."""
        self.run, self.clock = run, clock
        self.lease = leases.take(live_runner.STREAM, leases.myself())
        self.messages = BrokerLog()
        wanted, order = runner.plan_of(run)
        day = clock().astimezone(IST).date()
        names = self._names(sorted(wanted.symbols), day)
        setup = runs.setup_of(order, wanted)
        specs = [LaneSpec(name.symbol, float(name.tick), 1) for name in names]
        charges = runs.charges_between(order, day, day)
        self.engine = LiveEngine(order.strategy, setup, specs, capital=order.capital, charges=charges)
        recording.restore(run, self.engine, lambda lane: [])
        self.recorder = LiveRecorder(run, self.engine)
        self.room = OrderRoom(
            self.engine, self.recorder, names, clock=clock, broker=self._broker, take=self._take, patience=0.0
        )
        self.room.lease = self.lease
        self.book = BookReader(self.room)
        self._desk: OrderDesk | None = None
        self._version = -1

    @property
    def flat(self) -> bool:
        """Say whether nothing is held, working or unknown any more, by a reading of the book."""
        held = any(ints[SIDE] != 0 for ints in self.engine.K)
        return not held and not self.room.live and self.book.reconciled

    def step(self) -> None:
        """Do what is due."""
        if leases.due(self.lease):
            leases.renew(self.lease)
        for live in self.room.live.values():
            if not live.exit and live.order.broker_order_id and not live.cancelling and not live.busy:
                self.room.cancel(live)
        for lane in range(len(self.engine.specs)):
            if lane not in self.room.guard.again:
                self.room.guard.leave(lane, OPERATOR)
        self.room.pump()
        self.book.tend()
        self.messages.flush(at=now())

    def close(self) -> None:
        """Keep what is still to be kept and give the lease back."""
        self.room.close()
        self.messages.flush(at=now())
        leases.release(self.lease)

    def _broker(self) -> OrderDesk:
        if self._desk is None or self._version != sessions.version(at=self.clock()):
            desk, self._version = sessions.desk(clock=self.clock, on_message=self.messages.hear)
            self._desk = ExitsOnly(desk)
        return self._desk

    def _take(self, happenings: Sequence[Happening]) -> None:
        cursor = int(self.run.cursor.timestamp()) if self.run.cursor else self.room.now()
        if happenings:
            self.recorder.instantly(cursor, happenings)

    @staticmethod
    def _names(symbols: Sequence[str], day: dt.date) -> list[Name]:
        known = {share.symbol: share for share in Instrument.objects.filter(symbol__in=symbols)}
        return [
            Name(symbol, instruments.resolve(symbol, on=day).isec_code, Decimal(known[symbol].tick))
            for symbol in symbols
        ]


class Watchdog:
    """Looks at every live run and rescues those whose engine is dead."""

    def __init__(self, *, clock: MarketClock, silent: float = SILENT, dead: float = DEAD) -> None:
        """Tell after ``silent`` seconds without a heartbeat, act after ``dead``."""
        self.clock, self.silent, self.dead = clock, silent, dead
        self.missing = outage.Outage("the database", log)

    def watch(self, stop: threading.Event, *, once: bool = False) -> None:
        """Look until ``stop`` is set, or once."""
        while not stop.is_set():
            try:
                self.look(stop)
                self.missing.back()
            except (OperationalError, InterfaceError) as error:
                self.missing.away(error)
                if not outage.is_away(error):
                    self._free()
            except Exception:
                log.exception("the watchdog goes on")  # whatever it is: it is the last one who watches
            connections.close_all()
            if once:
                return
            stop.wait(LOOK)

    def _free(self) -> None:
        """End the engine's process when it is dead by its heartbeat, on this machine, and sits on the database.

        A process that was stopped in the middle of a transaction on SQLite would otherwise lock everybody out.
        """
        lease = Lease.objects.filter(name=live_runner.STREAM).first()
        runs = EngineRun.objects.filter(mode="live", current=True, state="running")
        ages = [(now() - run.heartbeat_at).total_seconds() for run in runs if run.heartbeat_at]
        if lease is None or not ages or min(ages) <= self.dead:
            return
        if (pid := leases.process_of(lease.holder)) is not None:
            log.error("the watchdog ends the dead engine's process", pid=pid, holder=lease.holder)
            os.kill(pid, signal.SIGKILL)

    def look(self, stop: threading.Event) -> None:
        """Look at every live run once."""
        for run in EngineRun.objects.filter(mode="live", current=True).exclude(state="finished"):
            beat = run.heartbeat_at or run.started_at
            age, trading = (now() - beat).total_seconds(), market_open(self.clock())
            leave = left(run)
            quiet = age > self.silent and exposed(run) and (trading or not leave)
            conditions.keep(
                quiet, CODE, subject=run.name, level="bad", at=self.clock(),
                message=f"the engine {run.name} has been silent for {age:.0f} s with something held or working",
                fix="start it again" + ("" if leave else "; the watchdog squares off when it stays silent"),
            )  # fmt: skip
            if quiet and not leave and trading and age > self.dead:
                self._rescue(run, stop)

    def _rescue(self, run: EngineRun, stop: threading.Event) -> None:
        try:
            rescue = Rescue(run, clock=self.clock)
        except SenseQuantError as error:
            log.warning("cannot take over", run=run.name, why=str(error))
            return
        log.warning("the watchdog squares off", run=run.name)
        try:
            while not stop.is_set() and not rescue.flat:
                rescue.step()
                time.sleep(PUMP)
        finally:
            rescue.close()
        if rescue.flat:
            EngineRun.objects.filter(pk=run.pk).update(
                state="stopped", stopped_at=now(), error="squared off by the watchdog"
            )
            conditions.clear(CODE, at=self.clock(), subject=run.name)
