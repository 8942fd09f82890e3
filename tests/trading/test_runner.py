"""A run is paced, steered, shown, stopped, continued; and what goes wrong is said on the run itself."""

import datetime as dt
import gc
import shutil
import weakref
from typing import ClassVar

import psycopg
import pytest
from django.db import OperationalError, ProgrammingError

from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput, NotAllowed
from tests.trading.bar_files import minutes, write
from tests.trading.desks import LIVELY, NOON, SYMBOLS, TODAY, WEEK, After, begun, driven, plan
from trading.core.rules import Limits
from trading.models import EngineRun, Fill, Halt, Instrument, Lease, Order, Signal, Snapshot, Trade
from trading.services import control, demo_desk, halts, leases, markets, runner, runs

pytestmark = pytest.mark.django_db
SPAN = WEEK[0], WEEK[0] + dt.timedelta(days=1)


class Clock:
    """A clock that moves on by itself and does what was written down for a state of the run."""

    def __init__(self, run, **script):
        self.run, self.at, self.script, self.seen = run, NOON, script, []

    def __call__(self):
        self.at += dt.timedelta(seconds=1)
        row = EngineRun.objects.get(pk=self.run.pk)
        self.seen.append(row)
        for name in list(self.script):
            when, act = self.script[name]
            if when(row, self):
                del self.script[name]
                act(row.pk, by="asha", at=now())
        return self.at


def steer(run, stop=None, **script):
    """Drive a run while an operator follows a script; return the run and the clock."""
    clock = Clock(run, **script)
    ended = runner.run_to_end(run, stop=stop or After(), clock=clock, show=False)
    after = EngineRun.objects.get(pk=run.pk)
    assert after.state == ended
    return after, clock


def past(bars):
    return lambda row, clock: row.bars >= bars


def story(run):
    """Return everything a run did, without its number."""
    fills = Fill.objects.filter(order__run=run).order_by("order__number", "number")
    return [
        list(run.signals.order_by("at", "symbol").values_list("symbol", "at", "direction", "reason", "objections")),
        list(run.orders.order_by("number").values_list("number", "symbol", "side", "quantity", "filled", "status")),
        list(fills.values_list("order__number", "number", "at", "quantity", "price", "charges")),
        list(run.trades.order_by("exit_time", "symbol").values_list("symbol", "net_pnl", "orders")),
        {key: run.numbers[key] for key in "ANLK"},
    ]


# beginning


def test_a_second_beginning_continues_the_first_and_a_fresh_one_does_not():
    run = begun()
    assert begun().pk == run.pk
    anew = runner.begin(plan(), at=NOON, fresh=True)
    assert anew.pk != run.pk
    assert list(EngineRun.objects.filter(name="story", current=True)) == [anew]


def test_a_run_that_is_over_is_not_continued():
    run = begun()
    EngineRun.objects.filter(pk=run.pk).update(state="finished")
    assert begun().pk != run.pk


@pytest.mark.parametrize("state", ["failed", "stopped", "suspended", "running"])
def test_a_run_that_broke_off_is_continued_and_its_stop_forgotten(state):
    run = begun()
    EngineRun.objects.filter(pk=run.pk).update(state=state, stop_requested=True)
    again = begun()
    assert (again.pk, again.stop_requested) == (run.pk, False)


@pytest.mark.parametrize("change", [{"adx_min": 11}, {"span": (WEEK[0], WEEK[0])}, {"strategy": "crossover"}])
def test_another_plan_of_the_same_name_begins_anew(change):
    run = begun()
    assert begun(**change).pk != run.pk


def test_a_plan_can_be_read_back_from_its_run():
    run = begun(max_positions=3)
    wanted, order = runner.plan_of(run)
    assert wanted == plan().wanted
    assert order == runs.Ordered("intraday", {**LIVELY, "max_positions": 3}, 1e6)
    assert runs.setup_of(order, wanted).limits == Limits(
        max_exposure=500_000, daily_loss=5_000, daily_loss_pct=5.0, max_positions=3
    )


