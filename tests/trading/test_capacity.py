"""What a desk of a given size needs: the sums add up, more is never faster, and what bends is named."""

from dataclasses import replace

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from trading.core.capacity import Budget, Costs, Load, bends, broken, demand, simulate
from trading.services import capacity

LOADS = st.builds(
    Load, symbols=st.integers(1, 3_000), minutes=st.sampled_from([1, 5, 15]), workers=st.integers(0, 100),
    cores=st.integers(1, 32), retention_days=st.integers(1, 2_000), trials=st.integers(0, 500),
    years=st.floats(0.1, 10.0),
)  # fmt: skip


@given(LOADS)
def test_twice_the_symbols_ask_for_twice_the_bars_and_never_for_less(load):
    one, two = demand(load, Costs()), demand(replace(load, symbols=load.symbols * 2), Costs())
    assert two.bars_day == 2 * one.bars_day
    assert all(more >= less for more, less in zip(two, one, strict=True))


@given(LOADS)
def test_a_slower_machine_decides_no_sooner(load):
    fast, slow = simulate(load, Costs(), bars=10), simulate(load, Costs(step_us=600.0, commit_ms=20.0), bars=10)
    assert slow.p99_ms >= fast.p99_ms
    assert fast.lock_share <= slow.lock_share


def test_a_small_desk_fits_and_the_first_thing_to_bend_is_named():
    small = Load(symbols=50)
    assert broken(small, Costs(), Budget()) == []
    at, words = bends(small, Costs(), Budget())
    assert at > 50
    assert words
    assert broken(replace(small, symbols=round(at / 1.1) - 1), Costs(), Budget()) == []


def test_five_hundred_symbols_of_two_years_cost_what_was_measured_of_them():
    asked = demand(Load(symbols=500, years=2.0, workers=2, trials=8), Costs())
    assert asked.history_bars == 93_750_000
    assert 85.0 < asked.backtest_s < 93.0
    assert 2_100.0 < asked.backtest_mb < 2_300.0
    assert 3_600.0 < asked.search_mb < 3_800.0  # a driver and two workers
    assert demand(Load(symbols=500, years=2.0), Costs()).search_mb == 0.0
    assert (
        "searching 2 years needs 3,7"
        in broken(Load(symbols=500, years=2.0, trials=8), Costs(), Budget(memory_mb=3_000))[0]
    )


def test_a_budget_that_breaks_is_named_with_its_number():
    words = broken(Load(symbols=2_000, shards=8, workers=100, cores=2), Costs(), Budget(memory_mb=8_000))
    assert "engines and workers need 21,0" in words[0]


@pytest.mark.django_db
def test_costs_are_measured_here_and_nothing_is_left_behind(capsys):
    costs = capacity.measure()
    assert 1.0 < costs.step_us < 5_000.0
    assert 0.01 < costs.commit_ms < 1_000.0
    call_command("capacity_plan", "--symbols", "2000", "--shards", "8", "--workers", "100", "--cores", "16")
    assert "bends first" in (told := capsys.readouterr().out) or "too much" in told


@pytest.mark.django_db
def test_a_desk_that_cannot_be_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        call_command("capacity_plan", "--symbols", "2", "--shards", "3")
    assert "--shards 3 is more than there are symbols (use fewer shards)" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        call_command("capacity_plan", "--symbols", "2", "--years", "0")
    assert "--years 0 cannot be had" in capsys.readouterr().err
