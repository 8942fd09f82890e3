"""News may forbid a long and may make it surer; it never touches a short."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.signals import FLAT, LONG, SHORT, STAY, SentimentRule, boosted, suppressed

RULE = SentimentRule()
scores = st.floats(-1, 1) | st.just(math.nan)
sure = st.floats(0, 1)


def test_a_long_is_suppressed_below_the_gate_and_not_at_it():
    assert suppressed(LONG, -0.31, RULE)
    assert not suppressed(LONG, -0.3, RULE)


def test_a_long_grows_surer_above_the_boost_level_but_never_beyond_certain():
    assert boosted(LONG, 0.5, 0.51, RULE) == pytest.approx(0.6)
    assert boosted(LONG, 0.5, 0.5, RULE) == 0.5
    assert boosted(LONG, 0.9, 1.0, RULE) == 1.0


@given(st.sampled_from([SHORT, FLAT, STAY]), sure, scores)
def test_nothing_but_a_long_listens_to_the_news(direction, confidence, score):
    assert not suppressed(direction, score, RULE)
    assert boosted(direction, confidence, score, RULE) == confidence


@given(sure)
def test_no_news_is_neutral(confidence):
    assert not suppressed(LONG, math.nan, RULE)
    assert boosted(LONG, confidence, math.nan, RULE) == confidence


@given(sure, scores)
def test_confidence_stays_between_0_and_1_and_is_never_lowered(confidence, score):
    assert confidence <= boosted(LONG, confidence, score, RULE) <= 1.0
