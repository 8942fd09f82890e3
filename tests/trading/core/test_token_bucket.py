"""A ration of requests: never more than the bucket holds, and it fills up again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.errors import Invalid
from trading.core.token_bucket import Level, full, per_minute, take


def test_a_full_bucket_lets_its_limit_through_and_then_none():
    bucket, level = per_minute(3), full(per_minute(3), 100.0)
    for _ in range(3):
        level, wait = take(bucket, level, 100.0)
        assert wait == 0.0
    level, wait = take(bucket, level, 100.0)
    assert (level.tokens, wait) == (0.0, 20.0)


def test_it_fills_up_steadily_and_not_beyond_its_limit():
    bucket = per_minute(60)
    assert take(bucket, Level(0.0, 100.0), 110.0)[0].tokens == pytest.approx(9.0)
    assert take(bucket, Level(0.0, 100.0), 10_000.0)[0].tokens == 59.0


def test_a_clock_put_back_gives_nothing_and_the_bucket_fills_from_there():
    bucket = per_minute(60)
    level, wait = take(bucket, Level(0.5, 1_000.0), 10.0)
    assert (level, wait) == (Level(0.5, 10.0), pytest.approx(0.5))
    assert take(bucket, level, 15.0)[0].tokens == pytest.approx(4.5)


def test_a_limit_below_one_is_refused():
    with pytest.raises(Invalid, match="at least 1"):
        per_minute(0)


@given(limit=st.integers(1, 500), steps=st.lists(st.floats(0.0, 30.0), max_size=60))
def test_no_span_sees_more_than_the_capacity_and_what_flowed_in(limit, steps):
    bucket, now, passed = per_minute(limit), 0.0, 0
    level = full(bucket, now)
    for step in steps:
        now += step
        level, wait = take(bucket, level, now)
        passed += wait == 0.0
        assert 0.0 <= level.tokens <= bucket.capacity
    assert passed <= bucket.capacity + bucket.rate * now + 1e-6


@given(limit=st.integers(1, 500), tokens=st.floats(0.0, 0.99))
def test_after_the_wait_that_is_told_a_request_passes(limit, tokens):
    bucket = per_minute(limit)
    level, wait = take(bucket, Level(tokens, 0.0), 0.0)
    assert wait > 0.0
    assert take(bucket, level, wait + 1e-6)[1] == 0.0
