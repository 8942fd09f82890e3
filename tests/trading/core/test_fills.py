"""Prices are slipped and rounded against us, a bar gives a share of its volume, and a gap fills at the open."""

from __future__ import annotations

import math
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from trading.core.fills import NO_CAP, capacity, on_tick, protection, slipped
from trading.core.state import NOTHING, STOP_LOSS, TAKE_PROFIT

prices = st.floats(0.05, 100_000)
grid = st.sampled_from([0.01, 0.05, 0.1, 0.5])
slips = st.floats(0, 500)


@given(prices, slips, grid)
def test_a_buy_never_fills_below_and_a_sell_never_above_the_price_before_slippage(price, bps, tick):
    hair = 2e-6 * tick + 1e-9 * price
    assert slipped(price, 1, bps, tick) >= price - hair
    assert slipped(price, -1, bps, tick) <= max(price, tick) + hair


@given(prices, slips, grid, st.sampled_from([1, -1]))
def test_a_fill_lies_on_the_tick_grid_in_whole_paise_at_most_one_tick_from_the_slipped_price(price, bps, tick, way):
    got = slipped(price, way, bps, tick)
    steps = Decimal(str(got)) / Decimal(str(tick))
    assert steps == steps.to_integral_value()
    assert steps >= 1
    assert abs(got - max(price * (1 + way * bps * 1e-4), tick)) <= tick * (1 + 1e-6)


@given(st.integers(1, 2_000_000), grid, st.sampled_from([1, -1]))
def test_a_price_on_the_grid_stays_where_it_is_without_slippage(steps, tick, way):
    price = float(Decimal(steps) * Decimal(str(tick)))
    assert slipped(price, way, 0.0, tick) == price


def test_two_basis_points_of_1000_rupees_are_20_paise_each_way():
    assert slipped(1000.0, 1, 2.0, 0.05) == 1000.20
    assert slipped(1000.0, -1, 2.0, 0.05) == 999.80


def test_without_a_tick_the_price_stays_off_the_grid():
    assert on_tick(100.1234, 1, 0.0) == 100.1234


def test_a_penny_stock_is_never_sold_for_nothing():
    assert slipped(0.05, -1, 50.0, 0.05) == 0.05


@given(st.floats(0, 1e9), st.floats(0.001, 1))
def test_a_bar_gives_whole_shares_and_no_more_than_its_share_of_volume(volume, share):
    got = capacity(volume, share)
    assert isinstance(got, int)
    assert volume * share - 1 < got <= volume * share


def test_an_unknown_volume_or_no_participation_sets_no_cap():
    assert capacity(math.nan, 0.1) == NO_CAP
    assert capacity(5.0, 0.0) == NO_CAP
    assert capacity(0.0, 0.1) == 0


def test_a_long_leaves_at_its_stop_and_a_gap_below_it_at_the_open():
    assert protection(1, 100, 101, 97, 98, 110) == (STOP_LOSS, 98)
    assert protection(1, 95, 96, 94, 98, 110) == (STOP_LOSS, 95)


def test_a_long_leaves_at_its_target_and_a_gap_above_it_at_the_open():
    assert protection(1, 105, 111, 104, 98, 110) == (TAKE_PROFIT, 110)
    assert protection(1, 112, 113, 111, 98, 110) == (TAKE_PROFIT, 112)


def test_a_short_is_the_mirror_of_a_long():
    assert protection(-1, 100, 103, 99, 102, 90) == (STOP_LOSS, 102)
    assert protection(-1, 105, 106, 104, 102, 90) == (STOP_LOSS, 105)
    assert protection(-1, 95, 96, 89, 102, 90) == (TAKE_PROFIT, 90)
    assert protection(-1, 88, 89, 87, 102, 90) == (TAKE_PROFIT, 88)


def test_a_bar_that_holds_both_levels_is_taken_to_meet_the_stop_first():
    assert protection(1, 100, 111, 97, 98, 110) == (STOP_LOSS, 98)
    assert protection(-1, 100, 111, 89, 110, 90) == (STOP_LOSS, 110)


@given(st.floats(1, 100), st.floats(1, 100), st.floats(1, 100), st.sampled_from([1, -1]))
def test_no_levels_means_nothing_happens(o, h, l, side):
    assert protection(side, o, max(o, h, l), min(o, h, l), 0.0, 0.0) == (NOTHING, 0.0)
