"""The engine's long-lived loop: paced, steered by operators, recorded, shown, and continued after a crash."""

from __future__ import annotations

import datetime as dt
import gc
import math
import threading
import time
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import DatabaseError, transaction

from sensequant.lib import outage
from sensequant.lib.clock import IST, now
from sensequant.lib.errors import BadInput, NotAllowed
from sensequant.lib.logs import get_logger
from trading.core.calendar import Session
from trading.core.rules import Setup
from trading.core.simulation import Schedule
from trading.models.engine import EngineRun
from trading.models.orders import Fill
from trading.services import calendar as calendars
from trading.services import (
    commands,
    desks,
    journal,
    leases,
    live_telemetry,
    measuring,
    recording,
    runs,
    scoring,
    sentiment_refresh,
    shards,
    students,
)
from trading.services.brakes import Brakes
from trading.services.engine import Engine, Latency, Step
from trading.services.following import FollowTape
from trading.services.live import Picture
from trading.services.live_telemetry import LiveTelemetry
from trading.services.run_plans import Plan, plan_of
from trading.services.tapes import Moment, Playable, Tape
from trading.services.tracing import Tracing

LOOK = 0.25  # seconds between looks at the operators' switches, and between pictures
LONGEST_WAIT = 60.0  # market seconds a replay waits between two bars; nights and halts pass at once
log = get_logger("runner")
Clock = Callable[[], dt.datetime]


def begin(plan: Plan, *, at: dt.datetime, fresh: bool = False) -> EngineRun:
    """Return the current run of the plan's name, or a new one when there is none to continue or ``fresh`` is wanted."""
    if plan.mode != "replay" and plan.order.strategy == runs.BOTH:
        raise BadInput(f"both strategies on one account are not for {plan.mode}", fix="--mode replay, or one strategy")
    with transaction.atomic():
        run = EngineRun.objects.filter(name=plan.name, current=True).first()
        same = run is not None and _same(run, plan)
        if run is not None and same and not fresh and run.state != "finished":
            EngineRun.objects.filter(pk=run.pk).update(
                speed=plan.speed, stop_requested=False, plan={**run.plan, "on_stop": plan.on_stop}
            )
            run.refresh_from_db()
            return run
        EngineRun.objects.filter(name=plan.name, current=True).update(current=False)
        if plan.shard is not None:
            shards.forget(plan.shard)
        return EngineRun.objects.create(
            name=plan.name, mode=plan.mode, label=plan.label, source=plan.wanted.source, interval=plan.wanted.interval,
            strategy=plan.order.strategy, plan=plan.as_json(), capital=round(plan.order.capital, 2), speed=plan.speed,
            started_at=at,
        )  # fmt: skip


def _same(run: EngineRun, plan: Plan) -> bool:
    """Say whether a run was asked for the same; one that follows a market goes on from day to day."""
    mine, other = plan.as_json(), {**run.plan, "wanted": dict(run.plan["wanted"])}
    mine["on_stop"] = other["on_stop"] = ""  # may differ from start to start
    if plan.mode != "replay":
        for each in (mine, other):
            each["wanted"] = {**each["wanted"], "start": "", "end": ""}
    return (run.mode, run.strategy, other) == (plan.mode, plan.order.strategy, mine)


