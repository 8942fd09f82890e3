"""Indicators say what TA-Lib, numpy and pandas say, one bar at a time, and never drift."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from trading.core import indicators as ta
from trading.core.indicators import MASK, RING

seeds = st.integers(0, 2**32 - 1)
windows = st.integers(2, 60)
ticks = st.sampled_from([0.05, 0.1, 0.01, 0.0001])


def walk(seed, n=400, tick=0.05, start=None, volatility=0.004):
    """Return open, high, low and close of a random walk on a grid of ``tick``."""
    rng = np.random.default_rng(seed)
    first = rng.uniform(20, 4000) if start is None else start
    path = first * np.exp(np.cumsum(rng.normal(0, volatility, (n, 4)).ravel())).reshape(n, 4)
    path = np.maximum(np.round(path / tick), 1) * tick
    path = np.round(path, 4)
    return path[:, 0], path.max(1), path.min(1), path[:, 3]


def with_pauses(closes, seed, longest=30):
    """Return the walk with stretches in which the price stands still."""
    rng = np.random.default_rng(seed)
    lengths = np.where(rng.random(len(closes)) < 0.05, rng.integers(2, longest, len(closes)), 1)
    return np.repeat(closes, lengths)[: len(closes)]


def over(step, *columns):
    """Return step(i, *row) for each bar as an array."""
    return np.array([step(i, *row) for i, row in enumerate(zip(*(c.tolist() for c in columns), strict=True))])


def rolling_sma(closes, n):
    m, total = [0.0] * RING, 0.0

    def step(i, close):
        nonlocal total
        total, average = ta.sma(total, m, 0, i, n, ta.units(close))
        m[i & MASK] = ta.units(close)
        return average

    return over(step, closes)


def rolling_deviation(closes, n):
    m = [0.0] * (3 + RING)

    def step(i, close):
        spread = ta.deviation(m, 0, 3, i, n, ta.units(close))
        m[3 + (i & MASK)] = ta.units(close)
        return spread

    return over(step, closes)


def wilder_rsi(closes, n):
    gain = loss = before = 0.0

    def step(i, close):
        nonlocal gain, loss, before
        gain, loss = ta.wilder_moves(gain, loss, before, i, n, close)
        before = close
        return ta.rsi(gain, loss) if i >= n else math.nan

    return over(step, closes)


def same(ours, theirs, rtol=1e-9, atol=0.0):
    """Agree wherever the other library speaks, and be silent before."""
    first = np.flatnonzero(~np.isnan(theirs))[0]
    assert np.isnan(ours[:first]).all()
    np.testing.assert_allclose(ours[first:], theirs[first:], rtol=rtol, atol=atol)


@given(seeds, windows, ticks)
def test_the_simple_average_is_talibs(seed, n, tick):
    close = with_pauses(walk(seed, tick=tick)[3], seed)
    same(rolling_sma(close, n), talib.SMA(close, n))


@given(seeds, windows, ticks)
def test_the_exponential_average_is_talibs(seed, n, tick):
    close, m = with_pauses(walk(seed, tick=tick)[3], seed), [0.0]
    same(over(lambda i, x: ta.ema(m, 0, i, n, x), close), talib.EMA(close, n))


@given(seeds, st.integers(5, 60), ticks)
def test_the_strength_index_is_talibs(seed, n, tick):
    close = with_pauses(walk(seed, tick=tick)[3], seed)
    moved = close != close[0]  # until it has, TA-Lib says 0 and we say 100: see below
    theirs = np.where(np.logical_or.accumulate(moved) | (np.arange(400) < n), talib.RSI(close, n), 100.0)
    same(wilder_rsi(close, n), theirs, atol=1e-9)


def test_a_price_that_never_moved_or_never_fell_has_strength_100_where_talib_says_0_for_the_first():
    still, rising = np.full(40, 250.0), np.arange(100.0, 140.0)
    assert (wilder_rsi(still, 14)[14:] == 100.0).all()
    assert (talib.RSI(still, 14)[14:] == 0.0).all()
    assert (wilder_rsi(rising, 14)[14:] == 100.0).all()
    assert (wilder_rsi(rising[::-1].copy(), 14)[14:] == 0.0).all()


@given(seeds, windows, ticks)
def test_the_average_true_range_is_talibs(seed, n, tick):
    _, high, low, close = walk(seed, tick=tick)
    m, before = [0.0], np.append(math.nan, close[:-1])
    ours = over(lambda i, h, l, c: ta.wilder(m, 0, i, n, ta.true_range(h, l, c)), high, low, before)
    same(ours, talib.ATR(high, low, close, n))


@given(seeds, windows, ticks)
def test_bollingers_bands_are_talibs(seed, n, tick):
    close = walk(seed, tick=tick)[3]
    middle, spread = rolling_sma(close, n), rolling_deviation(close, n)
    upper, _, lower = talib.BBANDS(close, n, 2, 2)
    same(middle + 2.0 * spread, upper)
    same(middle - 2.0 * spread, lower)


@given(seeds, windows)
def test_the_deviation_is_numpys_and_exactly_0_while_the_price_stands_still(seed, n):
    close = with_pauses(walk(seed)[3], seed, longest=90)
    ours = rolling_deviation(close, n)
    views = np.lib.stride_tricks.sliding_window_view(close, n)
    np.testing.assert_allclose(ours[n - 1 :], views.std(1), rtol=1e-9, atol=1e-9)
    still = np.ptp(views, 1) == 0.0
    assert (ours[n - 1 :][still] < 1e-9).all()


@given(seeds, ticks)
def test_macd_and_its_signal_line_are_talibs(seed, tick):
    close, m = walk(seed, tick=tick)[3], [0.0] * 3
    ours = over(lambda i, x: ta.macd(m, 0, i, x), close)
    line, signal, _ = talib.MACD(close, 12, 26, 9)
    assert np.isnan(ours[:25]).all()
    assert not np.isnan(ours[25:, 0]).any()  # the line speaks as soon as it can; TA-Lib waits for the signal line
    both = ~np.isnan(signal)
    np.testing.assert_allclose(ours[both, 0], line[both], rtol=1e-9, atol=1e-9)
    same(ours[:, 1], signal, atol=1e-9)


@given(seeds, st.integers(3, 40), ticks)
def test_the_directional_index_is_talibs(seed, n, tick):
    _, high, low, close = walk(seed, tick=tick)
    m = [0.0] * 8
    ours = over(lambda i, h, l, c: ta.adx(m, 0, i, n, h, l, c), high, low, close)
    same(ours, talib.ADX(high, low, close, n), atol=1e-9)


def test_a_market_that_stands_still_has_no_direction():
    m = [0.0] * 8
    ours = over(lambda i, x: ta.adx(m, 0, i, 5, x, x, x), np.full(40, 80.0))
    assert np.isnan(ours[:9]).all()
    assert (ours[9:] == 0.0).all()


@given(seeds, st.integers(2, 400))
def test_two_equal_stretches_have_bit_for_bit_equal_averages_whatever_came_before_them(seed, n):
    rng = np.random.default_rng(seed)
    stretch = np.round(rng.uniform(10, 3000, n), 4)
    dull, wild = np.full(150, 1.0), np.round(rng.uniform(1, 90_000, 700), 4)
    after = [rolling_sma(np.concatenate([past, stretch]), n)[-1] for past in (dull, wild, dull[:0])]
    assert after[0] == after[1] == after[2]
    assert after[0] == pytest.approx(stretch.mean(), rel=1e-12)


@given(st.floats(0.01, 1e6))
def test_units_are_whole_and_within_half_of_one(price):
    u = ta.units(price)
    assert u == int(u)
    assert abs(u - price * 1e4) <= 0.5 + 1e-6


def test_the_average_after_a_hundred_thousand_prices_has_not_drifted():
    close = np.round(np.random.default_rng(3).uniform(90, 110, 100_000), 2)
    assert rolling_sma(close, 50)[-1] == pytest.approx(math.fsum(close[-50:]) / 50, rel=1e-15)


def session_vwap(new, price, volume):
    m = [0.0, 0.0]
    return over(lambda i, start, p, v: ta.vwap(m, 0, bool(start), p, v), new, price, volume)


@given(seeds)
def test_vwap_begins_afresh_each_session(seed):
    rng = np.random.default_rng(seed)
    price, volume = rng.uniform(100, 110, 90), rng.integers(1, 5000, 90).astype(float)
    session = np.repeat([0, 1, 2], 30)
    frame = pd.DataFrame({"pv": price * volume, "v": volume, "s": session})
    sums = frame.groupby("s")[["pv", "v"]].cumsum()
    ours = session_vwap(np.arange(90) % 30 == 0, price, volume)
    np.testing.assert_allclose(ours, sums.pv / sums.v, rtol=1e-12)


def test_vwap_is_unknown_until_shares_trade_and_from_an_unknown_volume_to_the_sessions_end():
    new = np.array([1, 0, 0, 0, 1, 0])
    price, volume = np.full(6, 100.0), np.array([0.0, 10.0, math.nan, 10.0, 10.0, 10.0])
    assert np.isnan(session_vwap(new, price, volume)).tolist() == [True, False, True, True, False, False]


def ratios(volume, n):
    m = [0.0] * (2 + RING)
    return over(lambda i, v: ta.volume_ratio(m, 0, 2, i, n, v), volume)


@given(seeds, windows)
def test_the_volume_ratio_is_pandas_and_an_unknown_volume_never_poisons_a_later_window(seed, n):
    rng = np.random.default_rng(seed)
    volume = rng.integers(0, 10_000, 400).astype(float)
    volume[rng.random(400) < 0.02] = math.nan
    mean = pd.Series(volume).rolling(n).mean().to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.where(mean > 0, volume / mean, math.nan)
    np.testing.assert_allclose(ratios(volume, n), expected, rtol=1e-12)


def test_no_trading_at_all_has_no_volume_ratio():
    assert np.isnan(ratios(np.zeros(10), 3)).all()
