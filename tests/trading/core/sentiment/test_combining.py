"""Many items make one score: only what was known, each story once, old ones fading, whatever the order."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.errors import Invalid
from trading.core.sentiment import NEUTRAL, Item, combine, decay, distinct, known, shingles

HOUR = 3600.0
NOW = 1_000_000.0
GOOD = shingles("Acme Motors wins a large order from the railways")

moments = st.floats(NOW - 60 * HOUR, NOW + 60 * HOUR)
marks = st.sampled_from(
    [frozenset(), GOOD, shingles("Acme Motors loses a large order from the railways"), shingles("x y")]
)
items = st.builds(Item, moments, moments, st.floats(-1, 1), st.floats(0, 1), st.floats(0.01, 100), marks)
piles = st.lists(items, max_size=12)


def item(value, *, age=0.0, confidence=0.8, weight=1.0, shingles=frozenset(), late=0.0):
    return Item(NOW - age, NOW - age + late, value, confidence, weight, shingles)


def test_without_items_nothing_is_known():
    assert combine([], NOW) == NEUTRAL


def test_one_fresh_item_is_itself():
    assert combine([item(0.6)], NOW) == (0.6, 0.8)


def test_what_was_published_or_fetched_later_was_not_known():
    later = Item(NOW + 1, NOW + 1, -1.0, 1.0)
    fetched_late = item(-1.0, age=HOUR, late=2 * HOUR)
    assert known([later, fetched_late, item(0.5)], NOW) == [item(0.5)]
    assert combine([later, fetched_late, item(0.5)], NOW) == combine([item(0.5)], NOW)


@given(piles, piles, moments)
def test_no_item_of_the_future_ever_changes_a_score(past, more, at):
    future = [each for each in more if max(each.published, each.fetched) > at]
    assert combine([*past, *future], at) == combine(past, at)


@given(piles, st.integers(0, 99))
def test_the_order_of_items_changes_nothing(pile, seed):
    mixed = random.Random(seed).sample(pile, len(pile))
    assert combine(mixed, NOW) == combine(pile, NOW)


@given(piles)
def test_the_score_lies_within_the_items(pile):
    got = combine(pile, NOW)
    assert 0.0 <= got.confidence <= max([each.confidence for each in pile], default=0.0) + 1e-12
    values = [each.value for each in pile] + [0.0]
    assert min(values) - 1e-12 <= got.value <= max(values) + 1e-12


@given(piles, st.integers(2, 5))
def test_a_story_told_many_times_counts_once(pile, times):
    one = item(0.9, age=HOUR, shingles=GOOD)
    again = [one._replace(fetched=one.fetched + k, published=one.published + k) for k in range(1, times)]
    assert combine([one, *again], NOW) == combine([one], NOW)


def test_the_first_to_tell_stands_for_the_story_with_the_widest_reach():
    first, second = item(0.6, age=2 * HOUR, shingles=GOOD), item(0.7, age=HOUR, weight=9.0, shingles=GOOD)
    assert distinct([second, first]) == [first._replace(weight=9.0)]


def test_alike_words_that_say_the_opposite_are_two_stories():
    assert len(distinct([item(0.9, shingles=GOOD), item(-0.9, shingles=GOOD)])) == 2


def test_an_item_counts_half_after_its_half_life_and_not_at_all_beyond_the_horizon():
    assert decay(6 * HOUR) == 0.5
    assert combine([item(0.8, age=6 * HOUR)], NOW) == pytest.approx((0.8, 0.4))
    assert combine([item(0.8, age=49 * HOUR)], NOW) == NEUTRAL
    old, new = item(-1.0, age=6 * HOUR), item(1.0)
    assert combine([old, new], NOW).value == pytest.approx(1 / 3)


@given(st.floats(0, 40 * HOUR), st.floats(0, 40 * HOUR))
def test_confidence_only_fades(one, two):
    younger, older = sorted((one, two))
    assert combine([item(0.5, age=older)], NOW).confidence <= combine([item(0.5, age=younger)], NOW).confidence


def test_the_surer_item_and_the_wider_read_one_count_more():
    assert combine([item(1.0, confidence=0.9), item(-1.0, confidence=0.3)], NOW).value == pytest.approx(0.5)
    assert combine([item(1.0, weight=3.0), item(-1.0)], NOW).value == pytest.approx(0.5)


def test_items_nobody_is_sure_of_say_nothing():
    assert combine([item(1.0, confidence=0.0)], NOW) == NEUTRAL
    assert combine([item(1.0, weight=0.0)], NOW) == NEUTRAL


@pytest.mark.parametrize(("half_life", "horizon"), [(0.0, HOUR), (-1.0, HOUR), (HOUR, 0.0), (math.nan, HOUR)])
def test_a_fading_that_makes_no_sense_is_refused(half_life, horizon):
    with pytest.raises(Invalid, match="must be above 0"):
        combine([item(0.5)], NOW, half_life=half_life, horizon=horizon)
