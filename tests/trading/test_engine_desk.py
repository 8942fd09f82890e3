"""The engine as a long-lived task: when it is wanted, when its shift is over, and that one alone has it."""

import dataclasses
import datetime as dt
import threading

import pytest

from sensequant.lib.clock import IST
from trading import tasks
from trading.models import EngineRun
from trading.services import engine_desk, leases

pytestmark = pytest.mark.django_db


class Clock:
    simulated, speed, ended = True, 1.0, False

    def __init__(self, at):
        self.at = at

    def __call__(self):
        return self.at


@pytest.fixture
def wanted(settings):
    """Settings of a desk whose engine a worker runs."""

    def of(**changes):
        settings.DESK = dataclasses.replace(settings.DESK, **{"engine_task": True, "mode": "dry-run", **changes})

    of()
    return of


def at(hour, minute=0, day=23):
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=IST)


@pytest.mark.parametrize(
    ("moment", "there"),
    [(at(8, 44), False), (at(8, 45), True), (at(16, 14), True), (at(16, 15), False), (at(12, day=22), False)],
    ids=["too early", "before the open", "after the close", "evening", "a Sunday"],
)
def test_it_is_wanted_from_half_an_hour_before_a_session_to_three_quarters_after(wanted, moment, there):
    assert engine_desk.wanted_until(Clock(moment)) == (at(16, 15) if there else None)


def test_it_is_not_wanted_where_it_is_switched_off_or_the_desk_only_replays(wanted):
    wanted(engine_task=False)
    assert engine_desk.wanted_until(Clock(at(12))) is None
    wanted(mode="backtest")
    assert engine_desk.wanted_until(Clock(at(12))) is None


def test_a_market_that_is_over_for_good_wants_no_new_engine(wanted):
    clock = Clock(at(15, 31))
    clock.ended = True
    assert engine_desk.wanted_until(clock) is None


def test_a_shift_ends_in_the_evening_or_when_the_worker_is_told_to_stop():
    clock, stop = Clock(at(16)), threading.Event()
    shift = engine_desk.Shift(stop, clock, at(16, 15))
    assert not shift.wait(0)
    clock.at = at(16, 15)
    assert shift.wait(0)
    clock.at = at(16)
    stop.set()
    assert shift.is_set()


def test_a_second_task_finds_the_engine_taken_and_ends(wanted, monkeypatch, caplog):
    wanted(mode="live")
    monkeypatch.setattr(engine_desk, "market_clock", lambda: Clock(at(12)))
    leases.take("engine:engine", "another-host:1:2:3")
    with caplog.at_level("INFO"):
        assert tasks.keep_engine() == "refused"
    (line,) = [record for record in caplog.records if "does not start here" in record.getMessage()]
    assert "another-host:1:2:3" in str(line.context)


def test_without_a_session_at_the_broker_it_is_refused_and_the_run_says_what_to_do(wanted, monkeypatch):
    wanted(mode="live")
    monkeypatch.setattr(engine_desk, "market_clock", lambda: Clock(at(12)))
    assert tasks.keep_engine() == "refused"
    run = EngineRun.objects.get()
    assert run.state == "failed"
    assert "log in" in run.error


def test_outside_the_session_the_task_does_nothing(wanted, monkeypatch):
    monkeypatch.setattr(engine_desk, "market_clock", lambda: Clock(at(20)))
    assert tasks.keep_engine() == "not wanted"
    assert not EngineRun.objects.exists()


def test_a_worker_of_the_engine_rings_at_once_and_no_other_does(wanted, monkeypatch):
    rung = []
    monkeypatch.setattr(tasks.keep_engine, "apply_async", lambda **told: rung.append(told["queue"]))

    def up(*queues):
        consumer = type("Consumer", (), {})()
        consumer.app = type("App", (), {})()
        consumer.app.amqp = type("Amqp", (), {})()
        consumer.app.amqp.queues = type("Queues", (), {"consume_from": dict.fromkeys(queues)})()
        tasks.worker_ready.send(sender=consumer)

    up("celery", "training")
    assert rung == []
    up("engine")
    assert rung == ["engine"]
    wanted(engine_task=False)
    up("engine")
    assert rung == ["engine"]
