"""Orders that wait: a swing entry decided at the close is sent at the next open; one of the day never is."""

import datetime as dt

import pytest

from sensequant.lib.clock import IST
from tests.trading.live.desk import Desk
from trading.adapters.breeze.errors import SessionLost
from trading.core.orders import Status
from trading.core.state import HELD

pytestmark = pytest.mark.django_db(transaction=True)
OPEN = dt.datetime(2026, 11, 24, 9, 15, tzinfo=IST)  # stands for the next session's


@pytest.fixture
def desk():
    made = Desk()
    made.continuous = True
    made.room.may_send = lambda lane, exit: made.continuous
    yield made
    made.close()


def overnight(desk):
    rules = desk.engine.setup.rules._replace(intraday=0)
    desk.engine.setup = desk.engine.setup._replace(rules=rules)
    desk.room.opened = lambda lane: OPEN if desk.clock.at.date() >= OPEN.date() else None


def status(order):
    order.refresh_from_db()
    return Status(order.status)


def test_a_swing_entry_decided_at_the_close_waits_for_the_next_open_and_is_sent_once(desk):
    overnight(desk)
    desk.continuous = False
    order = desk.buy()
    for _ in range(5):
        desk.pump()
    assert status(order) == Status.NEW
    desk.clock.at = OPEN + dt.timedelta(seconds=3)
    desk.continuous = True
    desk.until(lambda: status(order) == Status.WORKING)
    assert len(desk.venue.verbs("place")) == 1


def test_it_waits_for_the_mornings_login_too(desk):
    overnight(desk)
    desk.continuous = False
    order = desk.buy()
    desk.no_session = SessionLost("it ended at midnight")
    desk.clock.at, desk.continuous = OPEN + dt.timedelta(seconds=3), True
    for _ in range(5):
        desk.pump()
    assert status(order) == Status.NEW
    desk.no_session = None
    desk.until(lambda: status(order) == Status.WORKING)


def test_when_nobody_logs_in_for_long_its_moment_passes(desk):
    overnight(desk)
    desk.continuous = False
    order = desk.buy()
    desk.clock.at, desk.continuous = OPEN + dt.timedelta(minutes=20), True
    desk.until(lambda: status(order) == Status.CANCELLED)
    assert desk.venue.verbs("place") == []


def test_an_entry_of_the_day_that_could_not_be_sent_is_dropped_and_not_kept_for_tomorrow(desk):
    desk.continuous = False
    order = desk.buy()
    desk.pump()
    assert status(order) == Status.NEW
    desk.clock.at += dt.timedelta(minutes=3)
    desk.until(lambda: status(order) == Status.CANCELLED)
    assert desk.venue.verbs("place") == []


def test_an_exit_waits_as_long_as_the_exchange_takes_none(desk):
    desk.hold()
    desk.continuous = False
    desk.room.guard.leave(0, 6)
    for _ in range(5):
        desk.pump()
    assert len(desk.venue.verbs("place")) == 1
    desk.clock.at, desk.continuous = OPEN + dt.timedelta(hours=1), True
    desk.until(lambda: len(desk.venue.book) == 2)


@pytest.mark.parametrize(("waits", "held"), [(False, 0), (True, 1)], ids=["the same session", "the next open"])
def test_a_session_counts_as_held_from_its_open_on_and_not_when_it_was_entered_in_its_last_minutes(desk, waits, held):
    overnight(desk)
    desk.continuous = not waits
    order = desk.buy()
    if waits:
        desk.clock.at, desk.continuous = OPEN + dt.timedelta(seconds=3), True
    desk.until(lambda: status(order) == Status.WORKING)
    desk.venue.fill(desk.venue.newest(), 10)
    desk.until(lambda: desk.held() == 10)
    assert desk.engine.K[0][HELD] == held