def test_two_engines_never_drive_one_run_and_the_second_hears_who_does():
    run = begun()
    held = leases.take("engine:story", "other-host:1")
    with pytest.raises(NotAllowed, match="engine:story is held by other-host:1 until"):
        driven(run)
    assert EngineRun.objects.get(pk=run.pk).state == "starting"
    leases.release(held)
    assert driven(run).state == "finished"


# halted


def test_the_kill_switch_speaks_against_every_entry_and_leaves_every_position_once():
    def kill(pk, by, at):
        halts.engage(halts.KILL, "prices look wrong", at=NOON, by=by, square_off=True)

    run, _ = steer(begun(max_positions=9), kill=(lambda row, clock: row.positions.exists(), kill))
    assert run.trades.filter(exit_reason="operator").exists()
    assert not run.positions.exists()
    since = run.trades.filter(exit_reason="operator").latest("exit_time").exit_time
    later = run.signals.filter(at__gt=since).exclude(direction="FLAT")
    assert later.exists()
    assert all("the kill switch is on" in each.objections for each in later)
    assert not run.orders.filter(purpose="entry", created_at__gt=since).exists()


def test_a_latched_breaker_becomes_a_halt_that_a_second_run_still_obeys():
    run = driven(begun(latched=1, daily_loss=200, span=SPAN))
    halt = Halt.objects.get()
    assert (halt.kind, halt.engaged_by, halt.run_id) == ("breaker", "the desk", run.pk)
    assert "the day's loss of ₹" in halt.reason
    again = driven(begun(name="later", latched=1, daily_loss=200, span=SPAN))
    assert not again.orders.exists()
    assert all("the daily-loss breaker is open" in each.objections for each in again.signals.exclude(direction="FLAT"))


def test_a_released_breaker_lets_entries_through_again_and_counts_from_there():
    def release(pk, by, at):
        halts.release(halts.BREAKER, "looked at it", at=NOON, by=by)

    tripped = (lambda row, clock: Halt.objects.filter(released_at=None).exists(), release)
    run, _ = steer(begun(latched=1, daily_loss=200, span=SPAN), release=tripped)
    first = Halt.objects.earliest("id")
    assert (first.released_by, first.release_reason) == ("asha", "looked at it")
    assert run.orders.filter(purpose="entry").count() > driven(
        begun(name="held", latched=1, daily_loss=200, span=SPAN)
    ).orders.count()  # fmt: skip


# to the end, in one go or in many


def test_a_run_goes_to_its_end_and_says_so():
    run = driven(span=SPAN)
    assert (run.state, run.bars, run.error) == ("finished", 2 * (72 + 75 + 75), "")
    assert run.stopped_at is not None
    assert run.cursor == dt.datetime(2026, 11, 3, 9, 55, tzinfo=dt.UTC)


@pytest.mark.parametrize("every", [7, 40, 99])
def test_stopped_and_continued_over_and_over_it_does_what_one_run_does(every):
    whole, run = driven(begun(name="whole", span=SPAN)), begun(span=SPAN)
    starts = 0
    while run.state != "finished":
        run = driven(run, looks=every)
        starts += 1
        assert run.state in ("suspended", "finished")
    assert starts >= 2
    assert story(run) == story(whole)


def test_minute_bars_continue_as_well_between_recorded_moments():
    told = {"interval": "1minute", "span": SPAN, "symbols": ["DEMOBANK", "DEMOLABS"]}
    whole, run = driven(begun(name="whole", **told)), begun(**told)
    while run.state != "finished":
        run = driven(run, looks=113)
    assert story(run) == story(whole)


def test_swing_is_continued_with_positions_held_over_night():
    told = {
        "interval": "1day",
        "strategy": "swing",
        "allow_short": 1,
        "span": (dt.date(2025, 7, 1), dt.date(2026, 6, 30)),
    }
    whole, run = driven(begun(name="whole", **told)), begun(**told)
    assert whole.trades.count() > 2
    while run.state != "finished":
        run = driven(run, looks=61)
    assert story(run) == story(whole)


