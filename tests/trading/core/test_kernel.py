"""One text, bound to each strategy: compiled and uncompiled give the same numbers, bit for bit."""

from __future__ import annotations

import inspect
import re
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.core.desks import indian
from tests.trading.core.panels import demo_panel, random_panel
from tests.trading.core.test_strategies import QUICK
from trading.core import kernel as kernels
from trading.core.bars import DAY
from trading.core.errors import Invalid
from trading.core.kernel import Kernel, kernel
from trading.core.setups import make_setup
from trading.core.simulation import simulate
from trading.core.strategies import STRATEGIES, crossover, strategy

CHARGES = indian("prime-2999", "cash")
flags = st.sampled_from([0, 1])
settings_of_the_desk = st.fixed_dictionaries(
    {
        "sizing": st.sampled_from(["quantity", "notional", "kelly", "volatility"]),
        "notional": st.floats(1_000, 400_000),
        "by_confidence": flags,
        "allow_short": flags,
        "flat": st.sampled_from([-1.0, 0.0, 0.0003]),
        "participation": st.sampled_from([0.0, 0.001, 0.1]),
        "slippage": st.floats(0, 20),
        "stop_loss": st.sampled_from([0.0, 0.004, 0.03]),
        "take_profit": st.sampled_from([0.0, 0.006, 0.05]),
        "arm_on_fill_bar": flags,
        "max_hold": st.sampled_from([0, 1, 3]),
        "max_exposure": st.sampled_from([0.0, 150_000.0]),
        "max_positions": st.sampled_from([0, 1]),
        "max_trades_day": st.sampled_from([0, 2]),
        "daily_loss": st.sampled_from([0.0, 1_500.0]),
        "daily_loss_pct": st.sampled_from([0.0, 0.2]),
        "latched": flags,
        "min_confidence": st.sampled_from([0.0, 0.7]),
    }
)


def twice(name, setup, panel):
    """Run compiled and uncompiled."""
    return [simulate(name, setup, panel, capital=3e5, charges=CHARGES, compiled=each) for each in (True, False)]


def assert_bit_for_bit(one, two):
    np.testing.assert_array_equal(one.events, two.events)
    np.testing.assert_array_equal(np.array(one.measures), np.array(two.measures))
    assert (one.bars, one.equity) == (two.bars, two.equity)


@pytest.mark.parametrize("name", STRATEGIES)
@given(data=st.data(), seed=st.integers(0, 2**31), news=st.booleans())
@settings(max_examples=25)
def test_compiled_equals_uncompiled_on_random_bars_under_any_settings(name, data, seed, news):
    kind = strategy(name).KIND
    values = {**QUICK[name], **data.draw(settings_of_the_desk)}
    setup = make_setup(name, 5 if kind == "intraday" else DAY, {}, values)
    assert_bit_for_bit(*twice(name, setup, random_panel(seed, kind=kind, news=news)))


@pytest.mark.parametrize("news", [False, True], ids=["silence", "news"])
@pytest.mark.parametrize("name", STRATEGIES)
def test_compiled_equals_uncompiled_on_the_demo_market(name, news):
    kind = strategy(name).KIND
    setup = make_setup(name, 5 if kind == "intraday" else DAY, {}, {"allow_short": 1})
    one, two = twice(name, setup, demo_panel(kind, news=news))
    assert one.measures.trades > 2
    assert_bit_for_bit(one, two)


def test_a_kernel_is_bound_to_its_own_strategy_and_shares_nothing_with_another():
    one, two = kernel("intraday", compiled=False), kernel("swing", compiled=False)
    assert one is kernel("intraday", compiled=False)
    decided = [each.react.__globals__["decide"].__code__ for each in (one, two)]
    assert decided == [STRATEGIES[name].decide.__code__ for name in ("intraday", "swing")]
    assert one.react is not two.react


def test_an_unknown_strategy_has_no_kernel():
    with pytest.raises(Invalid, match="unknown strategy 'momentum'"):
        kernel("momentum", compiled=False)


def test_every_function_of_the_text_is_copied_and_bound_to_copies_only():
    space = kernels.bind(crossover, None)
    for entry in Kernel._fields:
        assert entry in space
    for word, value in space["run_alone"].__globals__.items():
        if word in space and callable(value) and hasattr(value, "__globals__"):
            assert value.__globals__ is not vars(sys.modules["trading.core.drivers"]), word


def test_without_numba_compiling_says_so_and_the_plain_text_still_runs(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(ImportError):
        kernel.__wrapped__("crossover", compiled=True)
    assert kernel.__wrapped__("crossover", compiled=False).settle


def test_compiled_text_is_kept_under_the_digest_of_the_whole_text(monkeypatch, tmp_path):
    monkeypatch.setenv("SENSEQUANT_KERNELS", str(tmp_path))
    assert kernels.cache_folder() == tmp_path / kernels.digest()
    assert not kernels.is_compiled("crossover")
    there = kernels.cache_folder() / "crossover" / "core_1"
    there.mkdir(parents=True)
    (there / "drivers.run_panel-99.py311.nbi").touch()
    assert kernels.is_compiled("crossover")


def test_the_digest_covers_every_module_whose_numbers_and_tuples_are_compiled_in():
    """Left out: what is raised, what is checked before a run, and the charges, which are handed in as arrays."""
    covered = {*kernels.SHARED, kernels.rules, *STRATEGIES.values()}
    text = "".join(inspect.getsource(module) for module in covered)
    drawn = set(re.findall(r"^from (trading\.core[.\w]*) import (\w+|\()", text, re.MULTILINE))
    named = {f"{place}.{word}" if place == "trading.core" else place for place, word in drawn}
    outside = {"trading.core.errors", "trading.core.bounds", "trading.core.charge_data"}
    assert named - outside == named & {module.__name__ for module in covered}
    assert len(named) > 10


def test_without_a_folder_of_its_own_compiled_text_goes_to_the_users_cache(monkeypatch):
    monkeypatch.delenv("SENSEQUANT_KERNELS")
    assert kernels.cache_folder().parent.parts[-3:] == (".cache", "sensequant", "kernels")


def test_what_has_been_compiled_is_found_again():
    setup = make_setup("crossover", 5, {}, QUICK["crossover"])
    simulate("crossover", setup, random_panel(1), capital=1e6, charges=CHARGES)
    assert kernels.is_compiled("crossover")
