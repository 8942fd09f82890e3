"""A student scores one row with numpy alone, and says the same as walking its trees by hand would."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.core.errors import Invalid
from trading.core.scoring import CLASSES, NEVER, Forest, Linear, Node, Scorer, Thresholds, Tree
from trading.core.scoring.forest import LEFT, RIGHT, ROWS, ZERO
from trading.services.scoring_benches import FEATURES, grown

NAMES = tuple(f"f{k}" for k in range(FEATURES))


def scorer(model, *, thresholds=(0.4, 0.4), temperature=1.0):
    names = NAMES[: model.features]
    return Scorer("student-1", "kind", names, "code", model, temperature, Thresholds(*thresholds))


def linear(weights, bias=(0.0, 0.0, 0.0)):
    weights = np.array(weights, float)
    k = weights.shape[1]
    return Linear(weights, np.array(bias), np.full(k, 0.5), np.full(k, -2.0), np.full(k, 2.0))


def by_hand(tree, row):
    """Walk one tree as a person would."""
    at = 0 if tree.nodes else -1
    while at >= 0:
        node = tree.nodes[at]
        value = row[node.feature]
        if not math.isfinite(value):
            left = node.unknown == LEFT or (node.unknown == ZERO and node.threshold >= 0.0)
        else:
            left = value <= node.threshold
        at = node.left if left else node.right
    return tree.leaves[-1 - at]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 64), st.integers(1, 4), st.floats(0, 1))
def test_every_row_falls_into_the_leaf_that_walking_the_tree_finds(seed, leaves, rounds, unknown):
    rng = np.random.default_rng(seed)
    trees = [grown(rng, int(rng.integers(1, leaves + 1))) for _ in range(3 * rounds)]
    bias = rng.normal(size=3)
    rows = np.where(rng.random((5, FEATURES)) < unknown, np.nan, rng.normal(size=(5, FEATURES)))
    wanted = [[bias[c] + sum(by_hand(tree, row) for tree in trees[c::3]) for c in range(3)] for row in rows]
    forest = Forest(trees, bias, FEATURES)
    np.testing.assert_allclose(forest.odds(rows), wanted, atol=1e-9)
    np.testing.assert_allclose([forest.odds(row) for row in rows], wanted, atol=1e-9)
    again = Forest.of_json(forest.as_json())
    assert np.array_equal(again.odds(rows), forest.odds(rows))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.5), st.floats(0.1, 10), st.floats(0, 1), st.floats(0, 1))
def test_one_row_at_a_time_is_as_many_at_once(seed, unknown, temperature, long, short):
    rng = np.random.default_rng(seed)
    rows = np.where(rng.random((40, 4)) < unknown, np.nan, rng.normal(size=(40, 4)))
    one = scorer(linear(rng.normal(size=(3, 4)), rng.normal(size=3)), thresholds=(long, short), temperature=temperature)
    chances = one.chances(rows)
    single = [one.score(row.tolist()) for row in rows]
    np.testing.assert_allclose([each[:3] for each in single], chances, atol=1e-12)
    np.testing.assert_allclose(chances.sum(axis=1), 1.0)
    assert [each.direction for each in single] == one.directions(np.array([each[:3] for each in single])).tolist()


def test_more_rows_than_are_taken_at_once_are_all_scored():
    rng = np.random.default_rng(1)
    forest = Forest([grown(rng) for _ in range(3)], np.zeros(3), FEATURES)
    rows = rng.normal(size=(2 * ROWS + 7, FEATURES))
    assert np.array_equal(forest.odds(rows), [forest.odds(row) for row in rows])


def test_what_is_unknown_or_infinite_takes_the_filling_value_and_the_rest_stays_where_it_was_learned():
    model = linear([[1.0], [0.0], [0.0]])
    odds = model.odds(np.array([[np.nan], [np.inf], [-np.inf], [9.0], [-9.0]]))
    assert odds[:, 0].tolist() == [0.5, 0.5, 0.5, 2.0, -2.0]


def test_a_direction_needs_its_threshold_and_the_larger_chance():
    model = linear(np.zeros((3, 1)), bias=np.log([0.5, 0.3, 0.2]))
    assert scorer(model).score([0.0]).direction == 1
    quiet = scorer(model, thresholds=(0.6, 0.2)).score([0.0])
    assert (quiet.direction, quiet.confidence) == (0, quiet.p_noop)
    down = scorer(linear(np.zeros((3, 1)), bias=np.log([0.3, 0.5, 0.2]))).score([0.0])
    assert (down.direction, round(down.confidence, 12)) == (-1, 0.5)
    even = scorer(linear(np.zeros((3, 1))), thresholds=(0.1, 0.1)).score([0.0])
    assert even.direction == 0
    assert scorer(model, thresholds=(NEVER, NEVER)).score([0.0]).direction == 0


def test_a_higher_temperature_is_less_sure_of_the_same():
    model = linear(np.zeros((3, 1)), bias=(2.0, 1.0, 0.0))
    hot, cold = (scorer(model, temperature=t).score([0.0]) for t in (4.0, 0.25))
    assert hot.p_long < cold.p_long
    assert hot.p_long > hot.p_short > hot.p_noop


@pytest.mark.parametrize("row", [[], [1.0], [1.0, 2.0, 3.0]])
def test_a_row_of_the_wrong_length_is_refused(row):
    with pytest.raises(Invalid, match="give the 2 features"):
        scorer(linear(np.ones((3, 2)))).score(row)


@pytest.mark.parametrize("name", ["label_end", "teacher_p_long", "fwd_return"])
def test_what_is_known_only_afterwards_is_no_feature(name):
    with pytest.raises(Invalid, match="known only afterwards"):
        Scorer("v", "kind", (name,), "code", linear(np.ones((3, 1))), 1.0, Thresholds(0.5, 0.5))


@pytest.mark.parametrize(
    "make",
    [
        lambda: linear(np.ones((2, 1)), bias=(0.0, 0.0)) and scorer(linear(np.ones((2, 1)), bias=(0.0, 0.0))),
        lambda: linear([[np.nan], [0.0], [0.0]]),
        lambda: linear(np.ones((3, 1)), bias=(0.0, 0.0)),
        lambda: Linear(np.ones((3, 1)), np.zeros(3), np.zeros(1), np.ones(1), np.zeros(1)),
        lambda: scorer(linear(np.ones((3, 1))), temperature=0.0),
        lambda: scorer(linear(np.ones((3, 1))), temperature=math.nan),
        lambda: scorer(linear(np.ones((3, 1))), thresholds=(-0.1, 0.5)),
        lambda: Forest([], np.zeros(3), 1),
        lambda: Forest([Tree((), (1.0,))] * 2, np.zeros(3), 1),
        lambda: Forest([Tree((), (math.inf,))] * 3, np.zeros(3), 1),
        lambda: Forest([Tree((Node(1, 0.0, ZERO, -1, -2),), (0.0, 1.0))] * 3, np.zeros(3), 1),
        lambda: Forest([Tree((Node(0, math.nan, ZERO, -1, -2),), (0.0, 1.0))] * 3, np.zeros(3), 1),
        lambda: Forest([Tree((Node(0, 0.0, 7, -1, -2),), (0.0, 1.0))] * 3, np.zeros(3), 1),
        lambda: Forest([Tree((Node(0, 0.0, RIGHT, 0, -1),), (0.0, 1.0))] * 3, np.zeros(3), 1),
        lambda: Forest([Tree((Node(0, 0.0, RIGHT, -1, -1),), (0.0, 1.0))] * 3, np.zeros(3), 1),
        lambda: Forest([Tree((Node(0, 0.0, RIGHT, -1, -9),), (0.0, 1.0))] * 3, np.zeros(3), 1),
        lambda: Forest([Tree((Node(0, 0.0, ZERO, -1, -2),), (0.0, 1.0, 2.0))] * 3, np.zeros(3), 1),
    ],
)
def test_numbers_that_are_no_model_are_refused(make):
    with pytest.raises(Invalid):
        make()


def test_the_classes_are_those_of_the_document():
    assert CLASSES == ("LONG", "SHORT", "NOOP")
