"""The order book: by price, then by time, and never more shares than there are."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.core.errors import Invalid
from trading.core.exchange.book import (
    BUY,
    CANCELLED,
    EXECUTED,
    EXPIRED,
    ORDERED,
    PARTIAL,
    PARTIAL_CANCELLED,
    PARTIAL_EXPIRED,
    QUEUED,
    SELL,
    Book,
    Liquidity,
    Order,
    Touch,
)

TOUCH = Touch(100, 101)
NOBODY = Touch(None, None)


def order(number, side=BUY, quantity=10, limit=100, **more):
    return Order(f"O{number}", "RELIANCE", side, quantity, limit, number, number, **more)


@st.composite
def days(draw):
    """A day's happenings: orders that come, trades of the market, cancels."""
    happenings = []
    for number in range(draw(st.integers(1, 25))):
        kind = draw(st.sampled_from(["order", "trade", "trade", "cancel"]))
        if kind == "order":
            side = draw(st.sampled_from([BUY, SELL]))
            happenings.append(order(number, side, draw(st.integers(1, 50)), draw(st.integers(90, 110))))
        elif kind == "trade":
            happenings.append((draw(st.integers(90, 110)), draw(st.integers(0, 40))))
        else:
            happenings.append(draw(st.integers(0, 25)))
    return happenings


def play(happenings, hear=lambda *_: None):
    """Let a day happen; return all orders and all fills."""
    book, orders, fills, touch = Book(), {}, [], NOBODY
    for ms, each in enumerate(happenings):
        before = book.left
        if isinstance(each, Order):
            orders[each.id] = each
            new = book.arrive(each, touch, ms)
        elif isinstance(each, tuple):
            price, shares = each
            touch, before = Touch(price, price + 1), shares
            new = book.trade(ms, price, shares)
        else:
            new = []
            if f"O{each}" in book.orders:
                book.cancel(f"O{each}", ms)
        hear(orders, new, before, touch)
        fills += new
    return book, orders, fills


@settings(deadline=None, max_examples=60)
@given(days())
def test_no_order_is_filled_for_more_than_it_asked_and_every_share_is_accounted_for(happenings):
    book, orders, fills = play(happenings)
    sums = Counter()
    for fill in fills:
        sums[fill.order_id] += fill.quantity
    for each in orders.values():
        assert each.filled == sums[each.id] <= each.quantity
        assert each.filled + each.cancelled + each.expired + each.pending == each.quantity
        assert (each.status == EXECUTED) == (each.filled == each.quantity)
        assert each.value == sum(fill.price * fill.quantity for fill in fills if fill.order_id == each.id)
        assert (each.id in book.orders) == each.working


@settings(deadline=None, max_examples=60)
@given(days())
def test_nobody_pays_more_or_gets_less_than_the_limit(happenings):
    _, orders, fills = play(happenings)
    for fill in fills:
        each = orders[fill.order_id]
        assert fill.price <= each.limit if each.side == BUY else fill.price >= each.limit


@settings(deadline=None, max_examples=60)
@given(days())
def test_between_two_ticks_no_more_is_filled_than_was_left_for_us(happenings):
    play(happenings, lambda orders, new, left, touch: _at_most(new, left))


def _at_most(new, left):
    assert sum(fill.quantity for fill in new) <= left


@settings(deadline=None, max_examples=60)
@given(days())
def test_a_better_price_comes_first_and_then_the_older_order(happenings):
    def fair(orders, new, left, touch):
        for fill in new:
            winner = orders[fill.order_id]
            for other in orders.values():
                if other.working and other.side == winner.side and other is not winner:
                    sign = -1 if other.side == BUY else 1
                    ahead = (sign * other.limit, other.rank) < (sign * winner.limit, winner.rank)
                    assert not ahead, f"{other} waits while {winner} was filled"

    play(happenings, fair)


def test_an_order_within_the_market_is_filled_at_once_at_the_touch():
    book = Book()
    book.trade(1, 100, 50)
    each = order(2, limit=105)
    fills = book.arrive(each, TOUCH, 2)
    assert [(fill.price, fill.quantity) for fill in fills] == [(101, 10)]
    assert each.status == EXECUTED