# operators


def test_a_held_replay_stands_still_and_goes_on_when_played():
    def rested(row, clock):
        return len([seen for seen in clock.seen if seen.held]) > 20

    run, clock = steer(begun(span=SPAN), hold=(past(60), control.hold), play=(rested, control.play))
    still = {row.bars for row in clock.seen if row.held}
    assert len(still) <= 2
    assert run.state == "finished"


def test_a_stopped_run_keeps_its_state_and_can_be_played_on():
    run, _ = steer(begun(), stop_it=(past(300), control.stop))
    assert run.state == "stopped"
    assert 300 <= run.bars < 320
    control.play(run.pk, by="asha", at=now())
    after = driven(EngineRun.objects.get(pk=run.pk))
    assert story(after) == story(driven(begun(name="whole")))


def test_paused_entries_are_refused_in_the_signals_until_they_are_resumed():
    run, _ = steer(begun(), pause=(past(200), control.pause_entries), on=(past(700), control.resume_entries))
    words = "an operator paused entries"
    refused = [signal.at for signal in run.signals.all() if words in signal.objections]
    assert refused
    entries = run.orders.filter(purpose="entry").values_list("created_at", flat=True)
    assert not [at for at in entries if min(refused) < at < max(refused)]
    assert [at for at in entries if at > max(refused)]


def test_a_signal_to_the_process_suspends():
    run = driven(begun(), looks=50)
    assert run.state == "suspended"
    assert 0 < run.bars < 222


@pytest.mark.parametrize("speed", [60.0, 600.0, 3600.0])
def test_the_pace_is_the_markets_seconds_over_the_speed(speed):
    stop = After()
    run = begun(speed=speed, span=(WEEK[0], WEEK[0]), symbols=["DEMOLABS"])
    runner.run_to_end(run, stop=stop, show=False)
    assert sum(stop.waited) == pytest.approx(75 * 300 / speed, rel=0.01)
    assert max(stop.waited) <= runner.LOOK


def test_nights_pass_at_once():
    stop = After()
    run = begun(speed=3600.0, span=WEEK, symbols=["DEMOLABS"])
    runner.run_to_end(run, stop=stop, show=False)
    assert sum(stop.waited) == pytest.approx(5 * 75 * 300 / 3600.0, rel=0.01)


def test_without_a_speed_it_never_waits():
    stop = After()
    runner.run_to_end(begun(), stop=stop, show=False)
    assert stop.waited == []


def test_a_new_speed_is_taken_up_while_it_runs():
    stop = After()
    faster = (past(74), lambda pk, by, at: control.set_speed(pk, 0, by=by, at=at))
    run, _ = steer(begun(speed=60.0, span=(WEEK[0], WEEK[0]), symbols=["DEMOLABS"]), stop, faster=faster)
    assert run.speed == 0
    assert sum(stop.waited) < 74.5 * 5


# signs of life


def test_it_leaves_a_sign_of_life_while_it_runs_and_while_it_stands_still():
    def rested(row, clock):
        return len([seen for seen in clock.seen if seen.held]) > 20

    _, clock = steer(begun(span=SPAN), hold=(past(60), control.hold), play=(rested, control.play))
    beats = [row.heartbeat_at for row in clock.seen if row.heartbeat_at]
    assert beats == sorted(beats)
    assert len(set(beats)) > 50
    assert len({row.heartbeat_at for row in clock.seen if row.held}) > 5


def test_the_picture_is_published_again_and_again_under_one_epoch():
    run = begun(span=SPAN)
    seen = []

    class Watching(Clock):
        def __call__(self):
            seen.extend(Snapshot.objects.values_list("epoch", "version"))
            return super().__call__()

    runner.run_to_end(run, stop=After(), clock=Watching(run))
    versions = [version for _, version in seen]
    assert versions == sorted(versions)
    assert len(set(versions)) > 20
    assert len({epoch for epoch, _ in seen}) == 1
    last = Snapshot.objects.get(topic="live")
    assert (last.body["run"], last.body["state"]) == (run.pk, "finished")
    assert last.version > max(versions)


