"""What the engine scores with is LightGBM's own model: equal to its prediction, split by split."""

import lightgbm
import numpy as np
import pytest

from models_ml.core.forests import forest_of
from trading.core.errors import Invalid

QUIET = {"num_threads": 1, "verbose": -1, "deterministic": True, "force_row_wise": True, "seed": 3}


def market(rows=900, features=6, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, features))
    x[:, 1:] = np.where(rng.random((rows, features - 1)) < 0.1, np.nan, x[:, 1:])
    y = np.where(x[:, 0] > 0.7, 0, np.where(np.nan_to_num(x[:, 1]) < -0.5, 1, 2))
    return x, np.where(rng.random(rows) < 0.2, rng.integers(0, 3, rows), y)


def boosted(x, y, rounds=12, **more):
    params = {**QUIET, "objective": "multiclass", "num_class": 3, "num_leaves": 31, **more}
    return lightgbm.train(params, lightgbm.Dataset(x, y), rounds)


@pytest.mark.parametrize("more", [{}, {"max_depth": 3}, {"num_leaves": 64}, {"use_missing": False}, {"max_bin": 15}])
def test_flat_trees_say_what_lightgbm_says(more):
    x, y = market()
    booster = boosted(x, y, **more)
    fresh = market(seed=1)[0]
    fresh[0] = np.nan
    fresh[1] = 0.0
    forest = forest_of(booster.dump_model(), (0.0, 0.0, 0.0))
    np.testing.assert_allclose(forest.odds(fresh), booster.predict(fresh, raw_score=True), atol=1e-9)


def test_trees_without_a_split_are_constants():
    x, y = market(rows=60)
    booster = boosted(x, y, rounds=2, min_data_in_leaf=1000)
    forest = forest_of(booster.dump_model(), (1.0, 2.0, 3.0))
    np.testing.assert_allclose(forest.odds(x), booster.predict(x, raw_score=True) + np.arange(1, 4), atol=1e-9)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"num_leaves": 200, "min_data_in_leaf": 1}, "num_leaves of 64"),
        ({"zero_as_missing": True}, "is not used"),
        ({"boosting": "rf", "bagging_fraction": 0.5, "bagging_freq": 1}, "boosting=gbdt"),
    ],
)
def test_what_flat_trees_cannot_say_is_refused(more, why):
    x, y = market()
    with pytest.raises(Invalid, match=why):
        forest_of(boosted(x, y, rounds=3, **more).dump_model(), (0.0, 0.0, 0.0))


def test_a_split_by_category_is_refused():
    x, _ = market()
    x[:, 0] = np.arange(len(x)) % 5
    dataset = lightgbm.Dataset(x, (x[:, 0] > 2).astype(int), categorical_feature=[0])
    booster = lightgbm.train({**QUIET, "objective": "multiclass", "num_class": 3}, dataset, 3)
    with pytest.raises(Invalid, match="is not used"):
        forest_of(booster.dump_model(), (0.0, 0.0, 0.0))
