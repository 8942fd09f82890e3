"""Measures, calibration and slices agree with the kept libraries, and slices with the clock."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.core import evaluation
from models_ml.core.calibration import softmax, temperature
from models_ml.core.slices import Shares, sessions_of, slices
from trading.core.errors import Invalid

seeds = st.integers(0, 2**32 - 1)


def guesses(seed, rows=80, ties=False):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, rows)
    chances = softmax(rng.normal(size=(rows, 3)) + np.eye(3)[truth])
    return truth, np.round(chances, 1) + 1e-9 if ties else chances


@settings(max_examples=25, deadline=None)
@given(seeds, st.booleans())
def test_the_measures_are_those_of_the_kept_library(seed, ties):
    from sklearn import metrics

    truth, chances = guesses(seed, ties=ties)
    told, found = chances.argmax(axis=1), evaluation.measures(truth, chances)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        macro = metrics.precision_recall_fscore_support(truth, told, labels=[0, 1, 2], average="macro", zero_division=0)
    np.testing.assert_allclose([found[f"{name}_macro"] for name in ("precision", "recall", "f1")], macro[:3])
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(truth, told))
    assert found["confusion_matrix"] == metrics.confusion_matrix(truth, told, labels=[0, 1, 2]).tolist()
    if set(truth) == {0, 1, 2}:
        areas = [metrics.roc_auc_score(truth == place, chances[:, place]) for place in range(3)]
        assert found["auc_macro"] == pytest.approx(np.mean(areas))


def test_the_schema_is_the_documents():
    found = evaluation.measures(*guesses(1))
    assert set(found) >= {
        "accuracy", "precision_macro", "recall_macro", "f1_macro", "auc_macro", "precision_per_class",
        "recall_per_class", "f1_per_class", "confusion_matrix", "class_labels",
    }  # fmt: skip
    assert found["class_labels"] == ["LONG", "SHORT", "NOOP"]
    assert list(found["precision_per_class"]) == ["LONG", "SHORT", "NOOP"]


def test_what_cannot_be_measured_is_none_and_never_a_number():
    truth, chances = np.zeros(5, int), np.full((5, 3), 1 / 3)
    found = evaluation.measures(truth, chances)
    assert (found["auc_macro"], evaluation.directional_auc(np.zeros(5), chances)) == (None, None)
    with pytest.raises(Invalid, match="no rows"):
        evaluation.measures(truth[:0], chances[:0])


def test_labels_become_classes_in_the_documents_order():
    assert evaluation.classes_of(np.array([1, -1, 0], np.int8)).tolist() == [0, 1, 2]


@settings(max_examples=25, deadline=None)
@given(seeds, st.floats(0.3, 4.0))
def test_the_temperature_is_the_kept_librarys(seed, heat):
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(seed)
    x = rng.normal(size=(400, 3))
    truth = (softmax(x / heat).cumsum(axis=1) < rng.random((400, 1))).sum(axis=1)
    weight = rng.random(400) + 0.1
    model = LogisticRegression(C=100.0).fit(x[:100], np.r_[0, 1, 2, truth[3:100]])
    theirs = CalibratedClassifierCV(FrozenEstimator(model), method="temperature")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it regrets that the frozen model itself takes no weights
        theirs.fit(x, truth, sample_weight=weight)
    odds = model.decision_function(x)
    ours = temperature(odds, truth, weight)
    np.testing.assert_allclose(softmax(odds / ours), theirs.predict_proba(x), atol=2e-6)


@settings(deadline=None)
@given(seeds)
def test_a_temperature_keeps_who_is_likeliest_and_makes_the_truth_no_less_likely(seed):
    truth, _ = guesses(seed)
    odds = 4.0 * np.random.default_rng(seed).normal(size=(80, 3))
    heat = temperature(odds, truth, np.ones(80))
    assert (odds.argmax(axis=1) == (odds / heat).argmax(axis=1)).all()
    before, after = (evaluation.log_loss(truth, softmax(odds / each)) for each in (1.0, heat))
    assert after <= before + 1e-12


@settings(deadline=None)
@given(seeds, st.integers(4, 30), st.sampled_from([0.0, 0.1, 0.3]), st.sampled_from([0.0, 0.2]), st.integers(0, 7_200))
def test_no_label_reaches_into_a_later_slice(seed, days, early, calibrate, embargo):
    rng = np.random.default_rng(seed)
    ts = np.sort(
        np.concatenate([d * 86_400 + 13_500 + rng.integers(0, 22_000, rng.integers(1, 6)) for d in range(days)])
    )
    end = ts + rng.integers(1, 200_000, ts.size)
    parts = slices(ts, end, Shares(early, calibrate, 0.25), embargo=embargo)
    order = [part for part in (parts.fit, parts.early, parts.calibrate, parts.test) if part.size]
    for at, part in enumerate(order):
        for later in order[at + 1 :]:
            assert end[part].max() < ts[later].min() - embargo
            assert not set(sessions_of(ts[part])) & set(sessions_of(ts[later]))
    assert parts.test_start is not None
    assert (ts[parts.test] >= parts.test_start).all()


def test_too_few_sessions_are_told_by_their_number():
    ts = np.array([0, 86_400, 172_800])
    with pytest.raises(Invalid, match="3 sessions are too few"):
        slices(ts, ts + 1, Shares(), embargo=0)


@pytest.mark.parametrize("shares", [(-0.1, 0.2, 0.2), (0.1, 1.0, 0.2), (0.5, 0.5, 0.2)])
def test_shares_that_leave_nothing_are_refused(shares):
    with pytest.raises(Invalid):
        Shares(*shares)
