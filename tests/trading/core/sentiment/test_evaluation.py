"""The figures of a scorer are those worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.errors import Invalid
from trading.core.sentiment import LABELS
from trading.core.sentiment.evaluation import evaluate
from trading.core.sentiment.reliability import Reliability, fitted

labels = st.sampled_from(LABELS)
cases = st.lists(st.tuples(labels, labels, st.floats(0, 1)), min_size=1, max_size=40)


def test_the_figures_of_a_small_case():
    truth = ["positive", "positive", "negative", "neutral"]
    told = ["positive", "neutral", "negative", "neutral"]
    got = evaluate(truth, told, [0.95, 0.55, 0.95, 0.55])
    assert (got.n, got.accuracy) == (4, 0.75)
    assert got.confusion == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert got.macro_f1 == pytest.approx((1.0 + 2 / 3 + 2 / 3) / 3)
    assert got.labels["neutral"] == (0.5, 1.0, pytest.approx(2 / 3), 1)
    assert [(each.n, each.accuracy) for each in got.bins] == [(2, 0.5), (2, 1.0)]
    assert got.ece == pytest.approx(0.5 * 0.05 + 0.5 * 0.05)


def test_a_label_that_never_occurs_is_left_out_of_the_mean():
    assert evaluate(["positive"] * 3, ["positive"] * 3, [1.0] * 3).macro_f1 == 1.0


@given(cases)
def test_the_figures_agree_with_each_other(case):
    truth, told, confidence = zip(*case, strict=True)
    got = evaluate(truth, told, confidence)
    assert sum(map(sum, got.confusion)) == got.n == sum(each.n for each in got.bins)
    assert 0.0 <= got.macro_f1 <= 1.0
    assert 0.0 <= got.ece <= 1.0
    assert got.accuracy == sum(a == b for a, b in zip(truth, told, strict=True)) / got.n


@given(cases)
def test_macro_f1_and_accuracy_are_those_of_the_usual_library(case):
    from sklearn.metrics import accuracy_score, f1_score

    truth, told, confidence = zip(*case, strict=True)
    got = evaluate(truth, told, confidence)
    assert got.accuracy == pytest.approx(accuracy_score(truth, told))
    assert got.macro_f1 == pytest.approx(f1_score(truth, told, average="macro", zero_division=0))


@pytest.mark.parametrize(("truth", "told", "confidence"), [([], [], []), (["neutral"], [], [0.5])])
def test_nothing_and_half_of_something_are_refused(truth, told, confidence):
    with pytest.raises(Invalid, match="one of each"):
        evaluate(truth, told, confidence)


def test_reliability_learns_how_often_a_strong_word_is_right():
    chance = np.random.default_rng(3)
    strength = chance.uniform(0, 3, 6000)
    neutral = chance.random(6000) < 0.4
    right = chance.random(6000) < np.where(neutral, 0.6, 1 / (1 + np.exp(-(0.2 + 0.9 * strength))))
    got = fitted(right, strength, neutral)
    assert got.confidence(1.0, neutral=True) == pytest.approx(0.6, abs=0.03)
    assert got.confidence(2.0, neutral=False) == pytest.approx(0.88, abs=0.03)


def test_reliability_of_nothing_is_an_even_chance():
    none = np.zeros(0)
    assert fitted(none.astype(bool), none, none.astype(bool)) == (0.0, 0.0, 0.0, 0.0)
    assert Reliability(0.0, 0.0, 0.0, 0.0).confidence(5.0, neutral=False) == 0.5


@given(st.builds(Reliability, *[st.floats(-1e6, 1e6)] * 4), st.floats(0, 1e9), st.booleans())
def test_a_confidence_is_a_chance(line, strength, neutral):
    assert 0.0 <= line.confidence(strength, neutral=neutral) <= 1.0