def test_a_restarted_engine_publishes_under_a_new_epoch():
    run = begun(span=SPAN)
    runner.run_to_end(run, stop=After(30))
    first = Snapshot.objects.get(topic="live").epoch
    runner.run_to_end(EngineRun.objects.get(pk=run.pk), stop=After(30))
    assert Snapshot.objects.get(topic="live").epoch != first


# what goes wrong


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "bars" / "ACME_5m.csv", minutes(dt.date(2026, 11, 2), dt.date(2026, 11, 6), 5))
    return tmp_path / "bars"


def test_a_run_whose_files_are_gone_is_marked_failed_with_the_reason(folder):
    wanted = markets.want(str(folder), ["ACME"], "5minute", *WEEK, today=TODAY)
    run = runner.begin(runner.Plan("files", "replay", wanted, runs.order("intraday", {}, 1e6)), at=NOON)
    shutil.rmtree(folder)
    with pytest.raises(BadInput.__mro__[1]):
        runner.run_to_end(run, stop=After(), show=False)
    run = EngineRun.objects.get(pk=run.pk)
    assert run.state == "failed"
    assert str(folder) in run.error
    assert run.stopped_at is not None


def test_a_run_that_breaks_half_way_is_marked_failed_and_keeps_what_it_did(monkeypatch):
    run = begun()
    record = runner.recording.Recorder.record

    def breaking(self, step):
        if self.engine.bars > 400:
            raise RuntimeError("the disk is full")
        record(self, step)

    monkeypatch.setattr(runner.recording.Recorder, "record", breaking)
    with pytest.raises(RuntimeError):
        runner.run_to_end(run, stop=After(), show=False)
    run = EngineRun.objects.get(pk=run.pk)
    assert (run.state, run.error) == ("failed", "the disk is full")
    assert 0 < run.bars <= 400
    assert run.orders.exists()


def test_an_engine_whose_run_another_has_taken_over_meanwhile_does_not_mark_it_failed(monkeypatch):
    run = begun()

    def taken(self, step):
        lease = Lease.objects.get(name=f"engine:{run.name}")
        Lease.objects.filter(pk=lease.pk).update(holder="another-host:1:2:3", token=lease.token + 1)
        raise NotAllowed("the lease was lost to another process")

    monkeypatch.setattr(runner.recording.Recorder, "record", taken)
    with pytest.raises(NotAllowed):
        runner.run_to_end(run, stop=After(), show=False)
    run = EngineRun.objects.get(pk=run.pk)
    assert (run.state, run.error) == ("running", "")


# the demo desk


@pytest.fixture
def small_demo(monkeypatch, transactional_db):
    monkeypatch.setattr(demo_desk, "DEMO_SESSIONS", 2)
    monkeypatch.setattr(demo_desk, "DEMO_SPEED", 0.0)
    few = {name: demo_desk.demo.INSTRUMENTS[name] for name in SYMBOLS}
    monkeypatch.setattr(demo_desk.demo, "INSTRUMENTS", few)
    monkeypatch.setattr(demo_desk, "now", lambda: NOON)


def test_the_demo_desk_starts_by_itself_and_goes_on_after_a_restart(small_demo):
    demo_desk.serve(After(100))
    run = EngineRun.objects.get()
    assert (run.name, run.label, run.state, run.mode) == ("demo", "DEMO", "suspended", "replay")
    assert Instrument.objects.filter(is_demo=True).count() == 3
    before = run.bars
    assert before > 0
    demo_desk.serve(After(100))
    run = EngineRun.objects.get()
    assert run.bars > before


def test_the_demo_desk_begins_anew_when_its_market_has_ended(small_demo):
    demo_desk.serve(After(1000))
    states = list(EngineRun.objects.order_by("id").values_list("state", "current"))
    assert states == [("finished", False), ("suspended", True)]


