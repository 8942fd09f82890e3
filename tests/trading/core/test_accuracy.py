"""Accuracy: the document's formulas and example, and independent libraries that say the same."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sk

from tests.trading.traced import DAY, random_table, table, trace
from trading.core import accuracy
from trading.core.calibration import by_version, calibrate
from trading.core.comparison import compare
from trading.core.traces import LABELS
from trading.core.welch import incomplete_beta, sample, welch

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import empyrical


def near(mine, theirs):
    assert (math.isnan(mine) and math.isnan(theirs)) or mine == pytest.approx(theirs, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_classes_are_counted_as_scikit_learn_counts_them(seed):
    drawn = random_table(seed, 150)
    found = accuracy.measure(drawn)
    actual, said = np.array(LABELS)[drawn.actual], np.array(LABELS)[drawn.predicted]
    assert found.confusion_matrix == sk.confusion_matrix(actual, said, labels=LABELS).tolist()
    near(found.accuracy, sk.accuracy_score(actual, said))
    theirs = sk.precision_recall_fscore_support(actual, said, labels=LABELS, zero_division=np.nan)
    for mine, column in zip((found.precision, found.recall, found.f1_score), theirs, strict=False):
        for label, value in zip(LABELS, column, strict=True):
            near(mine[label], value)


def test_returns_are_measured_as_empyrical_measures_a_thousand_random_series():
    die = np.random.default_rng(7)
    for _ in range(1000):
        r = die.normal(0.0005, 0.02, int(die.integers(2, 40)))
        near(accuracy.sharpe(r), empyrical.sharpe_ratio(r))
        near(accuracy.max_drawdown(r), empyrical.max_drawdown(r))
        near(accuracy.compounded(r), empyrical.cum_returns_final(r))


def test_what_has_no_meaning_is_not_a_number():
    nothing = accuracy.measure(table([]))
    assert nothing.total_trades == 0
    assert all(math.isnan(x) for x in (nothing.sharpe_ratio, nothing.hit_ratio, nothing.max_drawdown, nothing.accuracy))
    only_gains = accuracy.measure(table([trace(1.0), trace(1.0, at=DAY + 60)]))
    assert math.isnan(only_gains.sharpe_ratio)
    assert math.isnan(only_gains.profit_factor)
    assert math.isnan(only_gains.precision["SHORT"])


def test_the_hit_ratio_is_before_charges_and_the_win_rate_after_them():
    found = accuracy.measure(table([trace(0.2, net_return_pct=-0.1), trace(0.9, net_return_pct=0.6, at=DAY + 60)]))
    assert (found.hit_ratio, found.win_rate) == (1.0, 0.5)
    bare = accuracy.measure(table([trace(0.2)]))
    assert bare.hit_ratio == bare.win_rate == 1.0


def test_drawdown_follows_the_order_in_which_positions_were_closed():
    rows = [trace(-10.0, at=DAY), trace(25.0, at=DAY + 9000), trace(-20.0, at=DAY + 18000)]
    assert accuracy.measure(table(rows[::-1])).max_drawdown == pytest.approx(-0.2)


def test_the_documents_example_of_thresholds_is_reproduced():
    assert accuracy.thresholds(1.45, 1.92) == (1.83, 1.56)
    assert accuracy.thresholds(0.625, 0.714, places=4) == (0.6962, 0.5918)


def test_the_composite_scores_weigh_as_the_document_says():
    values = {"sharpe": 1.5, "precision": 0.6, "hit_ratio": 0.5, "win_rate": 0.4}
    assert accuracy.composite(values) == pytest.approx(0.4 * 0.5 + 0.3 * 0.6 + 0.3 * 0.4)
    weights = accuracy.OPTIMISER_WEIGHTS
    assert accuracy.composite(values, weights) == pytest.approx(0.4 * 0.5 + 0.3 * 0.6 + 0.2 * 0.5 + 0.1 * 0.4)
    assert accuracy.composite({**values, "sharpe": 9.0}) == accuracy.composite({**values, "sharpe": 3.0})
    assert accuracy.composite({**values, "sharpe": math.nan, "precision": math.nan}) == pytest.approx(0.12)


def worn(good, then_good):
    """A hundred old traces, so many of them good, and fifty new ones."""
    old = [trace(1.0 if k < good else -1.0, at=DAY + 60 * k) for k in range(100)]
    new = [trace(1.0 if k < then_good else -1.0, at=DAY + 86_400 + 60 * k) for k in range(50)]
    return table(new + old)


def test_a_fall_from_80_to_40_per_cent_is_degradation_and_is_told():
    found = accuracy.rolling(worn(80, 10), window=50)
    assert (found.rolling.total_trades, found.all_time.total_trades) == (50, 150)
    assert found.is_degrading
    assert found.deltas["win_rate"] == pytest.approx(0.2 - 0.6)
    assert found.alerts[:2] == [
        "Precision drop: 20.00% (rolling) vs 60.00% (all-time)",
        "Win rate drop: 20.00% (rolling) vs 60.00% (all-time)",
    ]
    assert found.alerts[2].startswith("Sharpe drop: ")


def test_steady_traces_raise_no_alarm_and_a_drop_of_exactly_the_threshold_does_not_either():
    assert accuracy.rolling(worn(80, 40), window=50).alerts == []
    pairs = {"precision": (0.5, 0.6), "win_rate": (0.5, 0.59), "sharpe": (0.5, 1.0)}
    assert list(accuracy._alerts(pairs, {**accuracy.DROPS, "precision_drop": 0.6 - 0.5})) == []


finite = st.floats(-50, 50, allow_subnormal=False)


@settings(max_examples=60)
@given(st.lists(finite, min_size=3, max_size=30), st.lists(finite, min_size=3, max_size=30))
def test_welchs_test_is_scipys(a, b):
    one, two = np.array(a), np.array(b)
    if one.std() + two.std() < 1e-6:
        return
    mine, theirs = welch(one, two), stats.ttest_ind(one, two, equal_var=False)
    assert mine.t == pytest.approx(theirs.statistic, rel=1e-9, abs=1e-12)
    assert mine.p == pytest.approx(theirs.pvalue, rel=1e-8, abs=1e-14)


@settings(max_examples=60)
@given(st.floats(0.5, 200), st.floats(0.5, 200), st.floats(0, 1))
def test_the_incomplete_beta_function_is_scipys(a, b, x):
    assert incomplete_beta(a, b, x) == pytest.approx(stats.beta.cdf(x, a, b), rel=1e-9, abs=1e-12)


def test_the_minimum_sample_is_the_books():
    assert [sample(d) for d in (0.2, 0.5, 0.8)] == [393, 63, 25]
    assert math.isnan(sample(0.0))


def test_two_strategies_are_compared_by_score_and_by_chance():
    good = table([trace(1.0 + k % 3, at=DAY + 60 * k) for k in range(60)])
    bad = table([trace(-1.0 - k % 3, at=DAY + 60 * k) for k in range(60)])
    found = compare({"intraday": bad, "swing": good})
    assert found.better == "swing"
    assert found.scores["swing"] > found.scores["intraday"]
    assert found.deltas["win_rate_delta"] == 1.0
    assert found.test.significant
    assert found.test.enough
    assert compare({"a": good, "b": good}).better == ""
    assert math.isnan(compare({"a": good, "b": good.take(slice(0, 1))}).test.p)


def test_calibration_is_perfect_when_the_confident_are_as_often_right_as_they_say():
    sure = np.repeat([0.2, 0.8], 100)
    right = np.concatenate([np.arange(100) < 20, np.arange(100) < 80]).astype(float)
    found = calibrate(sure, right)
    assert found.ece == pytest.approx(0.0, abs=1e-12)
    assert found.brier == pytest.approx(sk.brier_score_loss(right, sure))
    assert [(each.low, each.high, each.predictions) for each in found.bins] == [(0.1, 0.2, 100), (0.7, 0.8, 100)]
    assert calibrate(np.full(10, 0.9), np.zeros(10)).ece == pytest.approx(0.9)


def test_every_version_is_calibrated_by_itself_and_noop_is_no_confidence_in_a_direction():
    rows = [trace(1.0, model_version="a", confidence=1.0), trace(-1.0, model_version="b", confidence=1.0)]
    rows.append(trace(0.0, model_version="a")._replace(predicted_direction="NOOP"))
    found = by_version(table(rows))
    assert {name: (each.predictions, each.ece) for name, each in found.items()} == {"a": (1, 0.0), "b": (1, 1.0)}