class Runner:
    """One run, from where it stands to its end or to ``stop``."""

    def __init__(self, run: EngineRun, *, stop: threading.Event, clock: Clock, show: bool = True) -> None:
        """Load the bars, build the engine, and restore what the run had come to."""
        self.run, self.stop, self.clock, self.show = run, stop, clock, show
        self.own: leases.Held | None = None  # the lease this run is driven under
        self.wall: Clock = clock  # what signs of life are told in; a simulated market's clock is another one
        self.wanted, order = plan_of(run)
        self.looked = self.shown = dt.datetime.min.replace(tzinfo=dt.UTC)
        self.tape = self._open_tape()
        setup = runs.setup_of(order, self.wanted)
        charges = runs.charges_between(order, *self._span())
        self.engine = self._make_engine(order, setup, charges)
        self.cursor = int(run.cursor.timestamp()) if run.cursor else 0
        going_on = recording.restore(run, self.engine, lambda lane: self.tape.bars_of(lane, _day(self.cursor)))
        if not isinstance(self.tape, Tape) and not going_on:
            for lane in range(len(self.tape.specs)):
                self.engine.warm(lane, self.tape.before_today(lane))
        self.standing, self.fallen = students.standing(), False
        self.engine.judges = scoring.council_of(self.engine, at=clock())
        self.recorder = self._make_recorder()
        self.tracing = Tracing(self.recorder)
        self.brakes = Brakes(run, self.engine)
        self.picture = Picture(run, self.engine, self.tape)
        journal.rebuild(run)

    def _open_tape(self) -> Playable:
        if self.run.mode == "dry-run":
            return FollowTape(self.wanted, clock=self.clock, rest=self._rest)
        return desks.tape(plan_of(self.run)[1], self.wanted, at=self.clock())

    def _make_engine(self, order: runs.Ordered, setup: Setup, charges: Schedule) -> Engine:
        halves = runs.setups_of(order, self.wanted)
        return desks.engine(halves, self.tape.specs, capital=order.capital, charges=charges)

    def _make_recorder(self) -> recording.Recorder:
        return recording.Recorder(self.run, self.engine)

    def _span(self) -> tuple[dt.date, dt.date]:
        return _dates(self.tape)

    def __call__(self) -> str:
        """Go on until the bars end (finished), an operator ends the run (stopped) or ``stop`` is set (suspended)."""
        self._become("running")
        seconds = self.engine.setup.minutes * 60
        ended = "finished"
        for day, session, moments in self._days():
            if not self._open(day, session):
                continue
            for ts, rows in moments:
                if ts <= self.cursor:
                    continue
                if not self._wait(ts, seconds):
                    ended = "stopped" if self.run.stop_requested else "suspended"
                    break
                with shards.turn_of(self.run, self.engine):
                    self._take(self.engine.step(ts, rows), seconds)
            if ended != "finished":
                break
        ended = "suspended" if self.stop.is_set() else "stopped" if self.run.stop_requested else ended
        self._wind_up(ended)
        if ended == "finished":
            with shards.turn_of(self.run, self.engine):
                self._take(self.engine.finish(self.cursor), seconds)
        self.recorder.save(self.cursor if self.cursor > 0 else None)
        self.tracing.close(self.wall())
        self._become(ended)
        self._show(force=True)
        return ended

    def _wind_up(self, ended: str) -> None:
        """Do what an engine of this kind does before it ends; recorded markets need nothing."""

    def _days(self) -> Iterator[tuple[int, Session | None, Iterator[Moment]]]:
        calendar = calendars.current()
        segment = self.tape.specs[0].segment
        for day in self.tape.days:
            if day >= _day(self.cursor):
                date = dt.date(1970, 1, 1) + dt.timedelta(days=day)
                yield day, calendar.session(date, segment), self.tape.moments(day)

    def _open(self, day: int, session: Session | None) -> bool:
        """Begin a session; return False when the whole of it is behind the cursor."""
        if isinstance(self.tape, Tape) and self.tape.last(day) <= self.cursor:
            return False
        if _day(self.cursor) != day:
            self.recorder.open_session(self.cursor)
        self.picture.open_session(session, day)
        return True

    def _take(self, step: Step, seconds: int) -> None:
        self.recorder.record(step)
        self.tracing.trace()
        if self.recorder.trades or step.happenings:
            self._journal(step)
        self.cursor = step.ts
        self.picture.moved(step.ts + seconds, happened=bool(step.happenings))
        self._look(at_once=self.brakes.unheard)
        self._show()

    def _journal(self, step: Step) -> None:
        at = {recording.moment(each.ts) for each in step.happenings}  # of a day's bar the day's beginning
        fills = Fill.objects.filter(order__run=self.run, at__in=at).select_related("order").order_by("id")
        journal.append(fills, self.recorder.trades)

    def _wait(self, ts: int, seconds: int) -> bool:
        """Wait until the bar that starts at ``ts`` is due; False when the run should end instead."""
        before = self.cursor if self.cursor > 0 else ts - seconds
        left = min(float(ts - before), max(LONGEST_WAIT, float(seconds)))
        while True:
            if self.stop.is_set() or self.run.stop_requested:
                return False
            if not self.run.held:
                if self.run.speed <= 0.0 or left <= 0.0 or ts < self.run.plan["fast_until"]:
                    return True
                pause = min(LOOK, left / self.run.speed)
                left -= pause * self.run.speed
            else:
                pause = LOOK
            self.stop.wait(pause)
            self._look()
            self._show()

    def _rest(self) -> bool:
        """Wait a moment for news of the market; False when the run should end."""
        self.stop.wait(LOOK)
        if hasattr(self, "picture"):
            self._look()
            self._show()
        return not (self.stop.is_set() or self.run.stop_requested)

    def _look(self, *, at_once: bool = False) -> None:
        """Read the operators' switches and leave a sign of life, a few times a second at most unless ``at_once``."""
        at = self.wall()
        if not at_once and (at - self.looked).total_seconds() < LOOK:
            return
        self.looked = at
        rows = EngineRun.objects.filter(pk=self.run.pk)
        switches = rows.values("speed", "held", "entries_paused", "stop_requested").get()
        for name, value in switches.items():
            setattr(self.run, name, value)
        self.engine.pause(self.run.entries_paused)
        rows.update(heartbeat_at=at)
        if self.own is not None and leases.due(self.own):
            leases.renew(self.own)
        self.brakes.look(at=at)
        commands.obey(self.run, {"cancel-all": self._cancel_all, "square-off": self._leave_all}, at=at)
        self._look_at_students()
        self.tracing.tell(at)
        self._block()
        if self.brakes.leave_now():
            self._leave_all()

    def _look_at_students(self) -> None:
        """Let another student score, or none, from the next bar on, when what is in place has changed."""
        if not settings.DESK.student_model_enabled:
            return
        if (judges := self.engine.judges) is not None and judges.fallen and not self.fallen:
            scoring.tell(judges, at=self.wall())
            self.fallen = True
        if (standing := students.standing()) == self.standing:
            return
        self.standing, self.fallen = standing, False
        self.engine.judges = scoring.council_of(self.engine, at=self.wall())

    def _block(self) -> None:
        """Let what stands outside speak against entries."""
        for lane in range(len(self.engine.specs)):
            self.engine.block(lane, self.brakes.mask)

    def _cancel_all(self) -> None:
        """Take every entry that waits back; what protects positions stays."""
        self.recorder.record(Step(self.cursor, self.engine.take_back(self.cursor)))
        self.picture.happened()

    def _leave_all(self) -> None:
        """Order every position out."""
        self.recorder.record(Step(self.cursor, self.engine.square_off(self.cursor)))
        self.picture.happened()

    def _show(self, *, force: bool = False) -> None:
        at = self.wall()
        if self.show and (force or (at - self.shown).total_seconds() >= LOOK):
            self.shown = at
            self.picture.publish(at=at)

    def _become(self, state: str) -> None:
        at = self.wall()
        self.run.state = state
        gone = None if state == "running" else at
        EngineRun.objects.filter(pk=self.run.pk).update(state=state, heartbeat_at=at, stopped_at=gone)
        log.info("engine state", run=self.run.pk, name=self.run.name, state=state)


