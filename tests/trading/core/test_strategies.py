"""Every strategy decides from the past alone, keeps its words, and says why."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.core.panels import demo_panel, random_panel
from trading.core.bars import DAY, Bars
from trading.core.features import Bar, Features
from trading.core.indicators import RING
from trading.core.setups import make_setup
from trading.core.signals import DIRECTIONS, FLAT, LONG, SHORT, STAY
from trading.core.simulation import NO_CHARGES, simulate
from trading.core.state import CARRY, DAY_END, SIGNAL, TRADED, WIDTH
from trading.core.strategies import STRATEGIES, crossover, intraday, strategy, swing

QUICK = {
    "crossover": {"fast": 3, "slow": 7, "rsi": 5, "rsi_cap": 90},
    "intraday": {"sma": 4, "ema": 8, "rsi": 5, "rsi_low": 30, "rsi_high": 95, "adx_min": 0, "volume_min": 0},
    "swing": {"sma": 4, "ema": 8, "rsi": 5, "min_hold": 1, "max_hold": 4},
}  # fmt: skip
seeds = st.integers(0, 2**31)


def setup_of(name, **changes):
    minutes = DAY if strategy(name).KIND == "swing" else 5
    return make_setup(
        name, minutes, {**QUICK.get(name, {}), "flat": 0.0005, "allow_short": 1, "entry_cutoff": 5, **changes}
    )


def events(name, panel, **changes):
    """Return the event rows of an uncompiled run."""
    out = simulate(name, setup_of(name, **changes), panel, capital=1e6, charges=NO_CHARGES, compiled=False)
    return out.events.reshape(-1, WIDTH)


def agree_until(moment, whole, other):
    """All that happened before ``moment`` is in both, number for number; nothing else is older."""
    assert other[-1][0] == DAY_END  # the books are closed at the end of any run
    early = [k for k, row in enumerate(other[:-1]) if row[3] < moment]
    n = early[-1] + 1 if early else 0
    np.testing.assert_array_equal(whole[:n], other[:n])
    assert all(row[3] >= moment or row[0] == CARRY for row in (*whole[n:], *other[n:-1]))


def poisoned(moment, seed):
    """Return a change of bars that replaces everything from ``moment`` on with nonsense."""
    rng = np.random.default_rng(seed)

    def change(bars, scores):
        n = int(np.searchsorted(bars.ts, moment))
        wild = np.sort(np.round(rng.uniform(1, 9000, (len(bars), 4)), 2), axis=1)
        order = (1, 3, 0, 2)  # any open and close between low and high
        columns = [
            np.where(np.arange(len(bars)) < n, old, wild[:, k])
            for old, k in zip(bars.columns()[1:5], order, strict=True)
        ]
        volume = np.where(np.arange(len(bars)) < n, bars.volume, rng.integers(0, 10, len(bars)))
        return Bars(bars.ts, *columns, volume), np.where(np.arange(scores.size) < n, scores, -1.0)

    return change


@pytest.mark.parametrize("name", STRATEGIES)
@given(seed=seeds, cut=st.floats(0.02, 0.98))
@settings(max_examples=30)
def test_cutting_the_bars_at_any_moment_changes_nothing_that_happened_before(name, seed, cut):
    kind = strategy(name).KIND
    whole = random_panel(seed, kind=kind, news=True)
    moments = np.unique(whole.ts)
    moment = int(moments[max(1, int(cut * len(moments)))])
    short = random_panel(seed, kind=kind, news=True, until=moment)
    agree_until(moment, events(name, whole), events(name, short))


@pytest.mark.parametrize("name", STRATEGIES)
@given(seed=seeds, cut=st.floats(0.02, 0.98))
@settings(max_examples=30)
def test_nonsense_in_the_future_changes_nothing_that_happened_before(name, seed, cut):
    kind = strategy(name).KIND
    whole = random_panel(seed, kind=kind, news=True)
    moments = np.unique(whole.ts)
    moment = int(moments[max(1, int(cut * len(moments)))])
    other = random_panel(seed, kind=kind, news=True, change=poisoned(moment, seed))
    agree_until(moment, events(name, whole), events(name, other))


@pytest.mark.parametrize("name", STRATEGIES)
def test_on_the_demo_market_every_strategy_signals_and_trades(name):
    found = events(name, demo_panel(strategy(name).KIND))
    assert (found[:, 0] == SIGNAL).sum() > 5
    assert (found[:, 0] == TRADED).sum() > 2


@pytest.mark.parametrize("name", STRATEGIES)
@given(seed=seeds)
@settings(max_examples=10)
def test_opinions_have_a_direction_a_confidence_and_a_reason_that_can_be_told(name, seed):
    chosen, panel = strategy(name), random_panel(seed, kind=strategy(name).KIND, lanes=1)
    params, m = setup_of(name).params, [0.0] * chosen.MEMORY
    state = chosen.recall(m)
    for i, row in enumerate(zip(*(x.tolist() for x in panel.columns() if x.size), strict=True)):
        ts, o, h, l, c, v, session, minute, left = row
        state, f = chosen.advance(state, m, i, Bar(o, h, l, c, v, math.nan, session, minute, left, ts), params)
        for side in (-1, 0, 1):
            opinion = chosen.decide(f, side, params)
            assert opinion.direction in DIRECTIONS
            assert 0.0 <= opinion.confidence <= 1.0
            assert (opinion.direction == STAY) == (opinion.confidence == 0.0)
            assert "{" not in chosen.REASONS[opinion.reason].format(**chosen.described(f))
        assert math.isnan(chosen.volatility(f)) or chosen.volatility(f) >= 0.0


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_lane_can_be_saved_between_any_two_bars(name):
    chosen, panel = strategy(name), random_panel(7, kind=strategy(name).KIND, lanes=1)
    params, m = setup_of(name).params, [0.0] * chosen.MEMORY
    other, state = [0.0] * chosen.MEMORY, chosen.recall(m)
    columns = [x.tolist() for x in panel.columns() if x.size]
    for i, (ts, o, h, l, c, v, *place) in enumerate(zip(*columns, strict=True)):
        bar = Bar(o, h, l, c, v, math.nan, *place, ts)
        state, f = chosen.advance(state, m, i, bar, params)
        again, g = chosen.advance(chosen.recall(other), other, i, bar, params)
        chosen.keep(again, other)
        other = list(other)
        np.testing.assert_array_equal(f, g)


def test_every_strategy_offers_the_same_things():
    for chosen in STRATEGIES.values():
        assert chosen.KIND in ("intraday", "swing")
        assert set(chosen.WINDOWS) <= set(chosen.Params._fields)
        assert chosen.MEMORY >= RING


# ---- crossover ---------------------------------------------------------------------------------------------------

CROSS = crossover.Params(rsi_cap=70.0)


def averages(fast, slow, fast_before, slow_before, gain=1.0, loss=1.0):
    return crossover.Features(fast, slow, gain, loss, fast_before, slow_before)


def test_crossover_is_long_from_a_crossing_up_and_flat_from_a_crossing_down():
    assert crossover.decide(averages(11, 10, 9, 10), 0, CROSS).direction == LONG
    assert crossover.decide(averages(11, 10, 10, 10), 0, CROSS).direction == LONG
    assert crossover.decide(averages(9, 10, 11, 10), 1, CROSS).direction == FLAT
    assert crossover.decide(averages(11, 10, 11, 10), 0, CROSS).direction == STAY


def test_crossover_comes_too_late_at_its_cap_of_strength():
    late = crossover.decide(averages(11, 10, 9, 10, gain=7.0, loss=3.0), 0, CROSS)
    assert (late.direction, late.reason) == (STAY, 3)


def test_crossover_says_nothing_before_it_has_seen_enough():
    assert crossover.decide(averages(11, math.nan, 9, math.nan), 0, CROSS).direction == STAY
    assert crossover.decide(averages(11, 10, 9, math.nan), 0, CROSS).direction == STAY


# ---- intraday and swing ------------------------------------------------------------------------------------------

CALM = Features(
    close=100.0, sma=99.0, ema=95.0, rsi=60.0, vwap=98.0, atr=1.0, bollinger_upper=104.0, bollinger_lower=94.0,
    macd=0.1, macd_signal=0.0, adx=30.0, volume_ratio=1.5, return_1=0.01, close_before=98.0, sma_before=98.5,
    rsi_before=44.0,
)  # fmt: skip
MIRROR = CALM._replace(
    sma=101.0, ema=105.0, rsi=40.0, vwap=102.0, close_before=102.0, sma_before=101.5, rsi_before=56.0
)
DAYTIME = intraday.Params()
SWINGING = swing.Params()


def test_intraday_goes_long_when_the_price_retakes_its_average_with_the_trend():
    opinion = intraday.decide(CALM, 0, DAYTIME)
    assert (opinion.direction, opinion.reason) == (LONG, 1)
    assert opinion.confidence == pytest.approx(0.5 + 0.25 * 0.6 + 0.25 * 0.4)


def test_intraday_goes_short_on_the_mirror_image_with_the_same_confidence():
    long, short = intraday.decide(CALM, 0, DAYTIME), intraday.decide(MIRROR, 0, DAYTIME)
    assert (short.direction, short.reason) == (SHORT, 2)
    assert short.confidence == pytest.approx(long.confidence)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"close_before": 99.0}, 0), ({"ema": 101.0}, 8), ({"vwap": 101.0}, 8), ({"ema": math.nan}, 8),
        ({"rsi": 75.0}, 7), ({"rsi": math.nan}, 7), ({"adx": 10.0}, 5), ({"adx": math.nan}, 5),
        ({"volume_ratio": 0.5}, 6),
    ],
)  # fmt: skip
def test_intraday_stays_away_and_says_why(change, reason):
    opinion = intraday.decide(CALM._replace(**change), 0, DAYTIME)
    assert (opinion.direction, opinion.reason) == (STAY, reason)


def test_intraday_takes_an_unknown_volume_for_no_objection():
    assert intraday.decide(CALM._replace(volume_ratio=math.nan, vwap=math.nan), 0, DAYTIME).direction == LONG


def test_intraday_leaves_when_the_price_loses_its_average_whatever_the_trend():
    assert intraday.decide(MIRROR, 1, DAYTIME)[::2] == (FLAT, 3)
    assert intraday.decide(CALM, -1, DAYTIME)[::2] == (FLAT, 4)


def test_swing_buys_when_strength_returns_in_an_up_trend_and_sells_its_mirror():
    up = CALM._replace(rsi=50.0)
    down = MIRROR._replace(rsi=50.0)
    assert swing.decide(up, 0, SWINGING)[::2] == (LONG, 1)
    assert swing.decide(down, 0, SWINGING)[::2] == (SHORT, 2)
    assert swing.decide(up, 0, SWINGING).confidence == pytest.approx(0.8)
    assert swing.decide(up._replace(ema=101.0), 0, SWINGING).direction == STAY
    assert swing.decide(up._replace(rsi_before=math.nan), 0, SWINGING).direction == STAY


def test_swing_leaves_when_the_trend_breaks_or_the_move_is_spent():
    assert swing.decide(CALM._replace(ema=101.0), 1, SWINGING)[::2] == (FLAT, 3)
    assert swing.decide(MIRROR._replace(ema=99.0), -1, SWINGING)[::2] == (FLAT, 4)
    assert swing.decide(CALM._replace(rsi=73.0), 1, SWINGING)[::2] == (FLAT, 5)
    assert swing.decide(MIRROR._replace(rsi=27.0), -1, SWINGING)[::2] == (FLAT, 5)
    assert swing.decide(CALM, 1, SWINGING).direction == STAY
