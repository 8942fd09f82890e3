"""The composite score and the thresholds of the document, with its worked example."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_ml.core.objectives import OBJECTIVES, composite, contributions, objective, score, thresholds
from trading.core.errors import Invalid

share = st.floats(0, 1)
BEFORE = {"sharpe_ratio": 1.45, "precision_long": 0.625, "hit_ratio": 0.598, "win_rate": 0.598}
AFTER = {"sharpe_ratio": 1.92, "precision_long": 0.714, "hit_ratio": 0.676, "win_rate": 0.676}


def test_the_documents_example_is_reproduced():
    assert thresholds(1.45, 1.92) == (1.83, 1.56)
    assert composite(BEFORE) == pytest.approx(0.4 * 1.45 / 3 + 0.3 * 0.625 + 0.3 * 0.598)
    assert composite(AFTER) > composite(BEFORE)


@given(sharpe=st.floats(-50, 50), precision=share, hit=share, win=share)
def test_the_composite_lies_between_0_and_1_and_rises_with_each_part(sharpe, precision, hit, win):
    metrics = {"sharpe_ratio": sharpe, "precision_long": precision, "hit_ratio": hit, "win_rate": win}
    found = composite(metrics)
    assert 0.0 <= found <= 1.0 + 1e-12
    assert found == pytest.approx(sum(contributions(metrics).values()))
    for name, more in (("sharpe_ratio", sharpe + 1), ("precision_long", 1.0), ("hit_ratio", 1.0), ("win_rate", 1.0)):
        assert composite({**metrics, name: more}) >= found - 1e-12


def test_a_sharpe_of_three_or_more_counts_in_full_and_a_loss_counts_nothing():
    assert contributions({"sharpe_ratio": 3.0})["sharpe_ratio"] == contributions({"sharpe_ratio": 9.0})["sharpe_ratio"]
    assert composite({"sharpe_ratio": -2.0}) == composite({"sharpe_ratio": None}) == composite({}) == 0.0
    assert composite({"sharpe_ratio": math.nan, "hit_ratio": 0.5}) == pytest.approx(0.1)


def test_every_objective_may_be_called_by_its_measure_too():
    assert objective("sharpe_ratio") == "sharpe"
    assert score("sortino", {"sortino_ratio": 1.5}) == 1.5
    assert score("sortino", {"sortino_ratio": None}) is None
    assert all(objective(name) == name for name in OBJECTIVES)
    with pytest.raises(Invalid, match="luck"):
        objective("luck")
    with pytest.raises(Invalid, match="''"):
        objective("")
