"""Measures equal those numpy finds by another road; what has no meaning is NaN."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.metrics import COUNTS, Measures, measure, ratio, tidy, write
from trading.core.state import DAY_END, ORDERED, TRADED, WIDTH

CAPITAL = 500_000.0


def stream(seed, trades, days, losing=True):
    """Return event rows of random trades and days, shuffled in among others, and the two tables behind them."""
    rng = np.random.default_rng(seed)
    net = rng.normal(50, 400, trades) if losing else rng.uniform(1, 500, trades)
    charges = rng.uniform(5, 60, trades)
    entry_bar = rng.integers(0, 1000, trades)
    table = np.column_stack([
        rng.choice([1, -1], trades), rng.integers(1, 500, trades), *rng.uniform(50, 900, (2, trades)), entry_bar,
        entry_bar * 300.0, charges, net, rng.integers(1, 7, trades), net + charges,
    ])  # fmt: skip
    held = rng.integers(0, 50, trades)
    equity = CAPITAL * np.cumprod(1 + rng.normal(0.0005, 0.01, days))
    rows = [np.r_[TRADED, 0, bar + h, (bar + h) * 300, row] for bar, h, row in zip(entry_bar, held, table, strict=True)]
    rows += [np.r_[DAY_END, -1, 0, 0, d, value, np.zeros(8)] for d, value in enumerate(equity)]
    rows += [np.r_[ORDERED, np.zeros(WIDTH - 1)]] * 3
    kinds = np.array([row[0] for row in rows])
    order = rng.permutation(len(rows))
    for kind in (TRADED, DAY_END):  # shuffled among each other, in time among their own
        order[np.isin(order, np.flatnonzero(kinds == kind))] = np.flatnonzero(kinds == kind)
    events = np.concatenate([rows[k] for k in order])
    return events, table, held, equity


def found(events, equity, drawdown=0.1, bars=1000, bars_in=400):
    final = float(equity[-1]) if len(equity) else CAPITAL
    return tidy(measure(events.tolist(), len(events) // WIDTH, CAPITAL, final, drawdown, bars, bars_in))


def longest(flags):
    best = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        best = max(best, run)
    return best


def over(a, b):
    """Return a / b, NaN where that has no meaning."""
    return a / b if b else math.nan


def by_numpy(table, held, equity, drawdown, bars, bars_in):
    """Return the same measures from whole columns."""
    net, gross, quantity = table[:, 7], table[:, 9], table[:, 1]
    won, lost = net[net > 0], net[net <= 0]
    returns = np.diff(np.r_[CAPITAL, equity]) / np.r_[CAPITAL, equity[:-1]]
    growth = equity[-1] / CAPITAL
    cagr = growth ** (252 / len(equity)) - 1
    deviation, downside = returns.std(ddof=1), np.sqrt(np.mean(np.minimum(returns, 0) ** 2))
    win, loss = over(won.sum(), len(won)), over(lost.sum(), len(lost))
    return {
        "trades": len(net), "total_pnl": net.sum(), "total_return": growth - 1, "cagr": cagr,
        "sharpe_ratio": over(returns.mean(), deviation) * math.sqrt(252),
        "sortino_ratio": over(returns.mean(), downside) * math.sqrt(252),
        "calmar_ratio": over(cagr, drawdown), "volatility": deviation * math.sqrt(252), "max_drawdown": drawdown,
        "win_rate": len(won) / len(net), "hit_ratio": np.mean(gross > 0), "profit_factor": over(won.sum(), -lost.sum()),
        "expectancy": net.mean(), "average_win": win, "average_loss": loss, "payoff_ratio": over(win, -loss),
        "best_trade": net.max(), "worst_trade": net.min(),
        "longest_win_streak": longest(net > 0), "longest_loss_streak": longest(net <= 0),
        "avg_hold_minutes": np.mean(held) * 5, "avg_hold_bars": np.mean(held) + 1, "exposure": bars_in / bars,
        "turnover": (quantity * (table[:, 2] + table[:, 3])).sum() / CAPITAL, "charges": table[:, 6].sum(),
        "days": len(equity),
    }  # fmt: skip


@given(st.integers(0, 2**32 - 1), st.integers(1, 80), st.integers(2, 80), st.sampled_from([0.0, 0.1]))
def test_all_measures_equal_an_independent_computation(seed, trades, days, drawdown):
    events, table, held, equity = stream(seed, trades, days)
    expected = by_numpy(table, held, equity, drawdown, 1000, 400)
    got = found(events, equity, drawdown)._asdict()
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        assert got[name] == pytest.approx(value, rel=1e-10, abs=1e-10, nan_ok=True), name


def test_nothing_traded_has_counts_of_0_and_no_ratios():
    got = found(np.zeros(0), np.zeros(0))
    assert (got.trades, got.days, got.total_pnl, got.charges, got.total_return) == (0, 0, 0, 0, 0)
    for name in ("sharpe_ratio", "win_rate", "profit_factor", "expectancy", "best_trade", "worst_trade", "cagr"):
        assert math.isnan(getattr(got, name)), name


def test_one_day_has_no_deviation_and_so_no_sharpe_ratio():
    events, _, _, equity = stream(1, 5, 1)
    got = found(events, equity)
    assert got.days == 1
    assert math.isnan(got.sharpe_ratio)
    assert math.isnan(got.sortino_ratio)
    assert math.isnan(got.volatility)


def test_without_losses_there_is_no_profit_factor_and_no_payoff():
    events, _, _, equity = stream(2, 30, 10, losing=False)
    got = found(events, equity)
    assert got.win_rate == 1.0
    assert math.isnan(got.profit_factor)
    assert math.isnan(got.average_loss)
    assert math.isnan(got.payoff_ratio)
    assert (got.longest_win_streak, got.longest_loss_streak) == (30, 0)


def test_days_that_never_move_have_no_sharpe_ratio():
    rows = [np.r_[DAY_END, -1, 0, 0, d, CAPITAL, np.zeros(8)] for d in range(5)]
    got = found(np.concatenate(rows), np.full(5, CAPITAL))
    assert math.isnan(got.sharpe_ratio)
    assert got.volatility == 0.0


def test_ruin_is_measured_and_not_an_error():
    rows = [np.r_[DAY_END, -1, 0, 0, d, value, np.zeros(8)] for d, value in enumerate([CAPITAL, 0.0, 0.0, -1.0])]
    got = found(np.concatenate(rows), np.array([-1.0]))
    assert math.isnan(got.cagr)
    assert math.isnan(got.sharpe_ratio)
    assert got.total_return == pytest.approx(-1.0, abs=1e-5)


def test_growth_beyond_any_year_has_no_annual_rate():
    rows = [np.r_[DAY_END, -1, 0, 0, 0, CAPITAL * 40, np.zeros(8)]]
    assert math.isnan(found(np.concatenate(rows), np.array([CAPITAL * 40])).cagr)


def test_a_trade_that_wins_before_charges_only_is_a_hit_and_no_win():
    row = np.r_[TRADED, 0, 3, 900, 1, 10, 100, 101, 1, 300, 12, -2, 1, 10]
    got = found(row, np.array([CAPITAL]))
    assert (got.win_rate, got.hit_ratio, got.avg_hold_minutes, got.avg_hold_bars) == (0.0, 1.0, 10.0, 3.0)


def test_a_ratio_of_nothing_is_nan():
    assert math.isnan(ratio(1.0, 0.0))
    assert ratio(1.0, 4.0) == 0.25


def test_measures_go_into_a_row_of_floats_and_come_back_with_counts_as_whole_numbers():
    events, _, _, equity = stream(3, 20, 10)
    before = found(events, equity)
    out = np.zeros(len(Measures._fields))
    write(before, out)
    again = tidy(out.tolist())
    assert again == before
    assert all(isinstance(getattr(again, name), int) for name in COUNTS)
