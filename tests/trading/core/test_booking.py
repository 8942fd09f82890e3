"""What is booked adds up: cash, positions and charges make the equity, and charges are those of the contract note."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.core.desks import MONDAY, Desk, bar, indian, market, rules, sized
from trading.core import state as slot
from trading.core.bills import Leg, bill
from trading.core.booking import paise
from trading.core.charges import rates_on
from trading.core.round_trips import Terms, round_trip
from trading.core.signals import FLAT, LONG, SHORT, STAY

DAY = dt.date.fromordinal(MONDAY)
INDIAN = {"flat": -1}
seeds = st.integers(0, 2**32 - 1)
setups = st.fixed_dictionaries(
    {
        "flat": st.sampled_from([0.0, 0.0005, -1]),
        "intraday": st.sampled_from([0, 1]),
        "stop_loss": st.sampled_from([0.0, 0.01]),
        "take_profit": st.sampled_from([0.0, 0.02]),
        "slippage": st.sampled_from([0.0, 5.0]),
        "participation": st.sampled_from([0.0, 0.1]),
        "arm_on_fill_bar": st.sampled_from([0, 1]),
        "daily_loss": st.sampled_from([0.0, 2000.0]),
        "max_hold": st.sampled_from([0, 2]),
        "allow_short": st.just(1),
    }
)


def traded(setup, *, charges=None, fixed=100, buy=100.0, sell=110.0, days=0, parts=None, say=LONG):
    """Return a desk that bought at ``buy`` and sold at ``sell``, ``days`` later, entering in ``parts`` if given."""
    desk = Desk(setup, charges=charges or indian(), fixed=fixed, capital=1e8)
    desk.feed(bar(buy, say=say))
    for volume in parts or [1e9]:
        desk.feed(bar(buy, v=volume))
    desk.feed(bar(sell, day=days, say=FLAT))
    desk.feed(bar(sell, day=days))
    return desk


# ---- laws --------------------------------------------------------------------------------------------------------


def worth(desk):
    """Return what the positions are worth at their last prices, shorts as debts."""
    return sum(desk.position(j) * desk.L[j][slot.LAST] for j in range(len(desk.K)))


def open_profit(desk):
    """Return profit and charges so far of the trades that are still open."""
    gain = 0.0
    for L, K in zip(desk.L, desk.K, strict=True):
        if K[slot.SIDE]:
            paid, got = K[slot.TOTAL_QTY] * L[slot.AVG], L[slot.OUT_VALUE]
            gain += K[slot.SIDE] * (got + K[slot.QTY] * L[slot.LAST] - paid) - L[slot.TRADE_COST]
    return gain


def books_balance(desk):
    assert desk.cash + worth(desk) == pytest.approx(desk.equity, abs=1e-6)
    closed = sum(trade["net"] for trade in desk.trades())
    assert desk.equity - desk.capital == pytest.approx(closed + open_profit(desk), abs=1e-5)
    gross = sum(abs(desk.position(j)) * desk.L[j][slot.LAST] for j in range(len(desk.K)))
    assert desk.exposure == pytest.approx(gross, abs=1e-6)
    entries = [
        (K[slot.PEND_QTY], L[slot.PEND_REF]) for L, K in zip(desk.L, desk.K, strict=True) if K[slot.PEND] == slot.ENTRY
    ]
    assert desk.reserved == pytest.approx(sum(q * p for q, p in entries), abs=1e-6)
    assert desk.waiting == len(entries)
    assert desk.open == sum(1 for K in desk.K if K[slot.SIDE])
    assert desk.peak * (1 - desk.drawdown) <= desk.equity + 1e-6


@given(seeds, setups, st.integers(1, 3))
def test_the_books_balance_after_every_bar(seed, changes, lanes):
    desk = Desk(rules(**changes), charges=indian(), lanes=lanes, fixed=150)
    for lane, each in market(seed, lanes=lanes, talk=0.5, thin=True):
        desk.feed(each, lane)
        books_balance(desk)


def test_the_charges_of_a_night_deepen_the_drawdown_before_the_next_bar():
    desk = Desk(rules(**INDIAN, intraday=0), charges=indian(product="cash"), fixed=100)
    desk.feed(bar(say=LONG))
    desk.feed(bar())
    evening = desk.drawdown
    desk.turn(MONDAY + 1)
    (night,) = desk.happened(slot.CARRY)
    assert desk.drawdown > evening
    assert desk.drawdown == pytest.approx(1 - desk.equity / desk.peak)
    assert desk.equity == pytest.approx(desk.capital - desk.fills()[0]["charge"] - night.values["charge"])


@given(seeds, setups)
def test_charges_of_fills_and_carries_are_the_days_charges_and_the_trades(seed, changes):
    desk = Desk(rules(**changes), charges=indian(), lanes=2, fixed=150)
    for lane, each in market(seed, lanes=2, talk=0.5, thin=True):
        desk.feed(each, lane)
    desk.turn(MONDAY + 10)
    booked = sum(h.values["charge"] for h in desk.happened() if h.kind in (slot.FILLED, slot.CARRY))
    days = sum(h.values["charges"] for h in desk.happened(slot.DAY_END))
    trades = sum(trade["charges"] for trade in desk.trades()) + sum(L[slot.TRADE_COST] for L in desk.L)
    assert booked == pytest.approx(days, abs=1e-6)
    assert booked == pytest.approx(trades, abs=1e-6)


@given(seeds)
def test_an_order_is_filled_or_taken_back_to_the_last_share(seed):
    desk = Desk(rules(participation=0.1, allow_short=1, stop_loss=0.02), lanes=2, fixed=300)
    for lane, each in market(seed, lanes=2, talk=0.5, thin=True):
        desk.feed(each, lane)
    ordered = {h.values["order"]: h.values["quantity"] for h in desk.happened(slot.ORDERED)}
    done = dict.fromkeys(ordered, 0.0)
    for h in desk.happened():
        if h.kind in (slot.FILLED, slot.EXPIRED):
            done[h.values["order"]] += h.values["quantity"]
    for K in desk.K:
        if K[slot.PEND]:
            done[K[slot.ORDER]] += K[slot.PEND_QTY]
    assert done == ordered


# ---- charges -----------------------------------------------------------------------------------------------------


def test_a_delivery_trade_costs_what_the_worked_example_says():
    desk = traded(rules(**INDIAN, intraday=0), charges=indian(product="cash"), buy=1500.0, sell=1560.0, days=1)
    (trade,) = desk.trades()
    assert trade["charges"] == pytest.approx(905.18, abs=1e-9)
    assert trade["net"] == pytest.approx(5094.82, abs=1e-9)


def test_an_intraday_trade_costs_what_the_worked_example_says():
    desk = traded(rules(**INDIAN), fixed=200, buy=1400.0, sell=1410.0)
    (trade,) = desk.trades()
    assert trade["charges"] == pytest.approx(199.90, abs=1e-9)
    assert trade["net"] == pytest.approx(1800.10, abs=1e-9)


@given(
    st.integers(2, 3000), st.integers(1000, 400_000), st.integers(-900, 900), st.booleans(),
    st.sampled_from(["prime-2999", "i-secure", "prime-299"]), st.sampled_from(["cash", "margin"]),
)  # fmt: skip
def test_one_trade_costs_what_its_bill_says(quantity, ticks, move, overnight, plan, product):
    buy, sell = ticks * 5 / 100, (ticks + move) * 5 / 100
    desk = traded(
        rules(**INDIAN, intraday=int(not overnight)), charges=indian(plan, product), fixed=quantity, buy=buy, sell=sell,
        days=int(overnight),
    )  # fmt: skip
    rates = rates_on(DAY, plan, product)
    expected = round_trip(Decimal(str(buy)), Decimal(str(sell)), quantity, Terms(rates, delivery=overnight)).total
    assert paise(desk.trades()[0]["charges"]) == expected * 100


def test_a_short_trade_costs_what_its_bill_says():
    desk = traded(rules(**INDIAN, allow_short=1), buy=500.0, sell=490.0, say=SHORT)
    rates = rates_on(DAY, "prime-2999", "margin")
    expected = round_trip(Decimal(490), Decimal(500), 100, Terms(rates, short=True)).total
    assert paise(desk.trades()[0]["charges"]) == expected * 100
    assert desk.trades()[0]["gross"] == 1000


@given(st.lists(st.integers(1, 60), min_size=2, max_size=6), st.sampled_from(["i-secure", "prime-2999"]))
def test_an_order_filled_in_parts_costs_what_it_would_have_cost_in_one(parts, plan):
    setup, charges = rules(**INDIAN, participation=0.1), indian(plan)
    whole, split = (
        traded(setup, charges=charges, fixed=sum(parts), buy=300.0, sell=301.0, parts=volumes)
        for volumes in ([1e9], [n * 10 for n in parts])
    )
    assert len(split.fills()) == len(parts) + 1
    assert split.trades()[0]["charges"] == pytest.approx(whole.trades()[0]["charges"], abs=1e-9)


def test_the_days_stt_is_rounded_once_over_all_symbols():
    desk = Desk(rules(**INDIAN), charges=indian(), lanes=3, fixed=40)
    for say, price in ((LONG, 100.0), (STAY, 100.0), (FLAT, 101.0), (STAY, 101.0)):
        for lane in range(3):
            desk.feed(bar(price, say=say), lane)
    desk.turn(MONDAY + 1)
    rates = rates_on(DAY, "prime-2999", "margin")
    legs = [
        Leg(side, 40, Decimal(price), name) for name in "ABC" for side, price in (("BUY", 100), ("SELL", 101))
    ]  # fmt: skip
    (day,) = desk.happened(slot.DAY_END)
    assert paise(day.values["charges"]) == bill(legs, rates).total * 100


def test_what_is_held_overnight_is_carried_to_delivery_rates_once():
    desk = Desk(rules(**INDIAN, intraday=0), charges=indian(product="cash"), fixed=100)
    desk.feed(bar(1500, say=LONG))
    desk.feed(bar(1500))
    for day in (1, 2, 3):
        desk.feed(bar(1500, day=day))
    (carry,) = desk.happened(slot.CARRY)
    (fill,) = desk.fills()
    assert fill["charge"] + carry.values["charge"] == pytest.approx(443.62, abs=1e-9)


def test_an_entry_that_takes_two_days_is_carried_day_by_day():
    desk = Desk(rules(**INDIAN, intraday=0, participation=0.1), charges=indian(product="cash"), fixed=200)
    desk.feed(bar(1500, say=LONG))
    desk.feed(bar(1500, v=1000))
    desk.feed(bar(1500, day=1, v=1000))
    desk.feed(bar(1500, day=2))
    assert [fill["quantity"] for fill in desk.fills()] == [100, 100]
    paid = sum(h.values["charge"] for h in desk.happened() if h.kind in (slot.FILLED, slot.CARRY))
    assert paid == pytest.approx(2 * 443.62, abs=1e-9)


def test_an_exit_that_takes_two_days_pays_intraday_on_the_first_and_delivery_on_the_second():
    desk = Desk(rules(**INDIAN, intraday=0, participation=0.1), charges=indian(product="cash"), fixed=100)
    desk.feed(bar(1500, say=LONG))
    desk.feed(bar(1500))
    desk.feed(bar(1500, say=FLAT))
    desk.feed(bar(1500, v=400))
    desk.feed(bar(1500, day=1))
    rates = rates_on(DAY, "prime-2999", "cash")
    price = Decimal(1500)
    first = bill([Leg("BUY", 100, price), Leg("SELL", 40, price)], rates).total
    second = bill([Leg("SELL", 60, price)], rates, "delivery").total
    assert desk.trades()[0]["charges"] == pytest.approx(float(first + second), abs=0.011)


def test_the_depository_is_paid_once_per_share_and_day_however_many_sales():
    desk = Desk(rules(**INDIAN, intraday=0, participation=0.1), charges=indian(product="cash"), fixed=100)
    desk.feed(bar(1500, say=LONG))
    desk.feed(bar(1500))
    desk.feed(bar(1560, day=1, say=FLAT))
    for volume in (300, 300, 9999):
        desk.feed(bar(1560, day=1, v=volume))
    assert desk.trades()[0]["charges"] == pytest.approx(905.18, abs=1e-9)


def test_a_short_carried_overnight_pays_no_delivery_on_its_sale():
    desk = Desk(rules(**INDIAN, intraday=0, allow_short=1), charges=indian())
    desk.feed(bar(500, say=SHORT))
    desk.feed(bar(500))
    desk.feed(bar(500, day=1))
    assert desk.happened(slot.CARRY) == []


def test_rates_change_with_their_day():
    change = indian(first=dt.date(2024, 9, 27), last=dt.date(2024, 10, 31))
    assert len(change.changes) > 1
    assert change.changes[1] == dt.date(2024, 10, 1).toordinal()
    desk = Desk(rules(**INDIAN), charges=change)
    for day in range(dt.date(2024, 9, 30).toordinal() - MONDAY, dt.date(2024, 10, 2).toordinal() - MONDAY):
        for say in (LONG, STAY, FLAT, STAY):
            desk.feed(bar(1000, day=day, say=say))
    for trade, day in zip(desk.trades(), (dt.date(2024, 9, 30), dt.date(2024, 10, 1)), strict=True):
        expected = round_trip(Decimal(1000), Decimal(1000), 100, Terms(rates_on(day, "prime-2999", "margin"))).total
        assert paise(trade["charges"]) == expected * 100


def test_a_new_session_begins_with_fresh_counts():
    desk = traded(rules(**INDIAN))
    assert desk.trades_day == 1
    assert desk.charges_day > 0
    desk.feed(bar(100, day=1))
    assert (desk.trades_day, desk.charges_day) == (0, 0)
    assert desk.day_start == desk.equity


def test_wins_and_losses_are_remembered_by_their_lane():
    desk = Desk(rules(), lanes=2)
    for lane, (buy, sell) in enumerate([(100, 110), (100, 95)]):
        for price, say in ((buy, LONG), (buy, STAY), (sell, FLAT), (sell, STAY)):
            desk.feed(bar(price, say=say), lane)
    assert [(K[slot.WINS], K[slot.LOSSES]) for K in desk.K] == [(1, 0), (0, 1)]
    assert (desk.L[0][slot.WON], desk.L[1][slot.LOST]) == (1000, 500)
    assert desk.N[slot.STREAK] == 1


@given(st.floats(0, 1e9))
def test_paise_are_rounded_half_up(rupees):
    assert abs(paise(rupees) - rupees * 100) <= 0.5 + 1e-3


def test_an_entry_may_use_the_last_rupee_and_then_owes_its_charges():
    desk = Desk(sized("notional", notional=10_000_000, **INDIAN), charges=indian(), capital=50_000)
    desk.feed(bar(100, say=LONG))
    desk.feed(bar(100))
    assert desk.position() == 500
    assert desk.cash == pytest.approx(-desk.charges_day)
