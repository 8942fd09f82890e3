"""Every scorer stands behind the same function, bounded, repeatable and quick."""

import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.invented import headlines
from trading.core.errors import Invalid
from trading.core.sentiment import LABELS, NEUTRAL, RULES, Model, Scored, score, scorer, scorers
from trading.core.sentiment.grams import grams
from trading.core.sentiment.labelled import label_of
from trading.core.sentiment.linear import Calibration, chances, odds, predict, told
from trading.core.sentiment.reliability import Reliability
from trading.core.sentiment.words import words

MODEL = Model(
    np.random.default_rng(5).normal(0, 1, (1 << 12, 3)).astype(np.float32), (0.1, 0.2, -0.1),
    reliability={"lexicon": Reliability(0.0, 0.0, 2.0, 0.0)}, digest="ab" * 32,
)  # fmt: skip
BUDGET = 0.3e-3  # seconds a headline
WINS = [
    17,
    444,
    739,
    777,
    795,
    1115,
    1230,
    1307,
    1890,
    2069,
    2880,
    2922,
    3642,
    4066,
]  # worked out once: a feature that moved would make every stored model speak of others


@pytest.mark.parametrize("name", scorers())
@given(text=st.text(max_size=200), entity=st.sampled_from(["", "Acme", "Acme|Bolt & Co."]))
def test_any_text_gets_a_value_and_a_chance(name, text, entity):
    by = scorer(name, MODEL)
    value, confidence = got = score(by, text, entity)
    assert -1.0 <= value <= 1.0
    assert 0.0 <= confidence <= 1.0
    assert got.label in LABELS
    assert by(text, entity) == got


def test_a_scorer_may_be_named():
    assert score("lexicon", "Acme surges") == scorer("lexicon")("Acme surges")


def test_an_unknown_name_and_a_model_that_is_missing_are_refused():
    with pytest.raises(Invalid, match="no scorer 'magic': use keyword, keyword_social, lexicon, trained"):
        scorer("magic")
    with pytest.raises(Invalid, match="train_sentiment"):
        score("trained", "Acme surges")


def test_a_version_tells_every_model_apart():
    assert scorer("trained", MODEL).version == "trained-abababababab"
    assert scorer("lexicon", MODEL).version == f"{scorer('lexicon').version}+abababababab"
    assert scorer("keyword", MODEL).version == scorer("keyword").version == "keyword-1"  # the model says nothing of it


def test_a_model_tells_how_far_the_rules_are_to_be_believed():
    assert scorer("lexicon", MODEL)("Acme surges").confidence == pytest.approx(1 / (1 + np.exp(-2)))


def test_the_edge_of_a_label_is_the_gate():
    assert [Scored(value, 0.5).label for value in (-0.31, -0.3, 0.3, 0.31)] == [
        "negative", "neutral", "neutral", "positive",
    ]  # fmt: skip


@given(st.tuples(*[st.floats(-50, 50)] * 3), st.floats(0.1, 5))
def test_chances_add_up_and_the_confidence_is_the_labels_own(odds, factor):
    chance = chances(np.array(odds), Calibration(factor, (0.3, -0.2, 0.0))).tolist()
    assert sum(chance) == pytest.approx(1.0)
    got = told(tuple(chance))
    assert got.value == pytest.approx(chance[2] - chance[0])
    assert got.confidence == chance[LABELS.index(got.label)]


def test_features_are_the_same_in_every_process_and_know_the_subject():
    one, other = (grams(words("Acme Motors wins; Bolt loses", name), 1 << 12).tolist() for name in ("Acme", "Bolt"))
    assert one == sorted(set(one)) != other
    assert grams(["@", "wins"], 1 << 12).tolist() == WINS


def test_one_text_alone_gets_the_chances_it_gets_among_many():
    found = words("Acme Motors wins; Bolt loses", "Bolt")
    log_odds = odds(MODEL.weights, MODEL.bias, grams(found, 1 << 12))
    expected = chances(np.array([log_odds, log_odds]), MODEL.subject)[1]
    assert predict(MODEL, "Acme Motors wins; Bolt loses", "Bolt") == pytest.approx(expected.tolist())


@pytest.mark.parametrize("name", scorers())
@pytest.mark.parametrize("text", ["", "  \n", "12.5 %", "तेजी से बढ़ा", "!!"])
def test_what_can_not_be_read_is_neutral_and_nobody_is_sure_of_it(name, text):
    assert score(scorer(name, MODEL), text, "Acme") == NEUTRAL


def test_chances_of_a_text_without_features_add_up():
    assert sum(predict(MODEL, "")) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("weights", "complaint"),
    [
        (np.zeros((3, 3), np.float32), "a power of two"), (np.zeros((4, 2), np.float32), "a power of two"),
        (np.zeros(4, np.float32), "a power of two"), (np.full((4, 3), np.nan, np.float32), "no number"),
    ],
)  # fmt: skip
def test_weights_that_can_not_be_used_are_refused(weights, complaint):
    with pytest.raises(Invalid, match=complaint):
        Model(weights, (0.0, 0.0, 0.0))


@pytest.mark.skipif(sys.gettrace() is not None, reason="what traces every line takes longer than the line")
@pytest.mark.parametrize("name", scorers())
def test_scoring_a_headline_takes_under_three_tenths_of_a_millisecond(name):
    by, rows = scorer(name, MODEL), headlines(300)
    took = []
    for _ in range(5):
        begun = time.thread_time()
        for title, entity, _ in rows:
            by(title, entity)
        took.append((time.thread_time() - begun) / len(rows))
    assert min(took) < BUDGET


def test_labels_are_read_as_files_write_them():
    assert [label_of(word) for word in ("Positive", " NEG ", "0", "1", "-1", "bullish")] == [
        "positive", "negative", "neutral", "positive", "negative", "positive",
    ]  # fmt: skip
    with pytest.raises(Invalid, match="'2' is not known"):
        label_of("2")


def test_the_registry_is_a_dictionary_of_rules():
    assert set(scorers()) == {*RULES, "trained"}
