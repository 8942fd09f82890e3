"""What a model sees has no scale: a split changes none of it, and an unknown number stays unknown."""

import math

import numpy as np
import pytest

from tests.trading.core.test_features import bars, rows
from trading.core.errors import Invalid
from trading.core.observations import NAMES, OBSERVATIONS, made_by, observe, suited
from trading.core.setups import make_setup

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


def test_a_name_means_the_same_number_wherever_it_is_used():
    some = bars(9)
    for bar, f in zip(some[WARM:], rows(some)[WARM:], strict=True):
        told = dict(zip(NAMES, observe(bar, f), strict=True))
        for whole in (bar._asdict(), f._asdict()):
            shared = {name: value for name, value in whole.items() if name in told}
            assert shared == pytest.approx({name: told[name] for name in shared}, abs=0.0, nan_ok=True)


def test_prices_before_a_split_look_as_they_would_look_after_it():
    some = bars(5)
    split = [
        bar._replace(open=bar.open / 5, high=bar.high / 5, low=bar.low / 5, close=bar.close / 5, volume=bar.volume * 5)
        for bar in some
    ]
    np.testing.assert_allclose(seen(split)[WARM:], seen(some)[WARM:], rtol=2e-3, atol=2e-5)  # prices are kept to 1e-4


def test_observations_stay_where_their_names_say():
    table = seen(bars(7))[WARM:]
    assert (np.abs(table[:, NAMES.index("close_place")]) <= 1.0).all()
    assert (np.abs(table[:, NAMES.index("rsi")] - 50.0) <= 50.0).all()
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


def test_what_observations_follow_from_has_a_name_of_its_own():
    plain = make_setup("intraday", 5)
    assert made_by("intraday", plain) == made_by(
        "intraday", make_setup("intraday", 5, {"rsi_low": 40, "stop_loss": 0.1})
    )
    others = [
        made_by("intraday", make_setup("intraday", 5, {"ema": 60})), made_by("intraday", make_setup("intraday", 15)),
        made_by("swing", make_setup("swing", 1440)),
    ]  # fmt: skip
    assert len({made_by("intraday", plain), *others}) == 4


def test_a_strategy_that_keeps_too_few_features_is_named():
    suited("intraday")
    with pytest.raises(Invalid, match="crossover keeps too few features"):
        suited("crossover")
