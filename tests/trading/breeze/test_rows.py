"""Breeze's rows in ours; a row that cannot be read is said so, and a book is clean or it is none."""

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensequant.lib.clock import IST
from tests.trading.breeze import samples
from tests.trading.breeze.samples import order
from trading.adapters.breeze import rows
from trading.adapters.breeze.words import Unreadable
from trading.core.orders import Status


def test_an_order_row():
    report = rows.report(samples.ORDER)
    assert (report.order_id, report.code, report.side) == ("20250205N300001234", "ITC", "BUY")
    assert (report.quantity, report.filled, report.pending, report.cancelled) == (10, 0, 10, 0)
    assert (report.limit, report.average, report.status) == (Decimal("420.00"), None, Status.WORKING)
    assert report.at == dt.datetime(2025, 2, 5, 9, 26, tzinfo=IST)
    assert report.raw["intial_sltp"] is None


@pytest.mark.parametrize(
    ("word", "pending", "cancelled", "status", "filled"),
    [
        ("Requested", "0", "0", Status.WORKING, 0),
        ("Queued", "10", "0", Status.WORKING, 0),
        ("Ordered", "10", "0", Status.WORKING, 0),
        ("Ordered", "6", "0", Status.PARTIAL, 4),
        ("Freezed", "0", "0", Status.WORKING, 0),
        ("Partially Executed", "6", "0", Status.PARTIAL, 4),
        ("Partially Executed", "10", "0", Status.PARTIAL, 0),
        ("Executed", "0", "0", Status.FILLED, 10),
        ("Rejected", "0", "0", Status.REJECTED, 0),
        ("Rejected", "", None, Status.REJECTED, 0),
        ("Expired", "0", "0", Status.EXPIRED, 0),
        ("Cancelled", "0", "10", Status.CANCELLED, 0),
        ("Cancelled", "0", "0", Status.CANCELLED, 0),
        ("Partially Executed And Cancelled", "0", "6", Status.CANCELLED, 4),
        ("D", "0", "6", Status.CANCELLED, 4),
        ("Partially Executed And Expired", "6", "0", Status.EXPIRED, 4),
        ("b", "6", "0", Status.EXPIRED, 4),
    ],
)
def test_how_many_shares_were_filled(word, pending, cancelled, status, filled):
    report = rows.report(order(status=word, pending_quantity=pending, cancelled_quantity=cancelled))
    assert (report.status, report.filled) == (status, filled)


@pytest.mark.parametrize(
    ("word", "pending", "cancelled"),
    [
        ("Ordered", "0", "0"),  # nothing pending, yet not executed
        ("Executed", "6", "0"),
        ("Executed", "0", "6"),
        ("Partially Executed", "11", "0"),
        ("Partially Executed", "6", "6"),
        ("Partially Executed And Cancelled", "0", "0"),  # how many, it does not say
        ("Partially Executed And Expired", "0", "10"),
    ],
)
def test_a_row_that_contradicts_itself_is_unreadable(word, pending, cancelled):
    with pytest.raises(Unreadable, match="does not agree"):
        rows.report(order(status=word, pending_quantity=pending, cancelled_quantity=cancelled))


@pytest.mark.parametrize(
    "changes",
    [
        {"order_id": None}, {"order_id": " "}, {"stock_code": ""}, {"action": "NA"}, {"status": "Lost"},
        {"quantity": "ten"}, {"quantity": "0"}, {"price": None}, {"price": "NaN"}, {"order_datetime": "yesterday"},
        {"pending_quantity": "-1"}, {"average_price": "-3"}, {"status": ["Ordered"]},
    ],
)  # fmt: skip
def test_one_unreadable_row_makes_the_whole_book_unreadable(changes):
    with pytest.raises(Unreadable):
        rows.book([order(order_id="1"), order(**changes), order(order_id="3")])


