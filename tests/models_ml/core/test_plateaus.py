"""A plateau is believed, a needle is not; and the parameter that matters is found."""

import itertools
import math

import numpy as np
import pytest

from models_ml.core.plateaus import heat, plateau, rank_correlation, sensitivities

GRID = np.array(list(itertools.product(np.linspace(0, 1, 7), repeat=2)))


def test_a_hill_is_a_plateau_and_a_needle_is_not():
    hill = np.exp(-((GRID - 0.5) ** 2).sum(axis=1) * 4)
    needle = np.where(np.arange(len(GRID)) == 24, 1.0, 0.01 * GRID[:, 0])
    assert not plateau(GRID, hill, int(hill.argmax())).isolated
    assert plateau(GRID, hill, int(hill.argmax())).held > 0.8
    found = plateau(GRID, needle, 24)
    assert found.isolated
    assert found.held < 0.05


def test_too_few_configurations_have_no_neighbours():
    assert math.isnan(plateau(GRID[:3], np.arange(3.0), 2).held)
    assert math.isnan(plateau(GRID, np.ones(len(GRID)), 0).held)
    assert not plateau(GRID, np.ones(len(GRID)), 0).isolated


def test_the_parameter_that_moves_the_score_comes_first():
    values = np.column_stack([GRID[:, 0] * 100, GRID[:, 1] * 10])
    found = sensitivities(["idle", "strong"], values, GRID[:, 1] * 2 + 0.001 * GRID[:, 0])
    assert [each.name for each in found] == ["strong", "idle"]
    assert found[0].correlation > 0.95
    assert [count for _, _, count in found[0].means] == [7] * 7
    assert found[0].means[-1][1] > found[0].means[0][1]


def test_rank_correlation_is_the_kept_librarys():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 9, 200).astype(float), rng.standard_normal(200)
    assert rank_correlation(x, y) == pytest.approx(spearmanr(x, y).statistic)
    assert rank_correlation(x, np.ones(200)) == 0.0


def test_a_heat_map_has_a_mean_in_every_tried_field_and_nothing_elsewhere():
    values = np.array([[10.0, 1.0], [10.0, 2.0], [20.0, 1.0], [20.0, 1.0]])
    found = heat(["a", "b"], values, np.array([1.0, 2.0, 3.0, 5.0]))
    assert (found["rows"], found["columns"]) == ([10.0, 20.0], [1.0, 2.0])
    assert found["scores"] == [[1.0, 2.0], [4.0, None]]
    assert heat(["a"], values[:, :1], np.zeros(4)) == {}
    many = heat(["a", "b"], np.random.default_rng(1).random((500, 2)), np.ones(500))
    assert len(many["rows"]) == len(many["columns"]) == 8
