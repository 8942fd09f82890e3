"""Measures of daily returns are an independent library's, and mean nothing where there is nothing to mean."""

from __future__ import annotations

import datetime as dt
import warnings

import numpy as np
import pytest

from trading.core import returns

RNG = np.random.default_rng(7)
R = RNG.normal(0.0004, 0.012, (1000, 250))
B = RNG.normal(0.0003, 0.010, (1000, 250)) + 0.3 * R


def test_a_thousand_random_series_measure_as_empyrical_says():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import empyrical as e

    ours = {
        "sharpe": returns.sharpe(R), "sortino": returns.sortino(R), "volatility": returns.volatility(R),
        "max_drawdown": -returns.max_drawdown(R), "annual": returns.annual_return(R), "calmar": returns.calmar(R),
        "omega": returns.omega(R), "tail": returns.tail_ratio(R), "var": returns.value_at_risk(R),
        "cvar": returns.conditional_value_at_risk(R), "alpha": returns.alpha(R, B), "beta": returns.beta(R, B),
        "up": [returns.capture(r, b, up=True) for r, b in zip(R, B, strict=True)],
        "down": [returns.capture(r, b, up=False) for r, b in zip(R, B, strict=True)],
        "information": returns.information_ratio(R, B) / np.sqrt(252),
    }  # fmt: skip
    theirs = {
        "sharpe": e.sharpe_ratio(R.T), "sortino": e.sortino_ratio(R.T), "volatility": e.annual_volatility(R.T),
        "max_drawdown": e.max_drawdown(R.T), "information": e.excess_sharpe(R.T, B.T),
    }  # fmt: skip
    one = {
        "annual": e.annual_return, "calmar": e.calmar_ratio, "omega": e.omega_ratio, "tail": e.tail_ratio,
        "var": e.value_at_risk, "cvar": e.conditional_value_at_risk,
    }  # fmt: skip
    two = {"alpha": e.alpha, "beta": e.beta, "up": e.up_capture, "down": e.down_capture}
    theirs |= {name: [f(r) for r in R] for name, f in one.items()}
    theirs |= {name: [f(r, b) for r, b in zip(R, B, strict=True)] for name, f in two.items()}
    for name, values in ours.items():
        np.testing.assert_allclose(values, theirs[name], rtol=1e-10, atol=1e-10, err_msg=name)


def test_drawdowns_count_from_the_start_and_the_longest_is_counted_in_sessions():
    r = np.array([-0.1, 0.05, 0.1, -0.2, 0.1, 0.3])
    equity = np.cumprod(1 + r)
    np.testing.assert_allclose(returns.drawdowns(r)[0], 0.1)
    np.testing.assert_allclose(returns.ulcer(r), np.sqrt(np.mean(returns.drawdowns(r) ** 2)))
    assert returns.longest_drawdown(r) == 2
    assert returns.max_drawdown(r) == pytest.approx(1 - equity[3] / equity[2])


def test_months_compound_their_sessions():
    days = [dt.date(2026, 1, 30), dt.date(2026, 2, 2), dt.date(2026, 2, 3)]
    assert returns.monthly(days, np.array([0.1, 0.1, -0.1])) == [
        (2026, 1, pytest.approx(0.1)), (2026, 2, pytest.approx(-0.01)),
    ]  # fmt: skip


def test_without_sessions_or_losses_a_measure_has_no_meaning():
    nothing = returns.described(returns.from_equity([], 1e6))
    assert nothing.pop("longest_drawdown") == 0
    assert all(value != value for value in nothing.values())
    assert np.isnan(returns.omega(np.array([0.01, 0.02])))
    assert set(returns.described(R[0])) == set(returns.NAMES)
    assert set(returns.against(R[0], B[0])) >= {"alpha", "beta", "tracking_error", "up_capture", "down_capture"}
