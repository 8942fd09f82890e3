"""A whole trade costs what the worked examples say, and its break-even is the first price that loses nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.bills import combine
from trading.core.charges import rates_on
from trading.core.errors import Invalid
from trading.core.round_trips import Terms, breakeven, entry_and_exit, round_trip

TODAY = date(2026, 11, 20)
D = Decimal


@pytest.mark.parametrize(
    ("plan", "product", "delivery", "buy", "sell", "quantity", "entry", "exit_", "total"),
    [
        pytest.param("prime-2999", "cash", True, 1500, 1560, 100, "443.62", "461.56", "905.18", id="A delivery"),
        pytest.param("prime-2999", "margin", False, 1400, 1410, 200, "68.44", "131.46", "199.90", id="B margin"),
        pytest.param("i-secure", "cash", False, 1400, 1410, 200, "1836.08", "81.55", "1917.63", id="B2 cash"),
        pytest.param("zero", "cash", True, 1000, 1000, 5000, "5937.03", "5187.03", "11124.06", id="published"),
    ],
)
def test_a_worked_example_is_matched_to_the_paisa(plan, product, delivery, buy, sell, quantity, entry, exit_, total):
    terms = Terms(rates_on(TODAY, plan, product), delivery=delivery)
    opening, closing = entry_and_exit(D(buy), D(sell), quantity, terms)
    assert (opening.total, closing.total) == (D(entry), D(exit_))
    assert combine((opening, closing)).total == D(total) == round_trip(D(buy), D(sell), quantity, terms).total


def test_example_a_is_matched_item_by_item():
    terms = Terms(rates_on(TODAY, "prime-2999"), delivery=True)
    bought, sold = entry_and_exit(D(1500), D(1560), 100, terms)
    paid = ["225.00", "150.00", "4.61", "0.15", "22.50", "41.36", "0.00", "443.62"]
    got = ["234.00", "156.00", "4.79", "0.16", "0.00", "43.01", "23.60", "461.56"]
    assert list(bought.items().values()) == [D(amount) for amount in paid]
    assert list(sold.items().values()) == [D(amount) for amount in got]


def test_the_break_even_of_example_b_is_one_rupee_a_share():
    even = breakeven(D(1400), 200, Terms(rates_on(TODAY, "prime-2999", "margin")))
    assert (even.price, even.move, even.bp) == (D(1401), D(1), D("7.1"))


def test_a_delivery_is_charged_at_the_rates_of_both_its_days():
    rates, later = rates_on(date(2012, 6, 29), "zero"), rates_on(date(2012, 7, 2), "zero")
    opening, closing = entry_and_exit(D(100), D(100), 1000, Terms(rates, later, delivery=True))
    assert (opening.stt, closing.stt) == (D(125), D(100))


plans = st.sampled_from(["prime-2999", "i-secure", "discount", "zero"])
kinds = st.sampled_from([(True, False), (False, False), (False, True)])


@given(st.integers(5_000, 500_000), st.integers(1, 2_000), plans, kinds)
def test_at_break_even_nothing_is_lost_and_a_paisa_before_it_something_is(paise, quantity, plan, kind):
    price = D(paise) / 100
    terms = Terms(rates_on(TODAY, plan), delivery=kind[0], short=kind[1])

    def net(exit_price: Decimal) -> Decimal:
        buy, sell = (exit_price, price) if terms.short else (price, exit_price)
        return (sell - buy) * quantity - round_trip(buy, sell, quantity, terms).total

    even = breakeven(price, quantity, terms)
    toward = D("0.01") if terms.short else D("-0.01")
    assert net(even.price) >= 0
    assert even.move == 0 or net(even.price + toward) < 0
    assert even.move == abs(even.price - price)


def test_a_short_that_can_never_pay_for_its_charges_is_refused():
    greedy = rates_on(TODAY, "zero")._replace(brokerage_intraday=10_000_000)
    with pytest.raises(Invalid, match="1 x 1 sold short never pays for its charges"):
        breakeven(D(1), 1, Terms(greedy, short=True))


def test_a_short_sale_cannot_be_delivered():
    with pytest.raises(Invalid, match="must be bought back the same day"):
        Terms(rates_on(TODAY, "zero"), delivery=True, short=True)
