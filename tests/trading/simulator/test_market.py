"""A share's day, and the market's time."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.core.calendar import IST, NSE
from trading.core.errors import Invalid
from trading.core.exchange.market import Market, limits
from trading.core.exchange.path import Ticks
from trading.core.exchange.timeline import Day, Pace, Timeline, day

PRICES = st.integers(9_000, 11_000).map(lambda n: n / 100)


def market():
    return Market(0.05, 100.0, 80.0, 120.0)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(PRICES, st.integers(0, 1_000)), max_size=30), st.integers(0, 30))
def test_many_ticks_at_once_are_the_same_as_one_by_one(trades, split):
    one, many = market(), market()
    for at, (price, quantity) in enumerate(trades):
        one.trade(at + 1, price, quantity)
    for part in (trades[:split], trades[split:]):
        first = 1 if part is trades[:split] else len(trades[:split]) + 1
        prices, volumes = ([row[at] for row in part] for at in (0, 1))
        ms = np.arange(first, first + len(part), dtype=np.int64)
        many.trade_many(Ticks(ms, np.array(prices, float), np.array(volumes, np.int64)))
    assert one.turnover == pytest.approx(many.turnover)
    one.turnover = many.turnover
    if trades[:split] and len(trades) > split:
        assert one == many


@settings(deadline=None, max_examples=60)
@given(PRICES, PRICES)
def test_bid_and_ask_are_a_tick_apart_and_one_of_them_is_the_last_price(before, last):
    each = market()
    each.trade(1, before, 1)
    each.trade(2, last, 1)
    bid, ask = each.offers
    assert ask - bid == pytest.approx(0.05)
    assert last in (bid, ask)


def test_at_a_limit_of_the_day_one_side_is_empty():
    each = market()
    assert each.offers == (None, None)
    each.trade(1, 120.0, 1)
    assert each.offers == (120.0, None)
    each.trade(2, 80.0, 1)
    assert each.offers == (None, 80.0)


@pytest.mark.parametrize(
    ("close", "segment", "tick", "expected"),
    [
        (100.0, "equity", 0.05, (80.0, 120.0)),
        (1234.85, "equity_fno", 0.1, (1111.4, 1358.3)),
        (0.04, "equity", 0.05, (0.05, 0.0)),
    ],
)
def test_the_days_limits_lie_inside_the_band_and_on_the_tick(close, segment, tick, expected):
    assert limits(close, segment, tick) == pytest.approx(expected)


def sessions(date):
    return [each for each in (NSE.session(date, segment) for segment in ("equity", "equity_fno")) if each]


def test_a_day_goes_from_nine_to_five_minutes_after_its_last_trade():
    found = day(sessions(dt.date(2026, 11, 23)))
    assert [dt.datetime.fromtimestamp(at, IST).time() for at in (found.start, found.end)] == [
        dt.time(9),
        dt.time(15, 40),
    ]


def test_an_evening_session_is_not_waited_for_all_day():
    found = day(sessions(dt.date(2026, 11, 8)))
    assert dt.datetime.fromtimestamp(found.start, IST).hour == 17


def test_the_night_is_left_out():
    line = Timeline([Day(dt.date(2026, 11, 23), 1_000.0, 1_600.0), Day(dt.date(2026, 11, 24), 5_000.0, 5_400.0)])
    assert line.length == 1_000.0
    assert [line.moment(at) for at in (0, 599, 600, 700, 1_000, 9_999)] == [1_000, 1_599, 5_000, 5_100, 5_400, 5_400]
    assert [line.index(at) for at in (0, 599, 600, 9_999)] == [0, 0, 1, 1]
    assert line.position(1, 5_100.0) == 700.0
    assert line.position(0, 9_999.0) == 600.0


def test_a_market_without_days_is_refused():
    with pytest.raises(Invalid, match="one day"):
        Timeline([])


def test_the_pace_never_goes_back():
    pace = Pace(100.0, 50.0, 60.0)
    assert (pace.at(51.0), pace.at(40.0)) == (160.0, 100.0)