def test_the_same_order_twice_is_one_and_in_two_ways_is_unreadable():
    assert len(rows.book([samples.ORDER, dict(samples.ORDER), order(order_id="2")])) == 2
    with pytest.raises(Unreadable, match="in two ways"):
        rows.book([samples.ORDER, order(pending_quantity="4")])


def test_an_average_price_belongs_to_filled_shares():
    filled = rows.report(order(status="Executed", pending_quantity="0", average_price="419.95"))
    assert filled.average == Decimal("419.95")
    assert rows.report(order(average_price="419.95")).average is None


@pytest.mark.parametrize(("success", "count"), [(None, 0), ("", 0), ([], 0), ({"a": 1}, 1), ([{"a": 1}, {}], 2)])
def test_rows_come_in_several_envelopes(success, count):
    assert len(rows.rows_of(success)) == count


@pytest.mark.parametrize("success", ["OK", 7, [1], [{}, None], True])
def test_what_is_no_row_is_said_to_be_none(success):
    with pytest.raises(Unreadable):
        rows.rows_of(success)


def test_a_deal():
    one = rows.deal(samples.DEAL, "X")
    assert (one.order_id, one.trade_id, one.side, one.quantity, one.price) == (
        "X",
        "123456789",
        "BUY",
        1,
        Decimal("452.2"),
    )
    assert one.at == dt.datetime(2025, 2, 5, 10, 41, 24, tzinfo=IST)


def test_a_deal_told_twice_is_one_and_a_number_of_two_deals_is_unreadable():
    assert len(rows.deals([samples.DEAL, dict(samples.DEAL)], "X")) == 1
    with pytest.raises(Unreadable, match="two different deals"):
        rows.deals([samples.DEAL, {**samples.DEAL, "execution_price": "452.3"}], "X")


@pytest.mark.parametrize("name", ["exchange_trade_id", "executed_quantity", "execution_price", "exchange_trade_time"])
def test_a_deal_without_its_parts_is_unreadable(name):
    with pytest.raises(Unreadable):
        rows.deal({**samples.DEAL, name: None}, "X")


def test_a_quote_is_the_one_of_the_nse():
    bse = {**samples.QUOTE, "exchange_code": "BSE", "ltp": 1.0}
    found = rows.quote([bse, samples.QUOTE], "RELIND")
    assert (found.last, found.bid, found.ask) == (Decimal("1209.05"), Decimal("1209.05"), Decimal("1209.35"))
    assert (found.lower, found.upper, found.previous_close) == (
        Decimal("1111.4"),
        Decimal("1358.3"),
        Decimal("1234.85"),
    )
    assert found.at == dt.datetime(2025, 2, 12, 11, 12, 20, tzinfo=IST)


def test_what_a_quote_does_not_know_is_none():
    found = rows.quote([{"exchange_code": "NSE", "ltp": "10.5", "best_bid_price": 0.0, "ltt": ""}], "X")
    assert (found.last, found.bid, found.ask, found.upper, found.at) == (Decimal("10.5"), None, None, None, None)


@pytest.mark.parametrize("found", [[], [{"exchange_code": "BSE", "ltp": 1}], [{"exchange_code": "NSE", "ltp": 0}]])
def test_no_quote_is_not_a_price_of_nothing(found):
    with pytest.raises(Unreadable):
        rows.quote(found, "X")


def test_bars_are_in_order_in_utc_and_exact():
    bars = rows.bars([samples.BARS[2], samples.BARS[0], samples.BARS[1], samples.BARS[0]], daily=False)
    assert bars.ts.tolist() == [1738554600, 1738554660, 1738554720]
    assert bars.close.tolist() == [1250.15, 1249.15, 1248.9]
    assert bars.volume.tolist() == [47317.0, 54277.0, 31001.0]
    assert all(column.flags.c_contiguous for column in bars.columns())


def test_a_daily_bar_starts_at_midnight_in_india():
    bars = rows.bars([{**samples.BARS[0], "datetime": "2025-02-03 09:15:00"}], daily=True)
    assert bars.ts.tolist() == [int(dt.datetime(2025, 2, 3, tzinfo=IST).timestamp())]


