"""Runs that share only bars: each symbol alone, or one symbol under many setups, equal to the desk's own run."""

from __future__ import annotations

import numpy as np
import pytest

from tests.trading.core.desks import indian
from tests.trading.core.panels import demo_panel, random_panel
from trading.core import sweeps
from trading.core.bars import Bars
from trading.core.calendar import SessionColumns
from trading.core.kernel import kernel
from trading.core.panel import LaneBars, panel
from trading.core.setups import make_setup
from trading.core.simulation import simulate
from trading.core.state import DAY_END, TRADED, WIDTH
from trading.core.strategies import crossover
from trading.core.sweeps import alone, by_windows, sweep
from trading.services import benches

CAPITAL = 1_000_000.0
CHARGES = indian()
VALUES = [
    {"fast": fast, "slow": slow, "rsi": 9, "rsi_cap": cap, "stop_loss": stop, "slippage": 3.0, "sizing": sizing}
    for fast, slow in ((5, 12), (8, 20)) for cap in (60, 80) for stop, sizing in ((0.0, "notional"), (0.005, "kelly"))
]  # fmt: skip
SETUPS = [make_setup("crossover", 5, {}, values) for values in VALUES]


def lane_of(whole, j):
    """Return lane ``j`` as a panel of its own."""
    a, b = int(whole.starts[j]), int(whole.stops[j])
    columns = [
        np.ascontiguousarray(x[a:b]) for x in (whole.ts, whole.open, whole.high, whole.low, whole.close, whole.volume)
    ]
    places = SessionColumns(whole.session[a:b], whole.minute[a:b], whole.left[a:b], np.ones(b - a, bool))
    scores = whole.sentiment[a:b] if whole.sentiment.size else whole.sentiment
    return panel([LaneBars(whole.specs[j], Bars(*columns), places, scores)])


def quietly(outcome):
    """Return the rows a quiet account keeps: closed trades and ends of days."""
    rows = outcome.events.reshape(-1, WIDTH)
    return rows[(rows[:, 0] == TRADED) | (rows[:, 0] == DAY_END)]


def equal(single, other):
    np.testing.assert_array_equal(np.array(single.measures), np.array(other.measures))
    np.testing.assert_array_equal(single.events, other.events)


@pytest.mark.parametrize("news", [False, True], ids=["silence", "news"])
def test_a_symbol_alone_is_a_panel_of_one_lane(news):
    whole = demo_panel(news=news)
    for j, single in enumerate(alone("crossover", SETUPS[0], whole, capital=CAPITAL, charges=CHARGES)):
        out = simulate("crossover", SETUPS[0], lane_of(whole, j), capital=CAPITAL, charges=CHARGES, compiled=False)
        assert single.measures.trades > 2
        np.testing.assert_array_equal(np.array(single.measures), np.array(out.measures))
        np.testing.assert_array_equal(single.events.reshape(-1, WIDTH), quietly(out))


def test_the_compiled_loops_equal_the_plain_ones():
    whole, core = random_panel(9, news=True), kernel("crossover", compiled=False)
    table, many = (CHARGES.rates, CHARGES.changes), SETUPS[:4]
    L, K, A, N, ev, out = sweeps._numbers(whole.specs, CAPITAL, 500)
    m = np.zeros(crossover.MEMORY)
    core.run_alone(*whole.columns(), whole.starts, whole.stops, m, L, K, A, N, SETUPS[0], *table, ev, out)
    for j, single in enumerate(alone("crossover", SETUPS[0], whole, capital=CAPITAL, charges=CHARGES)):
        equal(single, sweeps._single(N[j], ev[j], out[j]))
    L, K, A, N, ev, out = sweeps._numbers([whole.specs[0]] * 4, CAPITAL, 500)
    m[:] = 0.0
    core.run_sweep(*sweeps._columns(whole, 0), m, L, K, A, N, many, *table, ev, out)
    for g, single in enumerate(sweep("crossover", many, whole, 0, capital=CAPITAL, charges=CHARGES)):
        equal(single, sweeps._single(N[g], ev[g], out[g]))


def test_a_sweep_is_as_many_runs_alone():
    whole = demo_panel(news=True)
    for group in by_windows("crossover", SETUPS):
        found = sweep("crossover", [SETUPS[k] for k in group], whole, 1, capital=CAPITAL, charges=CHARGES)
        for k, single in zip(group, found, strict=True):
            (expected,) = alone("crossover", SETUPS[k], lane_of(whole, 1), capital=CAPITAL, charges=CHARGES)
            equal(single, expected)


def test_setups_are_grouped_by_the_windows_their_features_depend_on():
    assert by_windows("crossover", SETUPS) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_more_trades_than_there_was_room_for_are_found_by_running_again(monkeypatch):
    whole = random_panel(3, days=20)
    setup = make_setup("crossover", 5, {}, VALUES[0] | {"entry_cutoff": 0, "rsi_cap": 100})
    roomy = alone("crossover", setup, whole, capital=CAPITAL, charges=CHARGES)
    swept = sweep("crossover", [setup], whole, 0, capital=CAPITAL, charges=CHARGES)
    monkeypatch.setattr(sweeps, "ROOM", 4)
    for single, again in zip(roomy, alone("crossover", setup, whole, capital=CAPITAL, charges=CHARGES), strict=True):
        equal(again, single)
    equal(sweep("crossover", [setup], whole, 0, capital=CAPITAL, charges=CHARGES)[0], swept[0])


@pytest.mark.parametrize(
    ("name", "trades", "pnl"),
    [("W1", 838, -31_235.196), ("W2", 8_668, -556_512.823), ("W3", 2_327, 197_660.631)],
)
def test_the_benchmarks_come_to_the_trades_and_the_profit_they_always_came_to(market, name, trades, pnl):
    work = market[name]
    found = benches.run(work, work.plain, benches.NO_CHARGES, 1)
    assert sum(each.measures.trades for each in found) == trades
    assert round(sum(each.measures.total_pnl for each in found), 3) == pnl


@pytest.fixture(scope="module")
def market():
    return benches.workloads(["W1", "W2", "W3"])
