"""Markets searched through the real desk: a random walk pays nobody, a planted one pays the planted configuration."""

import numpy as np

from models_ml.core import overfitting
from models_ml.core.desk_markets import PLANTED, market, searched

FEW = [PLANTED, PLANTED._replace(ema=80, rsi=20), PLANTED._replace(rsi_entry=40.0), PLANTED._replace(ema=20, rsi=9)]


def test_a_planted_market_pays_the_planted_configuration_and_a_random_walk_pays_nobody():
    planted = searched(market(500, 6.0, 11), FEW, compiled=False)
    noise = searched(market(500, 0.0, 11), FEW, compiled=False)
    found = [overfitting.annual(each) for each in overfitting.sharpes(planted)]
    assert found[0] == max(found)
    assert found[0] > 3.0
    assert max(abs(overfitting.annual(each)) for each in overfitting.sharpes(noise)) < 2.5
    assert planted.shape == noise.shape == (500, 4)


def test_a_market_is_the_same_for_the_same_seed_and_every_close_is_the_next_open():
    one, two = market(60, 3.0, 5), market(60, 3.0, 5)
    assert np.array_equal(one.close, two.close)
    for start, stop in zip(one.starts, one.stops, strict=True):
        assert np.array_equal(one.close[start : stop - 1], one.open[start + 1 : stop])
    assert (one.low <= np.minimum(one.open, one.close)).all()
    assert (one.high >= np.maximum(one.open, one.close)).all()
