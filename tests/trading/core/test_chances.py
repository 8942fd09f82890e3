"""Other orders of the same trades, and the same trades paid dearer, obey the arithmetic they are made of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core import chances
from trading.core.stress import Paid, stressed

nets = st.lists(st.floats(-5_000, 5_000), min_size=2, max_size=40)


@given(nets, st.integers(0, 5))
def test_a_permutation_ends_where_the_trades_end_and_a_bootstrap_draws_only_from_them(net, seed):
    values = np.array(net)
    shuffled = chances.orders(values, 8, method="permutation", seed=seed, chunk=0)
    np.testing.assert_allclose(shuffled.sum(axis=1), values.sum(), atol=1e-6)
    drawn = chances.orders(values, 8, method="bootstrap", seed=seed, chunk=0)
    assert set(drawn.ravel().tolist()) <= set(net)
    assert np.array_equal(drawn, chances.orders(values, 8, method="bootstrap", seed=seed, chunk=0))


def test_ruin_and_loss_are_shares_of_paths():
    sequences = np.array([[-400.0, 500.0], [100.0, 100.0], [-100.0, -50.0], [300.0, -100.0]])
    found = chances.summary(*[x.tolist() for x in chances.fates(sequences, 1_000.0)], 1_000.0, 0.7)
    assert (found["probability_of_loss"], found["risk_of_ruin"]) == (0.25, 0.25)


@given(st.lists(st.tuples(st.floats(-900, 900), st.floats(0.01, 90), st.floats(1, 1e5)), min_size=1, max_size=20))
def test_charges_once_are_the_run_itself_and_break_even_is_where_nothing_is_left(rows):
    trades = [Paid("2026-11-20", gross, charges, turnover) for gross, charges, turnover in rows]
    net = sum(t.gross - t.charges for t in trades)
    found = stressed(trades, [("2026-11-19", 1e6), ("2026-11-20", 1e6 + net)], 1e6)
    levels = {row["level"]: row["net_pnl"] for row in found["costs"]}
    assert levels[1.0] == pytest.approx(net)
    assert levels[0.0] == pytest.approx(sum(t.gross for t in trades))
    even = found["break_even_costs"]
    if even is not None:
        left = sum(t.gross - even * t.charges for t in trades)
        assert left == pytest.approx(0.0, abs=1e-6 * max(1.0, abs(even)) * 1e4)
