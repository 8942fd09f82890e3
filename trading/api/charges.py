"""What a trade costs in India, item by item, by the day's rates."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from sensequant.lib.clock import ist, now
from sensequant.lib.errors import BadInput
from trading.api.fields import WHOLE_ONLY, Day, Flag, Money, Rupees
from trading.core import charge_data
from trading.core.bill_text import explain, percent
from trading.core.bills import Bill, combine
from trading.core.charges import rates_on, schedule_on
from trading.core.round_trips import Terms, breakeven, entry_and_exit

router = Router(tags=["charges"])
NAME = r"^[a-zA-Z0-9_\-]{1,40}$"


class BillOut(Schema):
    """Charges, item by item, ₹."""

    brokerage: Money = Field(description="Brokerage.")
    stt: Money = Field(description="Securities transaction tax.")
    transaction: Money = Field(description="Exchange charge with IPFT.")
    sebi: Money = Field(description="SEBI fee.")
    stamp: Money = Field(description="Stamp duty.")
    gst: Money = Field(description="GST (service tax before July 2017).")
    dp: Money = Field(description="Depository charge with its GST.")
    total: Money = Field(description="All of them.")
    turnover: Money = Field(description="Rupees bought and sold.")


class ExplainedOut(Schema):
    """How one item was charged."""

    item: str = Field(description="Item.", examples=["STT"])
    how: str = Field(description="Rate and turnover.", examples=["0.1 % of 1,50,000.00"])
    amount: Money = Field(description="₹.")


class RoundTripOut(Schema):
    """What a trade costs and what it must earn."""

    kind: str = Field(description="delivery or intraday.", examples=["intraday"])
    entry: BillOut = Field(description="The opening leg.")
    exit: BillOut = Field(description="The closing leg.")
    both: BillOut = Field(description="The whole trade.")
    explained: list[ExplainedOut] = Field(description="How each item came about.")
    gross: Money = Field(description="Sale less purchase, ₹.")
    net: Money = Field(description="After charges, ₹.")
    breakeven_price: Money = Field(description="Exit price that pays for all charges, ₹.")
    breakeven_bp: Money = Field(description="The same as a move from the entry, basis points.")


class PlanOut(Schema):
    """One broker plan."""

    plan: str = Field(description="Name.", examples=["i-secure"])
    title: str = Field(description="What it is.", examples=["ICICI Direct I-Secure"])
    cash: str = Field(description="Brokerage on delivery.", examples=["0.55 %"])
    cash_intraday: str = Field(description="Brokerage on shares bought and sold the same day.", examples=["0.275 %"])
    margin: str = Field(description="Brokerage in the margin product.", examples=["0.05 %"])
    on_breeze: bool = Field(description="Can be traded over the Breeze API.", examples=[True])
    source: str = Field(description="Where the rates come from.", examples=["icicidirect.com"])
    confidence: str = Field(description="sourced or remembered.", examples=["sourced"])


class RateOut(Schema):
    """One rate in force."""

    item: str = Field(description="Item.", examples=["stt_intraday_sell"])
    rate: str = Field(description="Share of turnover; yes or no for rules.", examples=["0.025 %"])
    since: dt.date = Field(description="First day it held.", examples=["2004-10-01"])
    source: str = Field(description="Where it comes from.", examples=["Finance Act"])
    confidence: str = Field(description="sourced or remembered.", examples=["sourced"])


class TradeIn(Schema):
    """A trade to be charged."""

    buy: Rupees = Field(description="Purchase price, ₹.", examples=["1500"])
    sell: Rupees = Field(description="Sale price, ₹.", examples=["1510.50"])
    quantity: Annotated[int, Field(ge=1, le=10**9), WHOLE_ONLY] = Field(description="Shares.", examples=[100])
    plan: str = Field(default="i-secure", pattern=NAME, description="Broker plan; see charges/plans.")
    product: str = Field(default="cash", pattern=NAME, description="cash, or margin (paper only).")
    exchange: str = Field(default="NSE", pattern=NAME, description="Exchange.")
    delivery: Flag | None = Field(
        default=None, description="Closed on another day; default true for cash, false for margin."
    )
    short: Flag = Field(default="false", description="Sold first; only within a day.")
    date: Day | None = Field(
        default=None, description="Day of the entry; today when left out.", examples=["2026-11-20"]
    )
    exit_date: Day | None = Field(default=None, description="Day of the exit; the same day when left out.")


class RatesFilter(Schema):
    """Which day."""

    date: Day | None = Field(default=None, description="Day; today when left out.", examples=["2026-11-20"])


@router.get("", response=RoundTripOut, summary="Charge a trade")
def compute(request: HttpRequest, trade: Query[TradeIn]) -> dict[str, Any]:
    """Return what one trade costs, leg by leg and item by item, and the price at which it pays for itself."""
    terms = _terms(trade)
    bills = entry_and_exit(trade.buy, trade.sell, trade.quantity, terms)
    both, gross = combine(bills), (trade.sell - trade.buy) * trade.quantity
    even = breakeven(trade.sell if terms.short else trade.buy, trade.quantity, terms)
    return {
        "kind": "delivery" if terms.delivery else "intraday",
        "entry": _bill(bills[0]),
        "exit": _bill(bills[1]),
        "both": _bill(both),
        "explained": [{"item": label, "how": how, "amount": amount} for label, how, amount in explain(both)],
        "gross": gross,
        "net": gross - both.total,
        "breakeven_price": even.price,
        "breakeven_bp": even.bp,
    }


@router.get("/plans", response=list[PlanOut], summary="Broker plans")
def plans(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the broker plans the desk knows."""
    rates = ("cash", "cash_intraday", "margin")
    return [
        {
            "plan": name,
            **{key: getattr(plan, key) for key in ("title", "on_breeze", "source", "confidence")},
            **{key: percent(getattr(plan, key)) for key in rates},
        }
        for name, plan in charge_data.PLANS.items()
    ]


@router.get("/rates", response=list[RateOut], summary="Rates of a day")
def rates(request: HttpRequest, wanted: Query[RatesFilter]) -> list[dict[str, Any]]:
    """Return the statutory rates in force on a day, each with its source."""
    return [
        {
            "item": item,
            "rate": ("yes" if row.rate else "no") if item == "stamp_sell" else percent(row.rate),
            "since": row.since,
            "source": row.source,
            "confidence": row.confidence,
        }
        for item, row in schedule_on(wanted.date or ist(now()).date()).items()
    ]


def _terms(trade: TradeIn) -> Terms:
    day = trade.date or ist(now()).date()
    leaves = trade.exit_date or day
    if leaves < day:
        raise BadInput(f"exit_date={leaves} is before date={day}", fix="give the later day as exit_date")
    delivery = trade.delivery == "true" if trade.delivery else trade.product != "margin" and trade.short == "false"
    if leaves != day and not delivery:
        raise BadInput(f"an intraday trade cannot end on {leaves}", fix="leave exit_date out, or give delivery=true")
    entry, exit_ = (rates_on(each, trade.plan, trade.product, trade.exchange) for each in (day, leaves))
    return Terms(entry, exit_, delivery=delivery, short=trade.short == "true")


def _bill(one: Bill) -> dict[str, Any]:
    return {**one.items(), "turnover": one.turnover}
