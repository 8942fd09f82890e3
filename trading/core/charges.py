"""What one leg of an equity trade costs, in exact integers, and the dated rates it is charged at.

The kernel (``KERNEL``) is plain arithmetic on int64 so that the same text runs compiled in the backtester and
uncompiled in the engine: money is whole paise, a rate is an integer in units of 1 / ``PER``, flags are 0 or 1.

Nothing here can overflow an int64 for a leg of up to ``LARGEST`` paise (Rs 1,000 crore). The largest product is
turnover x the 2.5 % ceiling, 1e12 x 2.5e5 = 2.5e17, against a limit of 9.2e18; the day's scaled STT grows by at most
1e12 x 1.25e4 = 1.25e16 a leg, so more than 700 such legs fit into one day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from trading.core import charge_data as data
from trading.core.errors import Invalid

PER = 10_000_000
"""Rates are integers in units of 1e-7: 0.00307 % is 307."""

HALF = 5_000_000
"""Half of ``PER``, what rounding half-up adds."""

CEILING = 250_000
"""2.5 %: no minimum lifts brokerage above this share of the turnover (SEBI's ceiling on brokerage)."""

LARGEST = 1_000_000_000_000
"""The largest turnover of one leg, in paise (Rs 1,000 crore)."""


class Rates(NamedTuple):
    """All rates of one day, plan and product; integers only, so that a compiled loop can carry them."""

    brokerage_delivery: int
    brokerage_intraday: int
    brokerage_minimum: int  # paise an order
    brokerage_maximum: int  # paise an order, 0 = none
    second_leg_free: int  # 1: the leg that squares a cash position the same day pays no brokerage
    stt_delivery_buy: int
    stt_delivery_sell: int
    stt_intraday_sell: int
    transaction: int  # exchange charge with IPFT
    sebi: int
    stamp_delivery: int
    stamp_intraday: int
    stamp_sell: int  # 1: sellers pay stamp duty too (before 1 July 2020)
    gst: int
    dp: int  # paise per scrip and sell day, before GST
    stt_step: int  # paise: 100 = the whole rupee


def share(value: int, rate: int) -> int:
    """Return ``rate`` of ``value`` in paise, half-up to the paisa."""
    return (value * rate + HALF) // PER


def brokerage(delivery: int, squared: int, second_leg: int, rates: Rates) -> int:
    """Return the brokerage in paise of one order, of which ``delivery`` paise stay and ``squared`` paise do not."""
    charged = squared
    if second_leg == 1 and rates.second_leg_free == 1:
        charged = 0
    amount = (delivery * rates.brokerage_delivery + charged * rates.brokerage_intraday + HALF) // PER
    least = share(delivery + charged, CEILING)
    if rates.brokerage_minimum < least:
        least = rates.brokerage_minimum
    if amount < least:
        amount = least
    if rates.brokerage_maximum > 0 and amount > rates.brokerage_maximum:
        amount = rates.brokerage_maximum
    return amount


def split_levies(
    delivery: int, squared: int, buy: int, second_leg: int, rates: Rates
) -> tuple[int, int, int, int, int]:
    """Return ``levies`` of one order of which ``delivery`` paise stay overnight and ``squared`` paise do not."""
    value = delivery + squared
    fee = brokerage(delivery, squared, second_leg, rates)
    transaction = share(value, rates.transaction)
    sebi = share(value, rates.sebi)
    stamp = 0
    if buy == 1 or rates.stamp_sell == 1:
        stamp = (delivery * rates.stamp_delivery + squared * rates.stamp_intraday + HALF) // PER
    return fee, transaction, sebi, stamp, share(fee + transaction + sebi, rates.gst)


def levies(value: int, buy: int, delivery: int, second_leg: int, rates: Rates) -> tuple[int, int, int, int, int]:
    """Return brokerage, transaction charge, SEBI fee, stamp duty and GST of one leg, each half-up to the paisa.

    ``value`` is the leg's turnover in paise. ``buy``, ``delivery`` and ``second_leg`` are 0 or 1; ``second_leg`` is
    the leg that squares a position opened the same day. STT is not here: it belongs to the day (``stt_scaled``).
    """
    if delivery == 1:
        return split_levies(value, 0, buy, second_leg, rates)
    return split_levies(0, value, buy, second_leg, rates)


def stt_scaled(value: int, buy: int, delivery: int, rates: Rates) -> int:
    """Return a leg's STT in paise x ``PER``, unrounded: to be summed over the account's day."""
    if delivery == 1:
        if buy == 1:
            return value * rates.stt_delivery_buy
        return value * rates.stt_delivery_sell
    if buy == 1:
        return 0
    return value * rates.stt_intraday_sell


def stt_rounded(scaled: int, rates: Rates) -> int:
    """Return the day's STT in paise, half-up to ``stt_step``.

    A trade's STT is ``stt_rounded(sum after it) - stt_rounded(sum before it)``: the day is rounded once.
    """
    unit = rates.stt_step * PER
    return (scaled + unit // 2) // unit * rates.stt_step


def dp_charge(rates: Rates) -> int:
    """Return the depository charge in paise with GST, due once per scrip and delivery sell day."""
    return rates.dp + share(rates.dp, rates.gst)


KERNEL = (share, brokerage, split_levies, levies, stt_scaled, stt_rounded, dp_charge)
"""The functions a compiled loop needs, callees first."""


def schedule_on(day: date) -> dict[str, data.Row]:
    """Return the row of every item in force on ``day``, with its source; Invalid before 2008."""
    if day < data.EARLIEST:
        raise Invalid(f"no charges are known for {day}: the schedule starts on {data.EARLIEST}")
    return {item: _in_force(rows, day) for item, rows in data.SCHEDULE.items()}


def _in_force(rows: tuple[data.Row, ...], day: date) -> data.Row:
    return next(row for row in reversed(rows) if row.since <= day)


@lru_cache(maxsize=8192)
def rates_on(day: date, plan: str, product: str = "cash", exchange: str = "NSE") -> Rates:
    """Return the rates of ``plan`` and ``product`` on ``day``; Invalid for an unknown name or a day before 2008.

    A plan's open questions are parameters: ``rates_on(…)._replace(brokerage_minimum=0, second_leg_free=1)``.
    """
    terms = data.PLANS[known(plan, data.PLANS, "plan")]
    margin = known(product, data.PRODUCTS, "product") == "margin"
    known(exchange, dict.fromkeys(data.EXCHANGES), "exchange")
    rate = {item: row.rate for item, row in schedule_on(day).items()}
    return Rates(
        brokerage_delivery=terms.cash,
        brokerage_intraday=terms.margin if margin else terms.cash_intraday,
        brokerage_minimum=terms.margin_minimum if margin else terms.cash_minimum,
        brokerage_maximum=terms.maximum,
        second_leg_free=0 if margin else terms.second_leg_free,
        transaction=rate.pop("exchange") + rate.pop("ipft"),
        dp=terms.dp,
        stt_step=data.STT_STEP,
        **rate,
    )


def known(name: str, choices: Mapping[str, object], what: str) -> str:
    """Return ``name`` if it is one of ``choices``, or raise Invalid listing them."""
    if name not in choices:
        raise Invalid(f"unknown {what} {name!r}: choose one of {', '.join(choices)}")
    return name
