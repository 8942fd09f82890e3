"""A day's bill equals the worked examples, and how an order was filled never changes what the day owes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.bill_text import explain
from trading.core.bills import ITEMS, Leg, bill, combine, itemise
from trading.core.charges import rates_on
from trading.core.errors import Invalid

TODAY = date(2026, 11, 20)
D = Decimal
prices = st.integers(100, 1_000_000).map(lambda paise: D(paise) / 100)
legs = st.builds(Leg, st.sampled_from(["BUY", "SELL"]), st.integers(1, 10_000), prices, st.sampled_from("AB"))
days = st.lists(legs, min_size=1, max_size=8)


def test_the_brokers_own_preview_of_one_itc_share_is_matched_item_by_item():
    rates = rates_on(TODAY, "prime-9999")._replace(stt_step=1)
    items = bill([Leg("BUY", 1, D(440), "ITC")], rates).items()
    expected = {"brokerage": "0.31", "stt": "0.44", "transaction": "0.01", "sebi": "0.00", "stamp": "0.07"}
    assert items == {name: D(value) for name, value in {**expected, "gst": "0.06", "dp": "0", "total": "0.89"}.items()}


def test_what_is_bought_and_sold_in_a_day_is_intraday_and_the_rest_is_delivery():
    rates = rates_on(TODAY, "zero")
    day = bill([Leg("BUY", 100, D(1000), "TCS"), Leg("SELL", 60, D(1010), "TCS")], rates)
    assert day.stt == D(55)  # 0.1 % of 40,000 kept + 0.025 % of 60,600 sold: 40 + 15.15
    assert day.stamp == D("7.80")  # 0.015 % of 40,000 + 0.003 % of 60,000
    assert day.dp == 0


def test_a_sale_of_older_shares_pays_one_depository_charge_per_scrip():
    rates = rates_on(TODAY, "prime-2999")
    sales = [Leg("SELL", 10, D(100), symbol) for symbol in ("TCS", "TCS", "INFY")]
    assert [one.dp for one in itemise(sales, rates)] == [D("23.60"), D(0), D("23.60")]


def test_securities_are_netted_apart_but_stt_is_rounded_once_for_all():
    rates = rates_on(TODAY, "zero")
    day = [Leg("BUY", 1, D(400), "TCS"), Leg("BUY", 1, D(400), "INFY")]
    assert [one.stt for one in itemise(day, rates)] == [D(0), D(1)]  # 0.40, then 0.80 in all


def test_the_second_leg_of_a_square_off_is_free_on_i_secure_only():
    trade = [Leg("SELL", 10, D(1000)), Leg("BUY", 10, D(990))]
    free = itemise(trade, rates_on(TODAY, "i-secure"))
    assert [one.brokerage for one in free] == [D("55.00"), D(0)]
    paid = itemise(trade, rates_on(TODAY, "prime-2999"))
    assert [one.brokerage for one in paid] == [D("15.00"), D("14.85")]


def test_a_second_leg_that_sells_more_pays_for_what_it_delivers():
    rates = rates_on(TODAY, "i-secure")
    _, sale = itemise([Leg("BUY", 10, D(1000)), Leg("SELL", 30, D(1000))], rates)
    assert sale.brokerage == D("110.00")  # 0.55 % of the 20,000 that were held before
    assert sale.dp == D("23.60")


@given(days, st.sampled_from(["net", "delivery", "intraday"]), st.dates(date(2008, 1, 1), TODAY))
def test_the_legs_add_up_to_the_day_and_no_item_is_negative(day, kind, on):
    rates = rates_on(on, "i-secure")
    bills = itemise(day, rates, kind)
    whole = bill(day, rates, kind)
    assert whole == combine(bills)
    assert all(amount >= 0 for one in bills for amount in one.items().values())
    assert whole.total == sum(getattr(whole, item) for item in ITEMS)
    assert whole.turnover == sum(leg.value for leg in day) / D(100)


@given(days, st.data(), st.sampled_from(["net", "delivery", "intraday"]))
def test_splitting_fills_never_changes_the_stt_or_the_depository_charge_of_the_day(day, data, kind):
    rates = rates_on(TODAY, "prime-2999")
    split: list[Leg] = []
    for leg in day:
        cut = data.draw(st.integers(0, leg.quantity - 1))
        pieces = [Leg(leg.side, size, leg.price, leg.symbol) for size in (cut, leg.quantity - cut) if size]
        split += pieces
    whole, pieces_ = bill(day, rates, kind), bill(split, rates, kind)
    assert (pieces_.stt, pieces_.dp) == (whole.stt, whole.dp)


@given(days)
def test_an_explanation_names_every_item_and_ends_in_the_total(day):
    whole = bill(day, rates_on(TODAY, "prime-2999"))
    rows = explain(whole)
    assert [amount for _, _, amount in rows] == list(whole.items().values())
    assert all(how != "nil" for label, how, amount in rows if amount)


def test_an_explanation_gives_rates_and_what_they_were_taken_of():
    rates = rates_on(TODAY, "i-secure")
    day = bill([Leg("BUY", 100, D(1000)), Leg("SELL", 60, D(1010)), Leg("SELL", 5, D(10), "OLD")], rates)
    how = {label: text for label, text, _ in explain(day)}
    assert how["Brokerage"] == "0.55 % of 100,050.00, at least 35.00 an order"
    assert how["STT"] == "0.1 % of 40,050.00 + 0.025 % of 60,600.00, whole rupees a day"
    assert how["Exchange charge with IPFT"] == "0.00307 % of 160,650.00"
    assert how["Stamp duty"] == "0.015 % of 40,000.00 + 0.003 % of 60,000.00"
    assert how["GST"].startswith("18 % of brokerage, exchange charge and SEBI fee (")
    assert how["Depository charge"] == "20.00 + 18 % a scrip and sell day"


def test_before_2017_the_tax_is_service_tax_and_sellers_pay_stamp_duty():
    day = bill([Leg("SELL", 100, D(1000))], rates_on(date(2016, 3, 1), "discount"))
    how = {label: text for label, text, _ in explain(day)}
    assert how["Service tax or GST"].startswith("14.5 %")
    assert how["Brokerage"] == "nil"
    assert day.stamp == D("10.00")


def test_nothing_traded_costs_nothing():
    empty = bill([], rates_on(TODAY, "prime-2999"))
    assert empty.total == 0
    assert explain(empty)[-1] == ("Total", "on a turnover of 0.00", D(0))


@pytest.mark.parametrize(
    ("side", "quantity", "price", "said"),
    [
        ("HOLD", 1, D(1), "unknown side 'HOLD': choose one of BUY, SELL"),
        ("BUY", 0, D(1), "quantity 0"),
        ("BUY", 1, D(0), "price 0"),
        ("BUY", 1, D("NaN"), "price NaN"),
        ("BUY", 1, D("1e999999"), "over the limit"),
        ("SELL", 10_000_001, D(1000), "over the limit of Rs 1,000 crore"),
    ],
)
def test_an_impossible_leg_is_refused_by_name(side, quantity, price, said):
    with pytest.raises(Invalid, match=said):
        Leg(side, quantity, price)


def test_an_unknown_kind_lists_the_kinds():
    with pytest.raises(Invalid, match="unknown kind 'btst': choose one of net, delivery, intraday"):
        bill([Leg("BUY", 1, D(1))], rates_on(TODAY, "zero"), "btst")
