"""News, not an open socket, makes a lane fit for an entry."""

import math

from tests.trading.core.streams import CLOSE, OPEN, at, tick, windows
from trading.core.freshness import Freshness


def watched(lanes=1, limit=30.0, clock=OPEN, mono=0.0):
    one = Freshness([windows()] * lanes, limit)
    one.look(clock, mono)
    return one


def test_a_lane_is_stale_when_nothing_new_came_for_the_limit():
    one = watched()
    assert one.see(0, tick(at(0, 1), received=1.0))
    assert not one.stale(0, 31.0)
    assert one.stale(0, 31.1)
    assert one.blocked(31.1) == {0}


def test_the_same_message_over_and_over_is_no_news():
    one = watched()
    one.see(0, tick(at(0, 1), received=1.0))
    assert not one.see(0, tick(at(0, 1), received=40.0, seq=9))
    assert one.stale(0, 40.0)


def test_a_price_that_stands_still_while_trades_go_on_is_fresh():
    one = watched()
    for second in range(0, 120, 20):
        assert one.see(0, tick(at(0, second), 100.0, second, received=float(second)))
    assert not one.stale(0, 120.0)


def test_other_offers_are_news_and_an_older_trade_is_none():
    one = watched()
    one.see(0, tick(at(0, 5), received=5.0))
    assert one.see(0, tick(at(0, 5), bid=99.9, received=40.0))
    assert not one.see(0, tick(at(0, 4), received=80.0))
    assert one.feed(0, 50.0).age == 10.0


def test_outside_its_session_nothing_is_stale():
    one = watched(clock=OPEN - 60)
    assert not one.stale(0, 1e6)
    assert not one.expected()
    one.look(CLOSE, 1e6)
    assert not one.stale(0, 2e6)


def test_the_night_before_the_open_is_not_held_against_a_lane():
    one = watched(clock=OPEN - 600, mono=0.0)
    one.see(0, tick(OPEN - 400, received=200.0))
    one.look(OPEN, 600.0)
    assert one.expected()
    assert not one.stale(0, 630.0)
    assert one.stale(0, 631.0)


def test_a_lane_never_heard_of_is_blocked_from_the_start():
    assert watched().blocked(1.0) == {0}
    feed = watched().feed(0, 1.0)
    assert feed.age == math.inf
    assert math.isnan(feed.last)


def test_a_lane_silent_while_most_others_trade_is_halted():
    three = watched(3)
    for lane in range(3):
        three.see(lane, tick(at(0, 1), received=1.0))
    for lane in (1, 2):
        three.see(lane, tick(at(1, 35), 100.0, 9, received=95.0))
    assert three.halted(0, 95.0)
    assert three.blocked(95.0) == {0}
    assert three.feed(0, 95.0).halted
    assert not three.halted(1, 95.0)


def test_when_all_are_silent_the_feed_is_to_blame_and_no_halt():
    three = watched(3)
    for lane in range(3):
        three.see(lane, tick(at(0, 1), received=1.0))
    assert not any(three.halted(lane, 500.0) for lane in range(3))
    assert three.blocked(500.0) == {0, 1, 2}


def test_a_price_at_a_limit_of_the_day_is_banded():
    one = watched()
    one.see(0, tick(at(0, 1), 110.0, received=1.0))
    assert one.feed(0, 1.0)[5:7] == (90.0, 110.0)
    assert (one.feed(0, 1.0).band, one.blocked(1.0)) == ("upper", {0})
    one.see(0, tick(at(0, 2), 90.0, 9, received=2.0))
    assert one.feed(0, 2.0).band == "lower"
    one.see(0, tick(at(0, 3), 100.0, 12, received=3.0))
    assert (one.feed(0, 3.0).band, one.blocked(3.0)) == ("", frozenset())


def test_unknown_limits_band_nothing():
    one = watched()
    one.see(0, tick(at(0, 1), lower=math.nan, upper=math.nan, received=1.0))
    assert one.feed(0, 1.0).band == ""
