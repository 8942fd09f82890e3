"""A setup is made of plain settings; what cannot be is refused in one line that says what would be accepted."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Annotated, NamedTuple

import numpy as np
import pytest

from trading.core.bounds import Bound, fields, make
from trading.core.errors import Invalid
from trading.core.rules import SIZING_MODES
from trading.core.setups import GROUPS, flat, make_setup, parameters, records
from trading.core.strategies import STRATEGIES, strategy

MINUTES = {"intraday": 5, "swing": 1440}
EVERY = [
    (name, key, field) for name in STRATEGIES for group in parameters(name).values() for key, field in group.items()
]  # fmt: skip


def made(name, *layers):
    return make_setup(name, MINUTES[strategy(name).KIND], *layers)


@pytest.mark.parametrize(("name", "key", "field"), EVERY, ids=[f"{name}-{key}" for name, key, _ in EVERY])
def test_every_parameter_is_refused_beyond_its_bounds_with_its_name_the_value_and_the_range(name, key, field):
    low, high, unit = field.bound.low, field.bound.high, field.bound.unit
    for value in (low - 1, high + max(1, high), math.nan, math.inf, -math.inf):
        with pytest.raises(Invalid, match="is out of bounds") as error:
            made(name, {key: value})
        assert str(error.value).startswith(f"{key}={value}")
        assert str(error.value).endswith(f"use {low:g} to {high:g} {unit}")


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_parameter_has_a_default_within_its_bounds_a_unit_and_a_meaning(name):
    for group in parameters(name).values():
        for field in group.values():
            assert field.bound.low <= field.default <= field.bound.high
            assert type(field.default) is field.kind
            assert field.bound.unit
            assert field.bound.meaning


@pytest.mark.parametrize("name", STRATEGIES)
def test_no_name_stands_in_two_groups(name):
    keys = [key for group in parameters(name).values() for key in group]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("value", ["many", "", None, [1], 10**400])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(Invalid, match=r"^sma=.* is not a number: use 2 to 400 bars$"):
        made("intraday", {"sma": value})


def test_a_whole_number_must_be_one():
    with pytest.raises(Invalid, match=r"^sma=20\.5 is not a whole number: use 2 to 400 bars$"):
        made("intraday", {"sma": 20.5})


@pytest.mark.parametrize("value", [21, 21.0, "21", Decimal(21)])
def test_numbers_come_as_numbers_or_words_and_leave_as_their_kind(value):
    sma = made("intraday", {"sma": value}).params.sma
    assert sma == 21
    assert type(sma) is int


def test_an_unknown_parameter_is_refused_with_those_there_are():
    with pytest.raises(Invalid, match=r"^unknown parameter 'smaa' of intraday: use one of .*\bsma\b"):
        made("intraday", {"smaa": 20})


def test_an_unknown_strategy_is_refused_with_those_there_are():
    with pytest.raises(Invalid, match=r"^unknown strategy 'momentum': use one of crossover, intraday, swing$"):
        make_setup("momentum", 5)


@pytest.mark.parametrize("word", SIZING_MODES)
def test_sizing_may_be_given_by_word_or_number(word):
    mode = SIZING_MODES[word]
    assert made("intraday", {"sizing": word}).sizing.mode == mode
    assert made("intraday", {"sizing": mode}).sizing.mode == mode
    assert made("intraday", {"mode": mode}).sizing.mode == mode


def test_an_unknown_sizing_is_refused_with_those_there_are():
    with pytest.raises(Invalid, match=r"^sizing='martingale' is not known: use one of quantity, notional, kelly"):
        made("intraday", {"sizing": "martingale"})


def test_later_layers_win_and_a_strategys_own_rules_stand_just_below_the_last():
    assert made("swing").rules.stop_loss == 0.05
    assert made("swing", {"stop_loss": 0.01}, {}).rules.stop_loss == 0.05
    assert made("swing", {"stop_loss": 0.01}, {"stop_loss": 0.03}).rules.stop_loss == 0.03
    assert made("swing", {"stop_loss": 0.03}).rules.stop_loss == 0.03
    assert made("intraday", {"stop_loss": 0.01}, {"sma": 9}).rules.stop_loss == 0.01
    assert made("intraday", {"sma": 7}, {"sma": 8}, {"sma": 9}).params.sma == 9


def test_swing_holds_overnight_for_two_to_ten_sessions():
    rules = made("swing").rules
    assert (rules.intraday, rules.min_hold, rules.max_hold) == (0, 2, 10)


def test_swing_refuses_minute_bars_and_the_others_daily_ones():
    with pytest.raises(Invalid, match=r"^swing decides once a day and needs daily bars: ask for interval 1day$"):
        make_setup("swing", 5)
    for name in ("intraday", "crossover"):
        with pytest.raises(Invalid, match=rf"^{name} trades inside the day .* ask for minute bars"):
            make_setup(name, 1440)


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("crossover", {"fast": 50, "slow": 50}, "fast=50 must be less than slow=50"),
        ("crossover", {"rsi": 60}, "rsi=60 must be less than slow=50"),
        ("intraday", {"rsi_low": 70, "rsi_high": 70}, "rsi_low=70 must be less than rsi_high=70"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(name, values, words):
    with pytest.raises(Invalid, match=words):
        made(name, values)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_flattened_setup_makes_the_same_setup_again(name):
    setup = made(name, {"sizing": "kelly", "daily_loss": 5000, "slippage": 3})
    assert made(name, flat(setup)) == setup


def test_groups_and_parts_of_a_setup_have_the_same_names():
    assert set(GROUPS) | {"params", "minutes"} == set(made("swing")._fields)


def test_setups_become_rows_that_read_like_the_tuples():
    setups = [made("crossover", {"fast": n, "stop_loss": n / 100}) for n in (5, 6, 7)]
    rows = records(setups)
    assert rows["params"]["fast"].tolist() == [5, 6, 7]
    assert rows["rules"]["stop_loss"].tolist() == [0.05, 0.06, 0.07]
    assert rows["minutes"].tolist() == [5, 5, 5]
    assert rows.dtype["params"]["fast"] == np.int64
    assert rows.dtype["params"]["rsi_cap"] == np.float64


class Wheel(NamedTuple):
    spokes: Annotated[int, Bound(1, 99, "pieces", "how many spokes")] = 32


class Bare(NamedTuple):
    spokes: int = 32


def test_make_fills_in_defaults_and_refuses_strangers():
    assert make(Wheel, {}) == Wheel(32)
    assert make(Wheel, {"spokes": "36"}) == Wheel(36)
    with pytest.raises(Invalid, match=r"^unknown parameter 'hub': use one of spokes$"):
        make(Wheel, {"hub": 1})


def test_a_parameter_without_bounds_is_a_mistake_of_ours():
    with pytest.raises(TypeError, match=r"Bare\.spokes states no Bound"):
        fields(Bare)
