"""A label is what the desk's own lines would have earned with that trade alone, and knows when that was known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.core.assembly import first_bars
from models_ml.core.labels import LONG, NOOP, REACHED, SHORT, STOPPED, TIMED, UNKNOWN, Barriers, label
from tests.models_ml.core.lanes import CHARGES, DELIVERY, FREE, crafted, lane
from tests.trading.core.desks import Desk, rules
from trading.core.bars import DAY
from trading.core.bounds import make
from trading.core.errors import Invalid
from trading.core.features import Bar
from trading.core.signals import FLAT, STAY

NO_ATR = np.zeros(0)
PLAIN = Barriers(target=0.02, stop=0.015, by_atr=0, horizon=5, entry_cutoff=0)
UNSLIPPED = PLAIN._replace(slippage=0.0)


def traded(given_lane, i, way, b, charges, minutes):
    """Let the real desk take one trade of row ``i``; return its net fraction, or None while it is still open."""
    setup = rules(
        minutes, sizing="notional", notional=b.value, stop_loss=b.stop, take_profit=b.target, slippage=b.slippage,
        intraday=b.intraday, square_off=b.square_off, entry_cutoff=b.entry_cutoff, flat=-1.0, allow_short=1,
    )  # fmt: skip
    desk = Desk(setup, charges=charges, capital=1e9)
    columns = (*given_lane.bars.columns()[1:], given_lane.places.session, given_lane.places.left, given_lane.bars.ts)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    for k in range(i, len(rows)):
        o, h, l, c, v, session, left, ts = rows[k]
        say = way if k == i else FLAT if k == i + b.horizon else STAY
        desk.feed(Bar(o, h, l, c, v, float("nan"), session, say, left, ts))
        if trades := desk.trades():
            (trade,) = trades
            return trade["net"] / (trade["quantity"] * trade["entry_price"])
    return None


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, -1]), st.integers(1, 12), st.sampled_from([0.004, 0.012, 0.03]))
def test_an_intraday_label_is_the_trade_the_desk_would_have_made(seed, way, horizon, width):
    some = lane(seed, days=2, a_day=12)
    b = PLAIN._replace(horizon=horizon, stop=width, target=width * 1.5)
    found = label(some, 5, b, CHARGES, NO_ATR)
    for i in range(0, 24, 5):
        net = traded(some, i, way, b, CHARGES, 5)
        mine = found.net[i, 0 if way > 0 else 1]
        assert (net is None) == bool(np.isnan(mine))
        assert net is None or mine == pytest.approx(net, rel=1e-12)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.sampled_from([0.01, 0.05]))
def test_a_swing_label_pays_for_delivery_as_the_desk_does(seed, horizon, width):
    some = lane(seed, days=14, minutes=DAY)
    b = PLAIN._replace(horizon=horizon, stop=width, target=width * 2, intraday=0, shorts=0)
    found = label(some, DAY, b, DELIVERY, NO_ATR)
    for i in range(0, 14, 3):
        net = traded(some, i, 1, b, DELIVERY, DAY)
        assert (net is None) == bool(np.isnan(found.net[i, 0]))
        assert net is None or found.net[i, 0] == pytest.approx(net, rel=1e-12)
    assert SHORT not in found.y


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 44), st.integers(1, 20), st.sampled_from([0, 1]))
def test_what_is_known_at_a_moment_is_never_taken_back(seed, n, horizon, intraday):
    some = lane(seed, days=3, a_day=15)
    b = PLAIN._replace(horizon=horizon, intraday=intraday)
    whole, early = label(some, 5, b, CHARGES, NO_ATR), label(first_bars(some, n), 5, b, CHARGES, NO_ATR)
    known = early.known
    assert np.array_equal(early.y[known], whole.y[:n][known])
    assert np.array_equal(early.net[known], whole.net[:n][known])
    assert np.array_equal(early.end[known], whole.end[:n][known])
    assert (early.end[known] <= some.bars.ts[n - 1] + 300).all()
    later = whole.known[:n] & (whole.end[:n] > some.bars.ts[n - 1] + 300)
    assert (early.y[later] == UNKNOWN).all()


def test_a_row_whose_trade_cannot_have_ended_yet_has_no_label():
    calm = crafted([(100.0, 100.1, 99.9, 100.0)] * 9, left=[300] * 9)
    found = label(calm, 5, PLAIN, CHARGES, NO_ATR)
    assert found.y[:3].tolist() == [NOOP] * 3
    assert (found.y[3:] == UNKNOWN).all()
    assert np.isnan(found.net[3:]).all()
    assert (found.end[3:] == -1).all()


def test_when_stop_and_target_lie_in_one_bar_the_stop_came_first_and_the_label_says_so():
    wide = crafted([(100.0, 100.0, 100.0, 100.0), (100.0, 106.0, 94.0, 100.0), *[(100.0, 100.0, 100.0, 100.0)] * 6])
    found = label(wide, 5, PLAIN._replace(stop=0.05, target=0.05), CHARGES, NO_ATR)
    assert found.how[0].tolist() == [STOPPED, STOPPED]
    assert found.ambiguous.tolist()[:2] == [True, False]
    assert found.net[0].max() < -0.05
    assert found.ambiguous_share == pytest.approx(1 / found.known.sum())


def test_the_side_that_pays_after_charges_is_the_label():
    up = [(100.0 + k, 101.0 + k, 99.9 + k, 100.9 + k) for k in range(8)]
    found = label(crafted(up), 5, PLAIN, CHARGES, NO_ATR)
    assert found.y[0] == LONG
    assert found.how[0].tolist() == [REACHED, STOPPED]
    assert found.net[0, 0] == pytest.approx(0.02, abs=0.0015)
    down = [(100.0 - k, 100.1 - k, 99.0 - k, 99.1 - k) for k in range(8)]
    assert label(crafted(down), 5, PLAIN, CHARGES, NO_ATR).y[0] == SHORT
    tiny = [(100.0, 100.06, 100.0, 100.05)] + [(100.0, 100.06, 99.99, 100.05)] * 7
    left_as_it_was = label(crafted(tiny), 5, PLAIN, CHARGES, NO_ATR)
    assert left_as_it_was.y[0] == NOOP
    assert left_as_it_was.how[0].tolist() == [TIMED, TIMED]
    assert label(crafted(up), 5, PLAIN._replace(hurdle=0.03), CHARGES, NO_ATR).y[0] == NOOP


def test_the_same_moves_pay_without_charges_and_do_not_pay_with_them():
    small = [(100.0 + 0.02 * k, 100.04 + 0.02 * k, 100.0 + 0.02 * k, 100.02 + 0.02 * k) for k in range(8)]
    assert label(crafted(small), 5, UNSLIPPED, FREE, NO_ATR).y[0] == LONG
    assert label(crafted(small), 5, UNSLIPPED, CHARGES, NO_ATR).y[0] == NOOP


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_an_intraday_label_ends_with_its_session(seed, horizon):
    some = lane(seed, days=3, a_day=15)
    found = label(some, 5, PLAIN._replace(horizon=horizon), CHARGES, NO_ATR)
    known = found.known
    assert known.any()
    assert (found.end[known] > some.bars.ts[known]).all()
    days = (found.end[known] - 1 + 19_800) // 86_400 + 719_163
    assert np.array_equal(days, some.places.session[known])


def test_a_symbol_that_stops_trading_is_valued_at_its_last_price_of_the_session():
    halted = lane(5, days=2, a_day=15)
    keep = np.r_[0:9, 15:30]  # nothing after the ninth bar of the first day
    cut = first_bars(halted, 30)
    bars = type(cut.bars)(*(column[keep] for column in cut.bars.columns()))
    places = type(cut.places)(*(getattr(cut.places, name)[keep] for name in ("session", "minute", "left", "inside")))
    found = label(type(cut)(cut.spec, bars, places), 5, UNSLIPPED._replace(stop=0.3, target=0.3), FREE, NO_ATR)
    assert found.y[6] != UNKNOWN
    assert found.end[6] == bars.ts[8] + 300
    assert found.net[6, 0] == pytest.approx(bars.close[8] / bars.open[7] - 1.0, abs=1e-6)
    assert found.y[8] == UNKNOWN
    assert not found.enterable[8]


def test_barriers_may_follow_the_average_true_range():
    some = lane(3, days=2, a_day=15)
    n = len(some.bars)
    atr = np.where(np.arange(n) < 4, np.nan, 0.01 * some.bars.close)
    wide = label(some, 5, PLAIN._replace(by_atr=1, target=2.0, stop=2.0), CHARGES, atr)
    fixed = label(some, 5, PLAIN._replace(target=0.02, stop=0.02), CHARGES, NO_ATR)
    assert (wide.y[:4] == UNKNOWN).all()
    both = wide.known & fixed.known
    assert both.any()
    np.testing.assert_allclose(wide.net[both], fixed.net[both], atol=1e-5)
    with pytest.raises(Invalid, match="3 average true ranges for 30 bars"):
        label(some, 5, PLAIN._replace(by_atr=1), CHARGES, np.ones(3))


def test_barriers_out_of_bounds_are_refused_by_name():
    with pytest.raises(Invalid, match="horizon=0 is out of bounds: use 1 to 1000 bars"):
        make(Barriers, {"horizon": 0})


def test_without_a_known_label_no_share_is_ambiguous():
    calm = crafted([(100.0, 100.1, 99.9, 100.0)] * 2)
    assert np.isnan(label(calm, 5, PLAIN, CHARGES, NO_ATR).ambiguous_share)