def test_no_rows_are_no_bars():
    assert len(rows.bars([], daily=False)) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"open": None}, {"high": float("nan")}, {"low": "abc"}, {"close": 0}, {"close": -1.0}, {"volume": None},
        {"volume": -5}, {"volume": float("inf")}, {"datetime": None}, {"datetime": "2025-02-30 09:15:00"},
        {"close": "1e300"},
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_a_bar_is_unreadable(changes):
    with pytest.raises(Unreadable):
        rows.bars([samples.BARS[0], {**samples.BARS[1], **changes}], daily=False)


def test_two_different_bars_of_one_moment_are_unreadable():
    with pytest.raises(Unreadable, match="two different bars"):
        rows.bars([samples.BARS[0], {**samples.BARS[0], "close": 1.0}], daily=False)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
READERS = [
    (rows.report, samples.ORDER),
    (lambda row: rows.deal(row, "X"), samples.DEAL),
    (lambda row: rows.quote([row], "X"), samples.QUOTE),
    (lambda row: rows.bars([row], daily=False), samples.BARS[0]),
    (rows.position, samples.POSITION),
    (rows.holding, samples.HOLDING),
    (rows.funds, samples.FUNDS),
    (rows.charges, samples.PREVIEW),
    (rows.notice, dict.fromkeys(rows.NAMED.values(), "1")),
]


@given(st.data())
def test_no_value_in_no_field_is_more_than_unreadable(data):
    read, row = data.draw(st.sampled_from(READERS))
    name = data.draw(st.sampled_from(sorted(row)))
    try:
        found = read({**row, name: data.draw(anything)})
    except Unreadable:
        return
    if hasattr(found, "columns"):
        assert all(np.isfinite(column).all() for column in found.columns())


def test_a_notice_is_the_same_raw_and_parsed_by_the_sdk(broker):
    parsed = broker.wire().sdk().parse_data(list(samples.NOTICE))
    told, raw = rows.notice(parsed), rows.notice(samples.NOTICE)
    assert (told.word, raw.word) == ("Partially Executed", "P")
    assert told == replace(raw, word=told.word)
    assert (told.order_id, told.code, told.side, told.status) == ("20250205N300001234", "ITC", "BUY", Status.PARTIAL)
    assert (told.quantity, told.filled, told.pending, told.cancelled, told.expired) == (10, 4, 6, 0, 0)
    assert (told.limit, told.average) == (Decimal("420.00"), Decimal("419.95"))


@pytest.mark.parametrize(
    "said",
    [None, 7, "x", [], ["4.1!2885"] * 21, {"symbol": "4.1!2885", "quotes": "Quotes Data"}, {"interval": "1minute"},
     [*samples.NOTICE[:11], "6", *samples.NOTICE[12:]]],
)  # fmt: skip
def test_what_is_no_equity_order_is_no_notice(said):
    assert rows.notice(said) is None


def test_a_notice_of_an_unknown_status_is_unreadable():
    with pytest.raises(Unreadable):
        rows.notice([*samples.NOTICE[:20], "Z", *samples.NOTICE[21:]])


def test_positions_and_holdings():
    assert rows.position(samples.POSITION).quantity == 7
    assert rows.position({**samples.POSITION, "action": "Sell"}).quantity == -7
    assert rows.position({**samples.POSITION, "action": "NA", "quantity": "0"}).quantity == 0
    assert rows.holding(samples.HOLDING).quantity == 1


def test_funds_are_exact_and_the_account_number_is_not_told():
    found = rows.funds(samples.FUNDS)
    assert found["block_by_trade_fno"] == Decimal("12500000.53")
    assert found["bank_account"] == "…9012"


def test_the_samples_are_json():
    assert json.loads(json.dumps(samples.ORDER)) == samples.ORDER
