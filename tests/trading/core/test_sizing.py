"""How many shares a signal is worth: fixed, by value, by Kelly, by volatility; and never more than is free."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.core.desks import Desk, bar, sized
from trading.core import state as slot
from trading.core.rules import SIZING_MODES, Sizing
from trading.core.signals import LONG
from trading.core.sizing import KELLY_TRADES, available, kelly_stake, shares, stake
from trading.core.state import new_account, new_lane

rupees = st.floats(0.01, 1e9)


def lane(wins=0, losses=0, won=0.0, lost=0.0, fixed=0):
    """Return a lane with a record."""
    L, K = new_lane(0, tick=0.05, lot=1, fixed=fixed)
    K[slot.WINS], K[slot.LOSSES], L[slot.WON], L[slot.LOST] = wins, losses, won, lost
    return L, K


def asked(sizing, price=100.0, atr=math.nan, *, equity=1_000_000.0, **record):
    """Return the stake of a sizing rule in rupees."""
    A, _ = new_account(equity)
    return stake(price, atr, *lane(**record), A, sizing)


def bought(mode, **changes):
    """Return how many shares at 100 rupees a signal orders."""
    lot, fixed, confidence = (changes.pop(k, d) for k, d in (("lot", 1), ("fixed", 0), ("confidence", 1.0)))
    atr, capital = changes.pop("atr", math.nan), changes.pop("capital", 1_000_000.0)
    desk = Desk(sized(mode, confidence=confidence, atr=atr, **changes), capital=capital, lot=lot, fixed=fixed)
    desk.feed(bar(100, say=LONG))
    return desk.K[0][slot.PEND_QTY]


def test_a_fixed_quantity_is_the_lanes_own():
    assert bought("quantity", fixed=70) == 70


def test_a_fixed_value_is_divided_by_the_price():
    assert bought("notional", notional=50_049.0) == 500


def test_a_size_is_whole_lots():
    assert bought("notional", notional=50_000.0, lot=75) == 450
    assert bought("notional", notional=7_000.0, lot=75) == 0


def test_a_size_is_scaled_by_confidence_if_so_wished():
    assert bought("notional", notional=50_000.0, confidence=0.5, by_confidence=1) == 250
    assert bought("notional", notional=50_000.0, confidence=0.5, by_confidence=0) == 500
    assert bought("quantity", fixed=70, confidence=0.5, by_confidence=1) == 35


def test_kelly_stakes_its_cap_until_the_lane_has_a_record():
    z = Sizing(mode=SIZING_MODES["kelly"], kelly_cap=0.1, kelly_fraction=0.25)
    assert asked(z, wins=KELLY_TRADES - 1) == pytest.approx(100_000)


def test_kelly_stakes_a_fraction_of_p_less_q_over_b():
    z = Sizing(mode=SIZING_MODES["kelly"], kelly_cap=0.1, kelly_fraction=0.25)
    record = {"wins": 12, "losses": 8, "won": 18_000.0, "lost": 8_000.0}  # p = 0.6, b = 1500 / 1000
    assert kelly_stake(*record.values()) == pytest.approx(0.6 - 0.4 / 1.5)
    assert asked(z, **record) == pytest.approx(0.25 * (0.6 - 0.4 / 1.5) * 1_000_000)


def test_kelly_stakes_nothing_on_a_losing_record_and_its_cap_on_a_spotless_one():
    z = Sizing(mode=SIZING_MODES["kelly"], kelly_cap=0.1, kelly_fraction=0.25)
    assert asked(z, wins=5, losses=15, won=5_000.0, lost=15_000.0) == 0.0
    assert asked(z, wins=0, losses=20, lost=1.0) == 0.0
    assert asked(z, wins=20, won=1.0) == pytest.approx(100_000)


@given(st.integers(0, 500), st.integers(0, 500), rupees, rupees)
def test_kellys_fraction_lies_between_0_and_1(wins, losses, won, lost):
    assert 0.0 <= kelly_stake(wins, losses, won, lost) <= 1.0


@given(st.integers(1, 500), st.integers(1, 500), st.floats(1, 1e7), st.floats(1, 1e7))
def test_kellys_fraction_is_where_the_growth_of_wealth_is_greatest(wins, losses, won, lost):
    best, b, p = kelly_stake(wins, losses, won, lost), (won / wins) / (lost / losses), wins / (wins + losses)

    def growth(f):
        return p * math.log1p(b * f) + (1 - p) * math.log1p(-f)

    near = [f for f in (best - 1e-3, best + 1e-3) if 0 <= f < 1]
    assert all(growth(best) >= growth(f) - 1e-12 for f in near)


def test_a_volatility_target_risks_the_same_money_whatever_the_stock():
    z = Sizing(mode=SIZING_MODES["volatility"], risk=0.005, atr_multiple=2.0)
    for price, atr in ((100.0, 1.0), (100.0, 4.0), (2500.0, 30.0)):
        quantity = asked(z, price, atr) / price
        assert quantity * 2.0 * atr == pytest.approx(5_000)


def test_an_unknown_volatility_is_no_size():
    z = Sizing(mode=SIZING_MODES["volatility"])
    assert asked(z, atr=math.nan) == 0.0
    assert asked(z, atr=0.0) == 0.0
    assert bought("volatility") == 0
    assert bought("volatility", atr=2.0) == 1250


@given(rupees, rupees, st.integers(1, 1000))
def test_shares_are_whole_lots_that_the_money_pays_for(value, price, lot):
    got = shares(value, price, lot)
    assert got % lot == 0
    assert got * price <= value * (1 + 1e-8) + price * 1e-8
    assert (got + lot) * price > value * (1 - 1e-12)


def test_no_price_or_no_money_is_no_share():
    assert shares(1000.0, 0.0, 1) == 0
    assert shares(-5.0, 100.0, 1) == 0


@given(
    st.sampled_from(["quantity", "notional", "kelly", "volatility"]), st.floats(100, 1e7), st.floats(0, 1),
    st.integers(0, 10**6), st.floats(0.01, 50),
)  # fmt: skip
def test_no_size_is_ever_above_the_free_capital(mode, capital, confidence, fixed, atr):
    desk = Desk(sized(mode, confidence=confidence, by_confidence=1, atr=atr), capital=capital, fixed=fixed)
    desk.feed(bar(100, say=LONG))
    assert available(desk.A) >= -1e-6
    desk.feed(bar(107))
    assert desk.cash >= -1e-6


def test_money_in_positions_and_waiting_orders_is_not_free():
    desk = Desk(sized("quantity"), capital=20_000.0, lanes=2, fixed=100)
    desk.feed(bar(100, say=LONG), 0)
    assert available(desk.A) == 10_000
    desk.feed(bar(60, say=LONG), 1)
    desk.feed(bar(110), 0)
    assert available(desk.A) == pytest.approx(3_000)
