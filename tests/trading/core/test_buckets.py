"""Call budgets: no window ever sees too many calls, and an exit always finds its share."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.buckets import ENTRY, EXIT, HISTORY, Level, bucket, full, passable, refill, take
from trading.core.errors import Invalid

limits = st.integers(1, 200)
shares = st.floats(0.3, 0.9)
windows = st.sampled_from([1.0, 60.0, 62.0])
bursts = st.floats(0.05, 0.9)
askers = st.sampled_from([EXIT, ENTRY, HISTORY])
calls = st.lists(st.tuples(st.floats(0, 30), askers), min_size=1, max_size=400)


def played(shape, steps, start=1_000_000.0):
    """Play (pause, who) steps; return the moments of the calls that passed, and every level."""
    level, now, passed, levels = full(shape, start), start, [], []
    for pause, who in steps:
        now += pause * shape.window / 60
        level, wait = take(shape, level, now, who=who)
        levels.append(level.tokens)
        if not wait:
            passed.append(now)
    return passed, levels


def emptied(shape, who, level=None):
    """Take without a pause until denied; return how many went, and the level."""
    level, wait, count = level or full(shape, 0.0), 0.0, -1
    while not wait:
        level, wait = take(shape, level, 0.0, who=who)
        count += 1
    return count, level


def busiest(moments, window):
    """The most calls in any closed window of that many seconds."""
    most, first = 0, 0
    for last, moment in enumerate(moments):
        while moment - moments[first] > window:
            first += 1
        most = max(most, last - first + 1)
    return most


@given(limits, windows, shares, bursts, calls)
def test_no_window_wherever_it_begins_sees_more_than_the_limit(limit, window, reserved, at_once, steps):
    passed, _ = played(bucket(limit, window, reserved=reserved, at_once=at_once), steps)
    assert busiest(passed, window) <= limit


@given(limits, windows, shares, bursts)
def test_hammering_without_a_pause_keeps_the_limit(limit, window, reserved, at_once):
    passed, _ = played(bucket(limit, window, reserved=reserved, at_once=at_once), [(0.2, EXIT)] * 600)
    assert busiest(passed, window) <= limit


@given(limits, windows, shares, bursts, calls)
def test_a_bucket_is_never_negative_and_never_over_its_capacity(limit, window, reserved, at_once, steps):
    shape = bucket(limit, window, reserved=reserved, at_once=at_once)
    _, levels = played(shape, steps)
    assert all(0.0 <= tokens <= shape.capacity for tokens in levels)


@given(limits, windows, shares, bursts, calls, st.sampled_from([ENTRY, HISTORY]))
def test_each_leaves_in_the_bucket_what_is_for_others(limit, window, reserved, at_once, steps, who):
    shape = bucket(limit, window, reserved=reserved, at_once=at_once)
    passed, levels = played(shape, [(pause, who) for pause, _ in steps])
    assert min(levels) >= shape.left_by(who) - 1e-6 >= shape.kept - 1e-6
    assert busiest(passed, window) <= max(1, math.floor(limit * (1 - reserved) + 1))


@given(limits, windows, shares, bursts)
def test_after_the_others_have_taken_all_they_may_the_reserve_is_there_at_once(limit, window, reserved, at_once):
    shape = bucket(limit, window, reserved=reserved, at_once=at_once)
    _, level = emptied(shape, HISTORY)
    entries, level = emptied(shape, ENTRY, level)
    exits, _ = emptied(shape, EXIT, level)
    assert entries >= math.floor((shape.capacity - shape.kept) / 2 - 1e-6)
    assert entries + exits >= math.floor(reserved * limit)


@given(limits, windows, shares, bursts, askers)
def test_a_denied_call_passes_after_the_time_it_was_told_and_not_much_before(limit, window, reserved, at_once, who):
    shape = bucket(limit, window, reserved=reserved, at_once=at_once)
    _, level = emptied(shape, who)
    wait = take(shape, level, 0.0, who=who)[1]
    assert take(shape, level, wait + 1e-6, who=who)[1] == 0.0
    assert take(shape, level, wait * 0.9, who=who)[1] > 0.0


def test_a_hundred_calls_a_minute_are_fifty_at_once_of_which_thirty_are_for_exits():
    shape = bucket(100, 60.0, reserved=0.3, at_once=2 / 7)
    assert (shape.capacity, shape.kept) == (50.0, 30.0)
    assert shape.rate == pytest.approx(0.85, abs=1e-3)
    assert (emptied(shape, HISTORY)[0], emptied(shape, ENTRY)[0], emptied(shape, EXIT)[0]) == (10, 20, 50)


@pytest.mark.parametrize("who", [ENTRY, HISTORY, EXIT])
def test_the_smallest_bucket_still_lets_everybody_through(who):
    shape = bucket(1, 1.0, reserved=0.9, at_once=0.5)
    assert take(shape, full(shape, 5.0), 5.0, who=who)[1] == 0.0


def test_a_clock_put_back_gives_no_tokens_and_does_not_stop_the_refill():
    shape = bucket(100, 60.0, reserved=0.3, at_once=2 / 7)
    back = refill(shape, Level(3.0, 10_000.0), 6_400.0)
    assert back == Level(3.0, 6_400.0)
    assert refill(shape, back, 6_410.0).tokens > 11


def test_readings_of_two_threads_that_cross_are_not_counted_twice():
    shape = bucket(100, 60.0, reserved=0.3, at_once=2 / 7)
    assert refill(shape, Level(3.0, 10.0), 9.5) == Level(3.0, 10.0)


def test_a_bucket_that_became_smaller_holds_no_more_than_it_can():
    assert refill(bucket(10, 60.0, reserved=0.3, at_once=0.2), Level(40.0, 5.0), 5.0).tokens == pytest.approx(4.4)


@given(st.integers(1, 5_000), shares)
def test_the_day_keeps_its_share_for_exits_and_something_for_those_who_trade(limit, reserved):
    by = {who: passable(limit, reserved=reserved, who=who) for who in (EXIT, ENTRY, HISTORY)}
    assert by[HISTORY] <= by[ENTRY] <= by[EXIT] == limit
    assert limit - by[ENTRY] >= math.floor(limit * reserved)


@pytest.mark.parametrize(
    ("limit", "window", "reserved", "at_once"),
    [(0, 60.0, 0.3, 0.5), (5, 0.0, 0.3, 0.5), (5, 1.0, 1.0, 0.5), (5, 1.0, -0.1, 0.5), (5, 1.0, 0.3, 1.0)],
)
def test_an_impossible_bucket_is_refused(limit, window, reserved, at_once):
    with pytest.raises(Invalid):
        bucket(limit, window, reserved=reserved, at_once=at_once)
