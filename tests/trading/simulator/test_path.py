"""Ticks inside a bar: together again they are exactly the recorded bar."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.core import demo
from trading.core.bars import Bars
from trading.core.calendar import NSE
from trading.core.errors import Invalid
from trading.core.exchange import path

START = 1_795_405_500


PRICE, SHARES = st.integers(1, 40_000), st.integers(0, 10**8) | st.just(float("nan"))
ROWS = st.lists(st.tuples(PRICE, PRICE, PRICE, PRICE, SHARES), min_size=1, max_size=8)


def bars_of(rows, unit):
    """Bars of some prices in units of ``unit`` rupees (on the 5-paise grid or off it) and some volumes."""
    prices = np.round(np.array([row[:4] for row in rows]) * unit, 4)
    ts = START + 60 * np.arange(len(rows), dtype=np.int64)
    volumes = np.array([row[4] for row in rows], dtype=np.float64)
    return Bars(ts, prices[:, 0], prices.max(axis=1), prices.min(axis=1), prices[:, 1], volumes)


def recorded():
    return st.builds(bars_of, ROWS, st.sampled_from([0.05, 0.0137]))


def made(bars, count, *, seed=7, tick=0.05, seconds=60):
    lengths = np.full(len(bars), seconds, np.int64)
    return path.ticks(bars, bars.ts, lengths, count=count, tick=tick, key=path.key(seed, "RELIANCE"))


@settings(deadline=None, max_examples=60)
@given(recorded(), st.integers(4, 40))
def test_the_ticks_of_a_bar_give_back_the_bar(bars, count):
    ticks = made(bars, count)
    price, volume = ticks.price.reshape(-1, count), ticks.volume.reshape(-1, count)
    assert (price[:, 0] == bars.open).all()
    assert (price[:, -1] == bars.close).all()
    assert (price.max(axis=1) == bars.high).all()
    assert (price.min(axis=1) == bars.low).all()
    assert (volume.sum(axis=1) == np.nan_to_num(bars.volume)).all()
    assert volume.min() >= 0


@settings(deadline=None, max_examples=60)
@given(recorded(), st.integers(4, 400))
def test_the_times_rise_strictly_inside_their_bar(bars, count):
    ticks = made(bars, count)
    since = ticks.ms.reshape(-1, count) - bars.ts[:, None] * 1000
    assert (np.diff(ticks.ms) > 0).all()
    assert since[:, 0].max() == 0
    assert since.max() < 60_000


@settings(deadline=None, max_examples=60)
@given(recorded(), st.integers(4, 20), st.data())
def test_a_bar_has_the_same_ticks_whatever_is_made_with_it(bars, count, data):
    first = data.draw(st.integers(0, len(bars) - 1))
    whole, part = made(bars, count), made(bars.between(int(bars.ts[first]), 1 << 40), count)
    assert (whole.ms[first * count :] == part.ms).all()
    assert (whole.price[first * count :] == part.price).all()
    assert (whole.volume[first * count :] == part.volume).all()


def test_a_rising_bar_sees_its_low_before_its_high_and_a_falling_one_after():
    bars = Bars(
        START + 60 * np.arange(2, dtype=np.int64), *np.array([[10.0, 11.0], [12, 12], [9, 9], [11, 10], [8, 8]])
    )
    rising, falling = made(bars, 6).price.reshape(-1, 6)
    assert rising.argmin() < rising.argmax()
    assert falling.argmax() < falling.argmin()


def test_steps_between_the_corners_lie_on_the_tick_grid():
    bars = demo.generate("DEMOBANK", NSE.sessions(dt.date(2026, 11, 23), dt.date(2026, 11, 23)), seed=7)
    steps = made(bars, 12).price / 0.05
    assert np.abs(steps - np.rint(steps)).max() < 1e-6


def test_another_seed_goes_another_way_between_the_same_corners():
    bars = demo.generate("DEMOBANK", NSE.sessions(dt.date(2026, 11, 23), dt.date(2026, 11, 23)), seed=7)
    one, other = made(bars, 12, seed=1), made(bars, 12, seed=2)
    assert (one.price != other.price).any()
    assert one.volume.sum() == other.volume.sum()


def test_every_tick_trades_when_there_are_shares_enough():
    bars = Bars(np.array([START]), *np.array([[10.0], [12], [9], [11], [50]]))
    assert made(bars, 50).volume.tolist() == [1] * 50


@pytest.mark.parametrize(("count", "seconds"), [(3, 60), (2_000, 1)])
def test_too_few_and_too_many_ticks_are_refused(count, seconds):
    bars = Bars(np.array([START]), *np.array([[10.0], [12], [9], [11], [50]]))
    with pytest.raises(Invalid, match=str(count)):
        made(bars, count, seconds=seconds)
