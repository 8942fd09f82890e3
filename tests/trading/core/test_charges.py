"""The kernel charges what the law and the plans say, to the paisa, compiled or not, on any day since 2008."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from types import FunctionType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core import charge_data, charges
from trading.core.charges import LARGEST, PER, Rates, rates_on
from trading.core.errors import Invalid

TODAY = date(2026, 11, 20)
values = st.integers(1, LARGEST)
flags = st.integers(0, 1)
days = st.dates(charge_data.EARLIEST, TODAY)
every_rates = st.builds(
    rates_on, days, st.sampled_from(sorted(charge_data.PLANS)), st.sampled_from(sorted(charge_data.PRODUCTS))
)


def half_up(amount: Decimal, step: int = 1) -> int:
    """Round an amount of paise half-up to a multiple of ``step``, the schoolbook way."""
    return int((amount / step).to_integral_value(ROUND_HALF_UP)) * step


def by_hand(value: int, buy: int, delivery: int, second: int, rates: Rates) -> tuple[int, int, int, int, int]:
    """Charge one leg in Decimals, written from the rules and not from the kernel."""

    def of(amount: int, rate: int) -> int:
        return half_up(Decimal(amount) * Decimal(rate) / Decimal(PER))

    free = bool(second and rates.second_leg_free and not delivery)
    fee = of(value, rates.brokerage_delivery if delivery else rates.brokerage_intraday)
    fee = max(fee, min(rates.brokerage_minimum, of(value, 250_000)))
    fee = 0 if free else min(fee, rates.brokerage_maximum or fee)
    stamped = buy or rates.stamp_sell
    stamp = of(value, rates.stamp_delivery if delivery else rates.stamp_intraday) if stamped else 0
    transaction, sebi = of(value, rates.transaction), of(value, rates.sebi)
    return fee, transaction, sebi, stamp, of(fee + transaction + sebi, rates.gst)


@given(values, flags, flags, flags, every_rates)
def test_the_kernel_equals_a_decimal_computation_by_hand(value, buy, delivery, second, rates):
    assert charges.levies(value, buy, delivery, second, rates) == by_hand(value, buy, delivery, second, rates)


@given(st.lists(values, max_size=20), flags, flags, every_rates, st.sampled_from([1, 100]))
def test_stt_is_rounded_half_up_once_on_the_sum_of_the_day(day, buy, delivery, rates, step):
    rates = rates._replace(stt_step=step)
    rate = (rates.stt_delivery_buy if buy else rates.stt_delivery_sell) if delivery else rates.stt_intraday_sell
    exact = Decimal(sum(day)) * (0 if buy and not delivery else rate) / PER
    scaled = sum(charges.stt_scaled(value, buy, delivery, rates) for value in day)
    assert charges.stt_rounded(scaled, rates) == half_up(exact, step)


@given(values, st.integers(0, LARGEST), flags, flags, flags, every_rates)
def test_a_larger_trade_never_costs_less_and_nothing_is_negative(value, more, buy, delivery, second, rates):
    small = charges.levies(value, buy, delivery, second, rates)
    large = charges.levies(min(value + more, LARGEST), buy, delivery, second, rates)
    assert all(0 <= less <= least for less, least in zip(small, large, strict=True))
    assert 0 <= charges.stt_scaled(value, buy, delivery, rates) <= 2**63 // 700


@given(st.integers(0, LARGEST // 2), st.integers(0, LARGEST // 2), flags, flags, every_rates)
def test_a_leg_of_two_kinds_costs_what_its_parts_cost_but_is_rounded_once(delivery, squared, buy, second, rates):
    rates = rates._replace(brokerage_minimum=0, brokerage_maximum=0)
    both = charges.split_levies(delivery, squared, buy, second, rates)
    apart = zip(
        charges.levies(delivery, buy, 1, second, rates), charges.levies(squared, buy, 0, second, rates), strict=True
    )
    assert all(abs(one - sum(two)) <= 1 for one, two in zip(both, apart, strict=True))


@pytest.fixture(scope="module")
def compiled() -> dict[str, Callable[..., Any]]:
    """The kernel compiled from its own text, every function seeing its compiled siblings."""
    numba = pytest.importorskip("numba")
    shared = dict(vars(charges))
    for function in charges.KERNEL:
        shared[function.__name__] = numba.njit(FunctionType(function.__code__, shared))
    return shared


def test_the_compiled_kernel_equals_the_plain_one_up_to_the_largest_turnover(compiled):
    grid = [1, 7, 49, 50, 6_364_00, 12_345_67, 28_000_000, LARGEST // 3, LARGEST]
    for plan, product in [("i-secure", "cash"), ("i-secure", "margin"), ("discount", "cash")]:
        for day in (charge_data.EARLIEST, TODAY):
            rates = rates_on(day, plan, product)
            assert compiled["dp_charge"](rates) == charges.dp_charge(rates)
            for value in grid:
                for flag in range(8):
                    buy, delivery, second = flag & 1, flag >> 1 & 1, flag >> 2
                    plain = charges.levies(value, buy, delivery, second, rates)
                    assert compiled["levies"](value, buy, delivery, second, rates) == plain
                    scaled = charges.stt_scaled(value, buy, delivery, rates)
                    assert compiled["stt_scaled"](value, buy, delivery, rates) == scaled
                    assert compiled["stt_rounded"](scaled, rates) == charges.stt_rounded(scaled, rates)


def test_the_kernel_reads_no_global_but_integers_and_its_own_functions():
    names = {name for function in charges.KERNEL for name in function.__code__.co_names}
    outside = {name: vars(charges)[name] for name in names if name in vars(charges)}
    assert all(isinstance(value, int) or value in charges.KERNEL for value in outside.values())


def test_the_minimum_never_lifts_brokerage_above_two_and_a_half_percent():
    rates = rates_on(TODAY, "i-secure")
    assert charges.brokerage(100_000, 0, 0, rates) == 2_500  # Rs 1,000: 2.5 %, not Rs 35
    assert charges.brokerage(200_000, 0, 0, rates) == 3_500  # Rs 2,000: the minimum
    assert charges.brokerage(1_000_000, 0, 0, rates) == 5_500  # Rs 10,000: 0.55 %


def test_a_discount_plan_never_asks_more_than_twenty_rupees():
    rates = rates_on(TODAY, "discount")
    assert charges.brokerage(0, 1_000_000, 0, rates) == 300
    assert charges.brokerage(0, 100_000_000, 0, rates) == 2_000
    assert charges.brokerage(100_000_000, 0, 0, rates) == 0


@pytest.mark.parametrize(
    ("day", "item", "rate"),
    [
        (date(2008, 1, 1), "stt_delivery_buy", 12_500),
        (date(2012, 6, 30), "stt_delivery_sell", 12_500),
        (date(2012, 7, 1), "stt_delivery_sell", 10_000),
        (date(2009, 9, 30), "transaction", 350),
        (date(2020, 12, 31), "transaction", 325),
        (date(2021, 1, 1), "transaction", 345),
        (date(2023, 4, 1), "transaction", 335),
        (date(2024, 4, 1), "transaction", 332),
        (date(2024, 9, 30), "transaction", 332),
        (date(2024, 10, 1), "transaction", 307),
        (date(2011, 5, 5), "gst", 1_030_000),
        (date(2015, 5, 31), "gst", 1_236_000),
        (date(2015, 6, 1), "gst", 1_400_000),
        (date(2015, 11, 15), "gst", 1_450_000),
        (date(2017, 6, 30), "gst", 1_500_000),
        (date(2017, 7, 1), "gst", 1_800_000),
        (date(2020, 6, 30), "stamp_delivery", 1_000),
        (date(2020, 6, 30), "stamp_sell", 1),
        (date(2020, 7, 1), "stamp_delivery", 1_500),
        (date(2020, 7, 1), "stamp_sell", 0),
        (date(2021, 3, 31), "sebi", 5),
        (date(2021, 4, 1), "sebi", 10),
    ],
)
def test_a_rate_changes_on_its_day(day, item, rate):
    assert getattr(rates_on(day, "prime-2999"), item) == rate


def test_every_row_is_dated_in_order_and_says_where_it_comes_from():
    for rows in charge_data.SCHEDULE.values():
        assert [row.since for row in rows] == sorted({row.since for row in rows})
        assert rows[0].since == charge_data.EARLIEST
        assert all(row.source and row.confidence in {"sourced", "remembered"} for row in rows)


def test_stamp_duty_before_july_2020_says_it_is_an_approximation():
    for item in ("stamp_delivery", "stamp_intraday", "stamp_sell"):
        row = charges.schedule_on(date(2020, 6, 30))[item]
        assert row.source.startswith("APPROXIMATION")
        assert row.confidence == "remembered"


def test_margin_is_labelled_as_not_available_on_breeze():
    assert "not available on Breeze" in charge_data.PRODUCTS["margin"]
    assert rates_on(TODAY, "prime-2999", "margin").brokerage_intraday == 1_500
    assert rates_on(TODAY, "i-secure", "margin").second_leg_free == 0


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ((charge_data.EARLIEST - timedelta(days=1), "zero"), "starts on 2008-01-01"),
        ((TODAY, "gold"), "unknown plan 'gold': choose one of prime-9999"),
        ((TODAY, "zero", "mis"), "unknown product 'mis': choose one of cash, margin"),
        ((TODAY, "zero", "cash", "BSE"), "unknown exchange 'BSE': choose one of NSE"),
    ],
)
def test_what_is_not_known_is_refused_with_the_choices(given_, said):
    with pytest.raises(Invalid, match=said):
        rates_on(*given_)
