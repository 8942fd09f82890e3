"""The watchdog: it gets the desk out when its engine is dead, and leaves alone what somebody wanted left."""

import datetime as dt
import threading

import pytest

from sensequant.lib.clock import now
from sensequant.lib.errors import NotAllowed
from tests.trading import masters
from tests.trading.live.desk import Desk
from trading.core.ports import Ticket
from trading.models import Condition, EngineRun, Order, Position
from trading.models.broker import Lease
from trading.services import instruments, leases, live_runner, markets, runner, runs, watchdog

pytestmark = [pytest.mark.django_db(transaction=True)]
STOP = {"stop_loss": 0.02, "take_profit": 0.04, "max_exposure": 500_000}


def planned(strategy="crossover", on_stop=""):
    day = dt.date(2026, 11, 23)
    wanted = markets.Wanted("breeze", ("RELIANCE", "TCS"), "1minute", day, day)
    return runner.Plan("live", "live", wanted, runs.Ordered(strategy, STOP, 1e6), on_stop=on_stop).as_json()


@pytest.fixture
def desk(monkeypatch):
    """A desk that holds ten shares, and whose engine was not heard of for five minutes."""
    made = Desk()
    instruments.load(masters.archive(*masters.SHARES), at=made.clock(), source="test")
    made.hold()
    silent(made.run, 300)
    EngineRun.objects.filter(pk=made.run.pk).update(plan=planned())
    monkeypatch.setattr(watchdog.sessions, "desk", lambda **_: (made.venue, 1))
    monkeypatch.setattr(watchdog.sessions, "version", lambda **_: 1)
    yield made
    made.close()


def silent(run, seconds, **changes):
    EngineRun.objects.filter(pk=run.pk).update(heartbeat_at=now() - dt.timedelta(seconds=seconds), **changes)


def looked(desk, **patience):
    """Let a watchdog look once, at a broker that fills what it is sent."""
    stop = threading.Event()
    place = desk.venue.place

    def filled(ticket, **told):
        number = place(ticket, **told)
        desk.venue.fill(number, ticket.quantity, "99.90")
        return number

    desk.venue.place = filled
    watchdog.Watchdog(clock=desk.clock, **patience).watch(stop, once=True)


def placed(desk):
    return [ticket.side for _, ticket in desk.venue.verbs("place")]


def test_an_engine_that_died_with_shares_is_squared_off_under_a_new_token_until_the_book_says_flat(desk):
    dead = leases.take(live_runner.STREAM, "another-host:1:2:3", ttl=-1.0)
    looked(desk)
    assert placed(desk) == ["BUY", "SELL"]
    assert not Position.objects.exists()
    assert Order.objects.latest("id").status == "filled"
    run = EngineRun.objects.get(pk=desk.run.pk)
    assert (run.state, run.error) == ("stopped", "squared off by the watchdog")
    assert Lease.objects.get(name=live_runner.STREAM).token > dead.token
    assert Condition.objects.get(code=watchdog.CODE).until is not None
    looked(desk)
    assert placed(desk) == ["BUY", "SELL"]


def test_a_silence_is_told_of_before_anything_is_done(desk):
    silent(desk.run, 30)
    looked(desk)
    assert Condition.objects.get(code=watchdog.CODE).until is None
    assert placed(desk) == ["BUY"]


def test_an_engine_that_is_heard_of_again_is_no_longer_told_of(desk):
    silent(desk.run, 30)
    looked(desk)
    silent(desk.run, 1)
    looked(desk)
    assert Condition.objects.get(code=watchdog.CODE).until is not None


def test_an_engine_with_nothing_at_stake_may_be_silent(desk):
    desk.room.guard.leave(0, 7)
    desk.until(lambda: len(desk.venue.book) == 2)
    desk.venue.fill(desk.venue.newest(), 10)
    desk.until(lambda: desk.held() == 0)
    looked(desk)
    assert not Condition.objects.filter(code=watchdog.CODE).exists()


@pytest.mark.parametrize("state", ["suspended", "stopped"])
def test_shares_an_engine_was_to_leave_are_left_and_told_of_while_the_market_is_open(desk, state):
    silent(desk.run, 300, state=state, plan=planned(on_stop="leave"))
    looked(desk)
    assert placed(desk) == ["BUY"]
    assert Condition.objects.get(code=watchdog.CODE).until is None
    desk.clock.at += dt.timedelta(hours=8)
    looked(desk)
    assert Condition.objects.get(code=watchdog.CODE).until is not None


def test_a_swing_engine_that_was_stopped_leaves_its_shares_without_being_told_to(desk):
    silent(desk.run, 300, state="suspended", strategy="swing", plan=planned("swing"))
    looked(desk)
    assert placed(desk) == ["BUY"]


def test_an_engine_that_was_to_square_off_and_could_not_is_helped(desk):
    silent(desk.run, 300, state="suspended")
    looked(desk)
    assert placed(desk) == ["BUY", "SELL"]


def test_nothing_is_sent_while_the_market_is_closed(desk):
    desk.clock.at += dt.timedelta(hours=8)
    looked(desk)
    assert placed(desk) == ["BUY"]
    assert Condition.objects.get(code=watchdog.CODE).until is None


def test_an_engine_that_still_has_its_lease_is_not_robbed_of_it(desk):
    leases.take(live_runner.STREAM, "another-host:1:2:3")
    looked(desk)
    assert placed(desk) == ["BUY"]


def test_it_places_nothing_but_exits(desk):
    careful = watchdog.ExitsOnly(desk.venue)
    for side, leaving in (("BUY", False), ("SELL", False), ("BUY", True)):
        with pytest.raises(NotAllowed, match="the watchdog sends no"):
            careful.place(Ticket("RELIND", side, 10, 100), deadline=0.0, exit=leaving)
