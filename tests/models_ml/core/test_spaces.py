"""What may be tried: bounds, grid files, and the configurations made of them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_ml.core import spaces
from trading.core.errors import Invalid
from trading.core.setups import parameters

OWN = parameters("intraday")["params"]


def grid_of(given, most=1000, seed=1, usual=None):
    space = spaces.of_config(given, OWN)
    return list(itertools.islice(spaces.grid(space, usual or {}, most, seed), most))


def test_a_grid_is_every_combination_in_order():
    found = grid_of({"sma": [10, 20], "adx_min": {"low": 10, "high": 20, "step": 5}})
    assert [(each["sma"], each["adx_min"]) for each in found] == [
        (10, 10), (10, 15), (10, 20), (20, 10), (20, 15), (20, 20),
    ]  # fmt: skip


def test_a_grid_that_is_too_large_is_sampled_evenly_and_the_same_again():
    wish = {"sma": list(range(10, 60)), "ema": list(range(60, 110))}
    found = grid_of(wish, most=200)
    assert len({(each["sma"], each["ema"]) for each in found}) == 200
    assert found == grid_of(wish, most=200)
    assert found != grid_of(wish, most=200, seed=2)
    assert 25 < sum(each["sma"] for each in found) / 200 < 45


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"smaa": [10]}, "smaa"), ({"sma": [1]}, "sma"), ({"sma": [10.5]}, "10.5"), ({"sma": []}, "0 values"),
        ({"sma": ["ten"]}, "ten"), ({"sma": [True]}, "True"), ({"sma": {"low": 30, "high": 10}}, "low < high"),
        ({"sma": {"low": 10, "high": 20, "step": -1}}, "step"), ({"sma": {"low": 10}}, "None"), ({}, "no parameter"),
        ([], "no parameter"), ({"adx_min": [float("nan")]}, "nan"),
    ],
)  # fmt: skip
def test_a_grid_that_cannot_be_is_refused_by_name(wish, told):
    with pytest.raises(Invalid, match=told):
        spaces.of_config(wish, OWN)


@given(share=st.floats(0, 1), name=st.sampled_from(sorted(OWN)))
def test_a_place_in_a_range_is_a_value_within_its_bounds_and_back(share, name):
    choice = {each.name: each for each in spaces.of_fields(OWN)}[name]
    value = spaces.at(choice, share)
    assert choice.low <= value <= choice.high
    assert not choice.whole or value == int(value)
    assert spaces.whereabouts(choice, value) == pytest.approx(share, abs=0.26 if choice.whole else 1e-6)


def test_without_a_grid_the_strategys_own_bounds_are_searched_and_its_usual_value_is_among_them():
    space = spaces.of_fields(OWN)
    assert {each.name for each in space} == set(OWN)
    assert all(
        field.default in spaces.levels(each, field.default) for each, field in zip(space, OWN.values(), strict=True)
    )
    assert spaces.size(space, {name: field.default for name, field in OWN.items()}) > 5_000
    drawn = list(itertools.islice(spaces.draws(space, 3), 50))
    assert all(OWN[name].bound.low <= value <= OWN[name].bound.high for each in drawn for name, value in each.items())
    assert drawn == list(itertools.islice(spaces.draws(space, 3), 50))
