"""A feature row is the ten indicators of one bar, the same from a list or an array, from the start or from a save."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.core.test_indicators import walk
from trading.core.bounds import fields
from trading.core.features import FEATURES_MEMORY, Bar, Windows, advance_features

BARS_A_DAY = 75


def bars(seed, n=300, unknown=()):
    """Return a random walk in sessions of 75 bars, with volumes; those at ``unknown`` are not known."""
    rng = np.random.default_rng(seed)
    volume = rng.integers(0, 9000, n).astype(float)
    volume[list(unknown)] = math.nan
    columns = (c.tolist() for c in (*walk(seed, n), volume))
    return [
        Bar(*row, math.nan, 739_000 + i // BARS_A_DAY, i % BARS_A_DAY * 5, 0, i * 300)
        for i, row in enumerate(zip(*columns, strict=True))
    ]


def rows(given_bars, windows=None, m=None, start=0):
    """Return the feature rows of the bars."""
    memory = [0.0] * FEATURES_MEMORY if m is None else m
    chosen = windows or Windows()
    return [advance_features(memory, start + i, bar, chosen) for i, bar in enumerate(given_bars)]


def column(features, name):
    return np.array([getattr(each, name) for each in features])


@given(
    st.integers(0, 2**32 - 1),
    st.builds(
        Windows, *[st.integers(3, 40) if name == "adx" else st.integers(5, 60) for name in Windows._fields]
    ),
)  # fmt: skip
def test_every_column_is_talibs_whatever_the_windows(seed, w):
    some = bars(seed)
    found = rows(some, w)
    h, l, c = (np.array([each[k] for each in some]) for k in (1, 2, 3))
    upper, _, lower = talib.BBANDS(c, w.bollinger, 2, 2)
    _, signal, _ = talib.MACD(c, 12, 26, 9)
    theirs = {
        "close": c, "sma": talib.SMA(c, w.sma), "ema": talib.EMA(c, w.ema), "rsi": talib.RSI(c, w.rsi),
        "atr": talib.ATR(h, l, c, w.atr), "adx": talib.ADX(h, l, c, w.adx), "macd_signal": signal,
        "bollinger_upper": upper, "bollinger_lower": lower, "return_1": talib.ROCP(c, 1),
    }  # fmt: skip
    for name, expected in theirs.items():
        np.testing.assert_allclose(column(found, name), expected, rtol=1e-9, atol=1e-9, err_msg=name)


def test_a_row_remembers_what_the_row_before_said():
    found = rows(bars(1))
    for before, now in pairwise(found):
        was = [before.close, before.sma, before.rsi]
        np.testing.assert_array_equal([now.close_before, now.sma_before, now.rsi_before], was)
    assert math.isnan(found[0].close_before)
    assert math.isnan(found[0].return_1)


def test_vwap_starts_anew_with_the_session():
    found = rows(bars(2))
    for day in range(4):
        one = bars(2)[day * BARS_A_DAY : (day + 1) * BARS_A_DAY]
        typical = np.array([(b.high + b.low + b.close) / 3 for b in one])
        volume = np.array([b.volume for b in one])
        with np.errstate(invalid="ignore"):
            expected = np.cumsum(typical * volume) / np.cumsum(volume)
        got = column(found, "vwap")[day * BARS_A_DAY : (day + 1) * BARS_A_DAY]
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_an_unknown_volume_leaves_every_price_feature_and_every_later_window_alone():
    known, holed = rows(bars(3)), rows(bars(3, unknown=[100]))
    for name in known[0]._fields:
        if name not in ("vwap", "volume_ratio"):
            np.testing.assert_array_equal(column(known, name), column(holed, name), err_msg=name)
    gone = np.flatnonzero(np.isnan(column(holed, "volume_ratio")) & ~np.isnan(column(known, "volume_ratio")))
    assert gone.tolist() == list(range(100, 120))
    gone = np.flatnonzero(np.isnan(column(holed, "vwap")))
    assert gone.tolist() == list(range(100, 150))


@given(st.integers(1, 299))
def test_a_lane_saved_as_json_and_restored_goes_on_bit_for_bit(n):
    some, m = bars(4), [0.0] * FEATURES_MEMORY
    whole = rows(some)
    rows(some[:n], m=m)
    again = json.loads(json.dumps(m))
    np.testing.assert_array_equal(np.array(rows(some[n:], m=again, start=n)), np.array(whole[n:]))


def test_memory_may_be_a_list_or_an_array():
    some = bars(5)
    np.testing.assert_array_equal(np.array(rows(some)), np.array(rows(some, m=np.zeros(FEATURES_MEMORY))))


def test_no_two_windows_could_outgrow_the_ring():
    assert all(field.bound.high <= 511 for field in fields(Windows).values())


@pytest.mark.parametrize(("name", "first"), [("sma", 19), ("ema", 49), ("rsi", 14), ("atr", 14), ("adx", 27)])
def test_each_feature_is_nan_until_it_is_warm(name, first):
    values = column(rows(bars(6)), name)
    assert np.isnan(values[:first]).all()
    assert not np.isnan(values[first:]).any()
