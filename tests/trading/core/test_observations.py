"""What a model sees has no scale: a split changes none of it, and an unknown number stays unknown."""

import math

import numpy as np
import pytest

from tests.trading.core.test_features import bars, rows
from trading.core.features import Features
from trading.core.observations import FULL, NAMES, OBSERVATIONS, observe

WARM = 60


def seen(some):
    return np.array([observe(bar, f) for bar, f in zip(some, rows(some), strict=True)])


def test_a_model_sees_every_observation_once_in_one_order():
    some = bars(3, unknown=(100,))
    table = seen(some)
    assert table.shape == (300, len(NAMES))
    assert len(set(NAMES)) == len(NAMES)
    last = rows(some)[-1]
    assert table[-1].tolist() == pytest.approx([look(some[-1], last) for look in OBSERVATIONS.values()], nan_ok=True)
    known = table[WARM:, [name not in ("sentiment", "volume_ratio", "over_vwap") for name in NAMES]]
    assert np.isfinite(known).all()
    assert np.isnan(table[0, NAMES.index("over_ema")])
    assert np.isnan(table[100, NAMES.index("volume_ratio")])
    assert set(Features._fields) == FULL


def test_prices_before_a_split_look_as_they_would_look_after_it():
    some = bars(5)
    split = [
        bar._replace(open=bar.open / 5, high=bar.high / 5, low=bar.low / 5, close=bar.close / 5, volume=bar.volume * 5)
        for bar in some
    ]
    np.testing.assert_allclose(seen(split)[WARM:], seen(some)[WARM:], rtol=2e-3, atol=2e-5)  # prices are kept to 1e-4


def test_observations_stay_where_their_names_say():
    table = seen(bars(7))[WARM:]
    for name in ("close_place", "rsi"):
        column = table[:, NAMES.index(name)]
        assert (np.abs(column) <= 1.0).all()
    assert (table[:, NAMES.index("atr_share")] > 0.0).all()


def test_a_flat_bar_and_a_missing_price_have_a_place_too():
    f = rows(bars(1))[-1]
    bar = bars(1)[-1]._replace(open=100.0, high=100.0, low=100.0, close=100.0)
    look = OBSERVATIONS
    assert look["close_place"](bar, f) == 0.0
    assert look["range"](bar, f) == 0.0
    assert look["body"](bar, f) == 0.0
    assert math.isnan(look["gap"](bar, f._replace(close_before=math.nan)))
    assert math.isnan(look["bollinger_place"](bar, f._replace(bollinger_lower=math.nan)))
