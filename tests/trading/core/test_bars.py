"""Bars as columns: cutting, naming intervals, and making coarser bars."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.bars import ALIASES, INTERVALS, Bars, alias, empty, interval, ordinals, resample
from trading.core.errors import Invalid

OPEN = int(dt.datetime.fromisoformat("2024-01-02T09:15+05:30").timestamp())


def wave(count: int, *, start: int = OPEN, step: int = 60) -> Bars:
    close = 100 + np.sin(np.arange(count, dtype=np.float64))
    ts = start + step * np.arange(count, dtype=np.int64)
    return Bars(ts, close, close + 1, close - 1, close, np.arange(count, dtype=np.float64))


@pytest.mark.parametrize("name", [*INTERVALS, *ALIASES, " 5M ", "1DAY"])
def test_an_interval_has_one_name_and_its_aliases(name):
    assert interval(name) in INTERVALS
    assert interval(alias(name)) == interval(name)


def test_an_unknown_interval_is_refused_with_those_that_are_known():
    with pytest.raises(Invalid, match=r"'2m' is not known: use one of 1minute, .*1day"):
        interval("2m")


def test_columns_of_different_lengths_are_refused():
    one, two = np.ones(1), np.ones(2)
    with pytest.raises(Invalid, match="one length"):
        Bars(np.ones(2, dtype=np.int64), one, two, two, two, two)


def test_columns_must_be_one_dimensional():
    square = np.ones((2, 2))
    with pytest.raises(Invalid, match="one-dimensional"):
        Bars(square.astype(np.int64), square, square, square, square, square)


@given(count=st.integers(0, 20), n=st.integers(0, 25))
def test_until_keeps_the_first_bars_without_copying(count, n):
    bars = wave(count)
    cut = bars.until(n)
    assert len(cut) == min(count, n)
    assert not len(cut) or np.shares_memory(cut.close, bars.close)


def test_until_refuses_a_negative_count():
    with pytest.raises(Invalid, match="-1"):
        wave(3).until(-1)


@given(start=st.integers(-5, 15), end=st.integers(-5, 15))
def test_between_takes_the_start_and_leaves_the_end(start, end):
    bars = wave(10)
    cut = bars.between(OPEN + 60 * start, OPEN + 60 * end)
    expected = [ts for ts in bars.ts.tolist() if OPEN + 60 * start <= ts < OPEN + 60 * end]
    assert cut.ts.tolist() == expected


def test_ordinals_are_the_days_of_the_exchange():
    late = int(dt.datetime.fromisoformat("2024-01-02T23:59:59+05:30").timestamp())
    assert ordinals(np.array([late, late + 1])).tolist() == [
        dt.date(2024, 1, 2).toordinal(),
        dt.date(2024, 1, 3).toordinal(),
    ]


@given(count=st.integers(1, 400), minutes=st.sampled_from([5, 15, 30]))
def test_coarser_bars_keep_the_extremes_the_ends_and_the_volume(count, minutes):
    bars = wave(count)
    coarse = resample(bars, minutes)
    assert len(coarse) == -(-count // minutes)
    assert coarse.open[0] == bars.open[0]
    assert coarse.close[-1] == bars.close[-1]
    assert coarse.high.max() == bars.high.max()
    assert coarse.low.min() == bars.low.min()
    assert coarse.volume.sum() == bars.volume.sum()
    assert np.all((coarse.ts - OPEN) % (60 * minutes) == 0)


def test_one_unknown_volume_makes_the_coarser_volume_unknown():
    bars = wave(10)
    bars.volume[3] = np.nan
    assert np.isnan(resample(bars, 5).volume).tolist() == [True, False]


def test_coarser_bars_count_from_an_opening_at_an_odd_minute():
    start = OPEN + 7 * 60
    bars = wave(10, start=start)
    coarse = resample(bars, 5, opens=np.full(10, start))
    assert coarse.ts.tolist() == [start, start + 300]


def test_a_day_starts_at_midnight_in_india():
    bars = wave(3, step=86_400)
    assert resample(bars, 1440).ts.tolist() == [OPEN - (9 * 60 + 15) * 60 + 86_400 * day for day in range(3)]


def test_nothing_resampled_is_nothing():
    assert len(resample(empty(), 5)) == 0


def test_bars_of_less_than_a_minute_are_refused():
    with pytest.raises(Invalid, match="not 0"):
        resample(wave(2), 0)
