"""The price step: by date, by the close of the last trading day of the month before, and valid on every border."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.calendar import NSE
from trading.core.errors import Invalid
from trading.core.ticksize import holds_from, review_day, table_on, tick_for

NOW = dt.date(2026, 11, 23)
SUMMER_2024 = dt.date(2024, 7, 1)
CLOSES = st.decimals("0.05", "90000", places=2)


def tick(close, on=NOW, **told):
    return tick_for(Decimal(close), on, **told)


@pytest.mark.parametrize(
    ("close", "step"),
    [
        ("0.05", "0.01"), ("249.99", "0.01"), ("250", "0.05"), ("999.95", "0.05"), ("1000", "0.05"),
        ("1000.05", "0.10"), ("1000.50", "0.10"), ("1001", "0.10"), ("5000", "0.10"), ("5000.50", "0.50"),
        ("5001", "0.50"), ("10000", "0.50"), ("10000.50", "1.00"), ("20000", "1.00"), ("20000.50", "5.00"),
        ("151000", "5.00"),
    ],
)  # fmt: skip
def test_the_bands_of_april_2025(close, step):
    assert tick(close) == Decimal(step)


@pytest.mark.parametrize(
    ("on", "close", "step"),
    [
        (dt.date(2024, 6, 9), "100", "0.05"), (dt.date(2024, 6, 10), "100", "0.01"),
        (dt.date(2024, 6, 10), "250", "0.05"), (dt.date(2025, 4, 14), "3000", "0.05"),
        (dt.date(2025, 4, 15), "3000", "0.10"), (dt.date(2012, 1, 2), "30000", "0.05"),
    ],
)  # fmt: skip
def test_each_rule_holds_from_its_day(on, close, step):
    assert tick(close, on) == Decimal(step)


def test_a_fund_is_left_out_of_the_bands():
    assert tick("3000", fund=True) == Decimal("0.01")


@pytest.mark.parametrize("close", ["0", "-1", "NaN", "Infinity"])
def test_a_close_that_can_be_none_is_refused(close):
    with pytest.raises(Invalid, match="gives no tick size"):
        tick(close)


@given(CLOSES, CLOSES)
def test_a_dearer_share_never_has_a_finer_step(one, other):
    low, high = sorted((one, other))
    assert tick_for(low, NOW) <= tick_for(high, NOW)


@given(CLOSES, st.integers(1, 4000))
def test_a_price_on_the_step_is_on_every_finer_one(close, steps):
    price = tick_for(close, NOW) * steps
    finer = [band.tick for band in table_on(NOW)[1] if band.tick <= tick_for(close, NOW)]
    assert all(price % step == 0 for step in finer)


@pytest.mark.parametrize(
    ("on", "day"),
    [
        (NOW, dt.date(2026, 10, 30)),  # 31 October is a Saturday
        (dt.date(2026, 4, 1), dt.date(2026, 3, 30)),  # 31 March is a holiday
        (dt.date(2024, 6, 28), dt.date(2024, 5, 31)),
        (dt.date(2026, 3, 2), dt.date(2026, 2, 27)),
        (dt.date(2025, 3, 3), dt.date(2025, 2, 28)),
    ],
)  # fmt: skip
def test_the_review_is_the_last_trading_day_of_the_month_before(on, day):
    assert review_day(on, NSE) == day


@pytest.mark.parametrize(
    ("on", "since"),
    [
        (NOW, dt.date(2026, 11, 2)),  # the first is a Sunday
        (dt.date(2026, 2, 10), dt.date(2026, 2, 1)),  # a Sunday on which NSE did trade
        (dt.date(2025, 4, 30), dt.date(2025, 4, 15)),  # a new table's first day
        (dt.date(2025, 4, 8), dt.date(2025, 4, 1)),
    ],
)  # fmt: skip
def test_a_step_holds_from_the_first_trading_day_of_the_month_or_the_first_of_a_new_rule(on, since):
    assert holds_from(on, NSE) == since


@given(st.dates(dt.date(2008, 2, 1), dt.date(2026, 12, 31)))
def test_the_review_lies_before_the_month_it_decides(on):
    review, since = review_day(on, NSE), holds_from(on, NSE)
    assert NSE.is_session(review)
    assert review < since
    assert since.replace(day=1) == on.replace(day=1)


def test_a_month_the_calendar_does_not_know_is_refused():
    with pytest.raises(Invalid, match="the calendar does not know"):
        review_day(dt.date(2006, 5, 2), NSE)
