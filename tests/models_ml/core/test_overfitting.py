"""The statistics of a choice among many, compared with a kept library and with what theory says of noise."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.core import overfitting as ours


def market(seed, days=240, count=12, true=0.0, alike=0.0):
    """Returns of configurations of which the first has a true annual Sharpe ratio of ``true``."""
    rng = np.random.default_rng(seed)
    own, common = rng.standard_normal((days, count)), rng.standard_normal((days, 1))
    matrix = math.sqrt(1.0 - alike) * own + math.sqrt(alike) * common
    matrix[:, 0] += true / math.sqrt(252)
    return matrix * 0.01


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(4))
def test_every_statistic_is_the_kept_librarys(seed):
    import purgedcv

    matrix = market(seed, true=2.0)
    returns, variance = matrix[:, 0], float(ours.sharpes(matrix).var(ddof=1))
    skew, kurtosis = ours.shape(returns)
    assert ours.overfit(matrix, blocks=8).pbo == pytest.approx(
        purgedcv.probability_of_backtest_overfitting(matrix.T, n_splits=8).pbo, abs=1e-12
    )
    assert ours.probabilistic(returns) == pytest.approx(purgedcv.probabilistic_sharpe_ratio(returns, 0.0), abs=2e-3)
    assert ours.deflated(returns, variance, 40) == pytest.approx(
        purgedcv.deflated_sharpe_ratio(returns, 40, variance), abs=5e-3
    )
    assert ours.least_track(returns) == pytest.approx(
        purgedcv.min_track_record_length(ours.sharpe(returns), 0.0, 0.05, skew, kurtosis), abs=1.0
    )


def test_the_expected_maximum_of_noise_is_what_a_simulation_shows():
    rng = np.random.default_rng(3)
    luckiest = rng.standard_normal((4000, 100)).max(axis=1).mean()
    assert ours.expected_maximum(1.0, 100) == pytest.approx(luckiest, abs=0.04)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), more=st.integers(2, 500))
def test_more_tries_never_make_a_result_more_believable(seed, more):
    matrix = market(seed, days=60, count=6, true=3.0)
    variance = float(ours.sharpes(matrix).var(ddof=1))
    few, many = (ours.deflated(matrix[:, 0], variance, n) for n in (more, 2 * more))
    assert many <= few <= ours.probabilistic(matrix[:, 0])
    assert ours.beyond(0.03, 10, 10 * more) > ours.beyond(0.03, 10, 10) == 0.03


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.floats(0.01, 100), order=st.permutations(range(6)))
def test_neither_scale_nor_order_of_the_configurations_matters(seed, factor, order):
    matrix = market(seed, days=60, count=6, true=1.0)
    other = matrix[:, list(order)] * factor
    assert ours.overfit(other).pbo == pytest.approx(ours.overfit(matrix).pbo)
    assert ours.correlation(other) == pytest.approx(ours.correlation(matrix))
    assert ours.reality_check(other, order.index(0), draws=50) == ours.reality_check(matrix, 0, draws=50)


def test_the_minimum_track_record_is_where_the_probability_crosses():
    returns = market(1, days=400, true=3.0)[:, 0]
    least = ours.least_track(returns)
    skew, kurtosis = ours.shape(returns)
    spread = 1 - skew * ours.sharpe(returns) + (kurtosis - 1) / 4 * ours.sharpe(returns) ** 2
    assert ours.NORMAL.cdf(ours.sharpe(returns) * math.sqrt(least - 1) / math.sqrt(spread)) == pytest.approx(0.95)
    assert ours.least_track(-np.abs(returns)) == math.inf


def test_minimum_backtest_lengths_are_those_of_the_paper():
    """Bailey and others (2014): 45 tries reach an annual Sharpe of 1 in five years of noise; ten in two and a half."""
    assert ours.least_years(45) == pytest.approx(5.0, abs=0.3)
    assert ours.least_years(10) == pytest.approx(2.5, abs=0.2)


def test_columns_that_are_alike_count_as_few():
    assert ours.correlation(market(5, days=2000, alike=0.9)) == pytest.approx(0.9, abs=0.03)
    assert ours.correlation(market(5, days=2000)) < 0.02
    assert ours.effective(100, 1.0) == 1.0
    assert ours.effective(100, 0.0) == 100.0


def test_resamples_keep_days_together_and_lose_none_of_the_weight():
    drawn = ours.weights(50, 200, 5.0, np.random.default_rng(1))
    assert np.allclose(drawn.sum(axis=1), 1.0)
    assert np.allclose(drawn.mean(axis=0), 1 / 50, atol=0.012)


def test_what_never_moves_has_no_skill_and_breaks_nothing():
    still = np.zeros((60, 3))
    assert math.isnan(ours.sharpe(still[:, 0]))
    assert ours.sharpes(still).tolist() == [0.0, 0.0, 0.0]
    assert math.isnan(ours.reality_check(still, 0))
    assert math.isnan(ours.overfit(still[:5]).pbo)
    assert ours.correlation(still) == 0.0