def test_a_demo_desk_an_operator_stopped_waits_until_it_is_played_on(small_demo):
    demo_desk.serve(After(100))
    run = EngineRun.objects.get()
    control.stop(run.pk, by="asha", at=now())
    demo_desk.serve(After(50))
    run = EngineRun.objects.get()
    assert run.state == "stopped"
    bars = run.bars
    demo_desk.serve(After(50))
    assert EngineRun.objects.get().bars == bars
    control.play(run.pk, by="asha", at=now())
    demo_desk.serve(After(50))
    assert EngineRun.objects.get().bars > bars


def test_a_demo_desk_that_fails_says_so_and_tries_again_later(small_demo, monkeypatch):
    def refuse(*_, **__):
        raise BadInput("no market today")

    monkeypatch.setattr(markets, "lanes", refuse)
    stop = After(3)
    demo_desk.serve(stop)
    assert set(EngineRun.objects.values_list("state", "error")) == {("failed", "no market today")}
    assert 5 in stop.waited


def test_the_demo_plan_ends_on_the_last_session_there_is(small_demo):
    sunday = demo_desk.demo_plan(at=NOON - dt.timedelta(days=1))
    assert sunday.wanted.end == dt.date(2026, 11, 20)
    monday = demo_desk.demo_plan(at=NOON)
    assert (monday.wanted.start, monday.wanted.end) == (dt.date(2026, 11, 20), dt.date(2026, 11, 23))
    assert monday.order.params["allow_short"] == 1


def test_nothing_of_one_run_is_seen_in_another():
    first, second = driven(begun(name="a", span=SPAN)), driven(begun(name="b", span=SPAN))
    assert story(first) == story(second)
    assert Signal.objects.count() == 2 * first.signals.count()
    assert Trade.objects.count() == 2 * first.trades.count()
    assert Order.objects.values("key").distinct().count() == Order.objects.count()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_goes_away_is_waited_for_and_the_run_ends_as_if_it_had_stayed():
    class Twice(runner.Runner):
        """A runner whose database goes away in the middle of its first two lives."""

        lives = 0

        def __call__(self):
            type(self).lives += 1
            if self.lives > 2:
                return super().__call__()
            self.stop = After(40 * self.lives)
            super().__call__()
            raise OperationalError("server closed the connection") from psycopg.OperationalError("server closed")

    expected = story(driven(name="undisturbed"))
    run = begun(name="disturbed")
    assert runner.run_to_end(run, stop=After(), show=False, kind=Twice) == "finished"
    after = EngineRun.objects.get(pk=run.pk)
    assert Twice.lives == 3
    assert after.error == ""
    assert story(after) == expected
    assert not Lease.objects.filter(name=f"engine:{run.name}", holder=leases.myself()).exists()


@pytest.mark.django_db(transaction=True)
def test_what_fell_with_the_database_is_out_of_memory_before_the_bars_are_read_again():
    class Twice(runner.Runner):
        """A runner whose database goes away in its first life; the next one looks for what is left of it."""

        lives: ClassVar = []
        left: ClassVar = None

        def __init__(self, *args, **more):
            type(self).left = [each() for each in self.lives]
            super().__init__(*args, **more)
            self.lives.append(weakref.ref(self))

        def __call__(self):
            if len(self.lives) > 1:
                return super().__call__()
            error = OperationalError("server closed the connection")  # held by this frame, as Django's wrapper does
            raise error from psycopg.OperationalError("server closed")

    gc.disable()  # what only the collector would find some day is in memory until then
    try:
        assert runner.run_to_end(begun(name="fallen"), stop=After(), show=False, kind=Twice) == "finished"
    finally:
        gc.enable()
    assert Twice.left == [None]


def test_a_refusal_of_the_database_ends_the_run_and_is_told():
    class Refused(runner.Runner):
        def __call__(self):
            raise ProgrammingError("no such table")

    run = begun(name="refused")
    with pytest.raises(ProgrammingError):
        runner.run_to_end(run, stop=After(), show=False, kind=Refused)
    assert EngineRun.objects.get(pk=run.pk).state == "failed"
