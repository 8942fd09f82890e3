"""Of noise the gate believes next to nothing, of a planted skill most; fewer days make it more careful."""

from collections import Counter

import numpy as np
import pytest

from models_ml.core import overfitting
from models_ml.core.honesty_markets import Truth, judged, returns
from models_ml.core.verdicts import EVIDENCE

MARKETS = 24


def verdicts(truth):
    return Counter(judged(returns(truth, 40_000 + k), k)[0] for k in range(MARKETS))


def test_noise_is_no_evidence():
    assert verdicts(Truth(days=504, configs=60))[EVIDENCE] <= 1


def test_a_planted_sharpe_of_three_is_found():
    assert verdicts(Truth(days=756, configs=60, sharpe=3.0))[EVIDENCE] >= 0.7 * MARKETS


def test_on_half_a_year_not_even_a_true_skill_can_be_told_from_luck():
    assert verdicts(Truth(days=120, configs=60, sharpe=2.0))[EVIDENCE] <= 0.3 * MARKETS


def test_a_market_is_what_it_says():
    matrix = returns(Truth(days=20_000, configs=5, alike=0.5, sharpe=3.0), 1)
    assert overfitting.annual(overfitting.sharpe(matrix[:, 0])) == pytest.approx(3.0, abs=0.4)
    assert overfitting.correlation(matrix) == pytest.approx(0.5, abs=0.05)
    assert np.array_equal(returns(Truth(), 3), returns(Truth(), 3))
    assert not np.array_equal(returns(Truth(), 3), returns(Truth(), 4))