def run_to_end(
    run: EngineRun, *, stop: threading.Event, clock: Clock = now, show: bool = True, kind: type[Runner] | None = None,
    telemetry: LiveTelemetry | None = None,
) -> str:  # fmt: skip
    """Drive ``run`` by a runner of ``kind`` until it ends; what went wrong is recorded on the run and raised.

    One engine drives a run at a time: NotAllowed names the process that does already, and nothing is changed.
    A database that goes away is waited for; then the run goes on from its rows, as after a crash.
    """
    me, missing = leases.myself(), outage.Outage("the database", log)
    recovered = -math.inf
    telemetry = telemetry or live_telemetry.by_default(run.mode, clock())
    with sentiment_refresh.beside(run.mode), measuring.beside():
        while True:
            try:
                return _drive(run, me, stop=stop, clock=clock, show=show, kind=kind or Runner, telemetry=telemetry)
            except DatabaseError as error:
                if not outage.is_away(error):
                    raise
                if not outage.wait(missing, error, stop):
                    return "suspended"
                recovered = time.monotonic()
            except NotAllowed:  # a lease this process had before may have to run out
                if time.monotonic() - recovered > leases.TTL + 1.0:
                    raise
                if stop.wait(1.0):
                    return "suspended"
            gc.collect()  # an error and its frames hold each other, and in them the runner that fell with all its bars


def _drive(
    run: EngineRun, me: str, *, stop: threading.Event, clock: Clock, show: bool, kind: type[Runner],
    telemetry: LiveTelemetry | None,
) -> str:  # fmt: skip
    """Drive ``run`` in the name of ``me`` from where its rows stand."""
    run.refresh_from_db()
    lease = leases.take(f"engine:{run.name}", me)
    try:
        runner = kind(run, stop=stop, clock=clock, show=show)
        runner.own = lease
        runner.tracing.telemetry = telemetry
        return runner()
    except Exception as error:
        if not outage.is_away(error) and leases.ours(lease):  # else another process drives it, and what it says counts
            EngineRun.objects.filter(pk=run.pk).update(state="failed", error=str(error), stopped_at=clock())
        raise
    finally:
        leases.give_back(lease)


def _dates(tape: Playable) -> tuple[dt.date, dt.date]:
    """Return the dates of a tape's first and last bars."""
    ends = [int(bars.ts[edge]) for lane in range(len(tape.specs)) if len(bars := tape.bars(lane)) for edge in (0, -1)]
    return recording.moment(min(ends)).astimezone(IST).date(), recording.moment(max(ends)).astimezone(IST).date()


def _day(ts: int) -> int:
    return (ts + 19_800) // 86_400


__all__ = ["BadInput", "Latency", "Plan", "begin", "plan_of", "run_to_end"]