def test_what_it_does_not_get_at_once_follows_the_market_and_is_not_paid_at_its_limit():
    book = Book()
    book.trade(1, 100, 4)
    each = order(2, limit=105)
    book.arrive(each, TOUCH, 2)
    assert (each.status, each.filled) == (PARTIAL, 4)
    fills = book.trade(3, 102, 50)
    assert [(fill.price, fill.quantity) for fill in fills] == [(102, 6)]


def test_a_resting_order_is_filled_at_its_limit_when_the_market_trades_through_it():
    book = Book()
    book.trade(1, 110, 50)
    book.arrive(order(2, limit=100), Touch(110, 111), 2)
    assert book.trade(3, 101, 50) == []
    assert [(fill.price, fill.quantity) for fill in book.trade(4, 95, 50)] == [(100, 10)]


def test_an_order_that_takes_all_or_nothing_now_does_not_rest():
    book = Book()
    book.trade(1, 100, 4)
    each = order(2, limit=105, validity="Ioc")
    book.arrive(each, TOUCH, 2)
    assert (each.status, each.filled, each.cancelled) == (PARTIAL_CANCELLED, 4, 6)
    assert not book


def test_a_queued_order_waits_until_it_is_let_in():
    book = Book()
    each = order(1, limit=105, status=QUEUED)
    assert book.arrive(each, NOBODY, 1) == []
    assert book.trade(2, 100, 50) == []
    assert book.release(3) == [each]
    assert each.status == ORDERED
    assert book.trade(4, 100, 50)[0].quantity == 10


def test_the_end_of_the_session_ends_every_order():
    book = Book()
    book.trade(1, 120, 50)
    part, whole = order(2, quantity=10, limit=100), order(3, quantity=10, limit=99)
    for each in (part, whole):
        book.arrive(each, Touch(120, 121), each.rank)
    book.trade(4, 100, 3)
    assert set(map(id, book.expire(5))) == {id(part), id(whole)}
    assert (part.status, part.filled, part.expired) == (PARTIAL_EXPIRED, 3, 7)
    assert (whole.status, whole.expired) == (EXPIRED, 10)


def test_a_cancelled_order_is_out_of_the_market():
    book = Book()
    each = order(1)
    book.arrive(each, NOBODY, 1)
    book.cancel(each.id, 2)
    assert (each.status, each.cancelled) == (CANCELLED, 10)
    assert book.trade(3, 50, 100) == []


def test_a_change_of_price_costs_the_place_in_time():
    book = Book()
    book.trade(1, 120, 50)
    first, second = order(2, limit=99), order(3, limit=100)
    for each in (first, second):
        book.arrive(each, Touch(120, 121), each.rank)
    book.amend(first.id, 10, 100, 4, Touch(120, 121), 4)
    assert [fill.order_id for fill in book.trade(5, 100, 12)] == [second.id, first.id]


def test_fewer_shares_at_the_same_price_keep_the_place_in_time():
    book = Book()
    book.trade(1, 120, 50)
    first, second = order(2), order(3)
    for each in (first, second):
        book.arrive(each, Touch(120, 121), each.rank)
    book.amend(first.id, 5, 100, 4, Touch(120, 121), 4)
    assert [fill.order_id for fill in book.trade(5, 100, 7)] == [first.id, second.id]


def test_a_change_to_fewer_shares_than_are_filled_is_refused():
    book = Book()
    book.trade(1, 100, 4)
    each = order(2, limit=105)
    book.arrive(each, TOUCH, 2)
    with pytest.raises(Invalid, match="4 shares are filled"):
        book.amend(each.id, 4, 105, 3, TOUCH, 3)


def test_an_order_of_no_shares_is_refused():
    with pytest.raises(Invalid, match="0 shares"):
        Book().arrive(order(1, quantity=0), TOUCH, 1)


def test_a_halted_share_fills_nothing():
    book = Book()
    book.halted = True
    assert book.arrive(order(1, limit=200), TOUCH, 1) == []
    assert book.trade(2, 100, 50) == []


def test_our_share_of_a_tick_is_a_part_of_its_volume_or_nominal_where_none_is_known():
    some = Liquidity(0.25, 100)
    assert (some.of(1_000, known=True), some.of(3, known=True), some.of(0, known=False)) == (250, 0, 100)
