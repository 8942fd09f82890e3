"""The way out by the clock, for the days on which no bar comes to say so."""

import datetime as dt

import pytest

from sensequant.lib.clock import IST
from tests.trading.live.desk import Desk
from trading.core.state import EXIT_WHY, SQUARE_OFF
from trading.models import Order
from trading.services.closing import Closing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk():
    made = Desk()
    yield made
    made.close()


def at(hour, minute, second=0):
    return dt.datetime(2026, 11, 23, hour, minute, second, tzinfo=IST)


def looked(desk, *moment, minutes=10):
    desk.clock.at = at(*moment)
    Closing(desk.room, minutes).tend()


def placed(desk):
    return [ticket.side for _, ticket in desk.venue.verbs("place")]


def test_a_position_no_bar_squared_off_is_left_by_the_clock_a_minute_after_the_bars_should_have(desk):
    desk.hold()
    looked(desk, 15, 20, 59)
    assert placed(desk) == ["BUY"]
    looked(desk, 15, 21)
    desk.until(lambda: placed(desk) == ["BUY", "SELL"])
    assert desk.engine.K[0][EXIT_WHY] == SQUARE_OFF
    looked(desk, 15, 22)
    assert Order.objects.filter(purpose="exit").count() == 1
    desk.venue.fill(desk.venue.newest(), 10, "99.00")
    desk.until(lambda: desk.held() == 0)


def test_an_entry_that_still_works_is_taken_back(desk):
    desk.room.patience = 600.0
    desk.buy()
    desk.until(lambda: desk.venue.book)
    looked(desk, 15, 21)
    desk.until(lambda: desk.venue.verbs("cancel"))
    desk.until(lambda: not desk.room.live)
    assert desk.held() == 0


def test_a_fast_market_gives_the_bars_a_few_seconds_of_this_machine_but_never_all_the_time(desk):
    desk.hold()
    desk.clock.speed = 50.0
    looked(desk, 15, 24)
    assert placed(desk) == ["BUY"]
    desk.clock.speed = 1_000.0
    looked(desk, 15, 25)
    desk.until(lambda: placed(desk) == ["BUY", "SELL"])


@pytest.mark.parametrize("moment", [(10, 0), (15, 30), (20, 0)])
def test_by_day_and_once_the_market_is_closed_the_clock_says_nothing(desk, moment):
    desk.hold()
    looked(desk, *moment)
    assert placed(desk) == ["BUY"]
