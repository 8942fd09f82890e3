"""A teacher has hindsight about what it learns from, and none about what it is asked."""

import dataclasses

import numpy as np
import pytest

from models_ml.core.frozen import ARRAYS, sealed
from models_ml.core.slices import sessions_of
from models_ml.services import teaching
from models_ml.services.fitting import Grown
from tests.models_ml.invented import dataset
from trading.core.errors import Invalid

SMALL = Grown(rounds=12, leaves=7, least=20)


def teach(data, **more):
    asked = {"holdout": 0.25, "folds": 3, "embargo": 3_600, "grown": SMALL, "seed": 5}
    return teaching.teach(data, **{**asked, **more})


def changed(data, rows, **arrays):
    """Return the dataset with some of its rows' values replaced."""
    found = {name: getattr(data, name).copy() for name in ARRAYS}
    for name, value in arrays.items():
        found[name][rows] = value
    return sealed(found, data.names, data.manifest)


@pytest.fixture(scope="module")
def data():
    return dataset(edge=0.3, days=32, seed=4)


@pytest.fixture(scope="module")
def taught(data):
    return teach(data)


def test_the_same_data_and_seed_give_the_same_teacher_to_the_last_byte(data, taught):
    again = teach(data)
    assert again.booster == taught.booster
    np.testing.assert_array_equal(again.lesson.chances, taught.lesson.chances)
    assert (again.evaluation, again.importance, again.stats) == (taught.evaluation, taught.importance, taught.stats)
    assert teach(data, seed=6).booster != taught.booster


def test_poisoned_held_out_rows_leave_the_teacher_as_it_was(data, taught):
    start = taught.stats["slices"]["test"]["start"]
    late = np.flatnonzero(data.ts >= start)
    poisoned = teach(changed(data, late, X=1000.0 * data.X[late] + 7.0, y=-data.y[late], weight=0.5))
    assert poisoned.booster == taught.booster
    early = np.flatnonzero(data.ts < start)
    np.testing.assert_array_equal(poisoned.lesson.chances[early], taught.lesson.chances[early])


@pytest.mark.parametrize("day", [9, 14, 20])
def test_what_a_teacher_says_of_a_row_never_depends_on_the_row_or_on_later_ones(data, taught, day):
    # a fold's own labels, and everything after it, are turned round: what it was told beforehand stays
    days = np.unique(sessions_of(data.ts))
    told = np.isfinite(taught.lesson.chances).all(axis=1)
    first = int(data.ts[sessions_of(data.ts) == days[day]].min())
    later = np.flatnonzero(data.end >= first)
    other = teach(changed(data, later, y=-data.y[later]))
    safe = np.flatnonzero(told & (data.ts < first))
    np.testing.assert_array_equal(other.lesson.chances[safe], taught.lesson.chances[safe])


def test_the_first_block_of_time_has_no_teacher_and_the_rest_has_one(data, taught):
    told = np.isfinite(taught.lesson.chances).all(axis=1)
    assert not told[data.ts == data.ts.min()].any()
    assert told[data.ts >= taught.stats["slices"]["test"]["start"]].all()
    assert 0.6 < told.mean() < 0.9
    np.testing.assert_allclose(taught.lesson.chances[told].sum(axis=1), 1.0)


def test_the_evaluation_is_on_held_out_rows_and_memory_is_told_apart(data, taught):
    assert taught.evaluation["evaluated_on"] == "held-out rows"
    assert taught.evaluation["rows"] == int((data.ts >= taught.stats["slices"]["test"]["start"]).sum())
    assert taught.evaluation["in_sample"]["f1_macro"] > taught.evaluation["f1_macro"]
    without = teach(data, holdout=0.0)
    assert without.evaluation["evaluated_on"] == "rows after each fold"


def test_the_feature_with_the_edge_is_the_most_useful(taught):
    assert {each["feature"] for each in taught.importance["gain"][:2]} == {"f0", "f1"}
    assert sum(each["share"] for each in taught.importance["split"]) == pytest.approx(1.0)


def test_statistics_count_what_there_is(data, taught):
    stats = taught.stats
    assert stats["rows"] == len(data) == sum(stats["labels"].values())
    assert stats["effective_rows"] == pytest.approx(data.weight.sum())
    assert stats["sessions"] == 32
    assert sum(sum(each.values()) for each in stats["labels_by_symbol"].values()) == len(data)
    assert stats["features"]["f0"]["known_share"] == 1.0
    assert 0.9 < stats["features"]["f3"]["known_share"] < 1.0


def test_overlapping_rows_share_their_weight_instead_of_counting_twice(data):
    twice = {name: np.repeat(getattr(data, name), 2, axis=0) for name in ARRAYS}
    twice["symbol"] = np.tile(["AAA", "AAB"], len(data))
    twice["weight"] = twice["weight"] / 2
    stats = teach(_sorted(twice, data)).stats
    assert stats["rows"] == 2 * len(data)
    assert stats["effective_rows"] == pytest.approx(data.weight.sum())


def _sorted(arrays, data):
    order = np.lexsort((arrays["symbol"], arrays["ts"]))
    return sealed({name: array[order] for name, array in arrays.items()}, data.names, data.manifest)


def test_too_little_to_learn_from_is_told(data):
    with pytest.raises(Invalid, match="too few to teach on"):
        teach(data.select(np.arange(50)))
    with pytest.raises(Invalid, match="sessions are too few"):
        teach(data.select(sessions_of(data.ts) < sessions_of(data.ts).min() + 2))


def test_a_teacher_on_noise_remembers_its_own_rows_and_knows_nothing_of_later_ones():
    noise = dataset(days=40, seed=9, features=12)
    found = teach(noise, grown=Grown(rounds=150, leaves=15, least=10, rate=0.2))
    assert found.evaluation["in_sample"]["accuracy"] > found.evaluation["accuracy"]
    assert abs(found.evaluation["directional_auc"] - 0.5) < 0.06


def test_a_frozen_dataset_is_not_written_to(data):
    assert not data.X.flags.writeable
    teach(data)
    assert dataclasses.replace(data).digest == data.digest
