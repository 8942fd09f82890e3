"""What Indian equity trades have cost since 2008, as dated rows: levies by law, and broker plans.

Rates are integers in units of 1e-7 of turnover (0.00307 % = 307); fees are paise. A row holds from its ``since``
until the next row of the same item. ``confidence`` says how well a row is known: ``sourced`` rows name a published
text, ``remembered`` rows are common knowledge nobody has checked against one yet.

The kernel taxes brokerage, exchange charge and SEBI fee alike on every day. Before GST the SEBI fee was outside
service tax: a difference of under three paise a lakh of turnover.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

EARLIEST = date(2008, 1, 1)
"""No charge is known before this day."""

REVIEWED = date(2026, 11, 22)
"""The schedule was compared with published tables on this day; later days use the newest rows."""

SOURCED, REMEMBERED = "sourced", "remembered"


@dataclass(frozen=True, slots=True)
class Row:
    """One rate, in force from ``since`` until the next row of the same item."""

    since: date
    rate: int
    source: str
    confidence: str = SOURCED


@dataclass(frozen=True, slots=True)
class Plan:
    """What a broker asks: rates in units of 1e-7, fees in paise; ``*_minimum`` and ``maximum`` are per order.

    ``cash`` is the rate of shares that are delivered and ``cash_intraday`` of shares bought and sold the same day in
    the cash product; ``margin`` is the leveraged intraday product's. A plan's rates are today's and are applied to
    every day of a backtest: the question a backtest answers is what trading would cost on this plan.
    """

    title: str
    cash: int
    cash_intraday: int
    margin: int
    source: str
    cash_minimum: int = 0
    margin_minimum: int = 0
    maximum: int = 0
    second_leg_free: int = 0
    dp: int = 2_000
    confidence: str = SOURCED
    on_breeze: bool = True


_STT = "Finance Act 2006: 0.125 % both sides on delivery, 0.025 % on intraday sales, from 1 Jun 2006"
_STT_2012 = "Finance Act 2012: delivery 0.125 % to 0.1 % from 1 Jul 2012; cash rates unchanged by Budget 2026"
_MAHARASHTRA = (
    "APPROXIMATION: stamp duty was set by each state; Maharashtra's 0.01 % delivery and 0.002 % intraday, on both"
    " sides, stand for all of them"
)
_UNIFORM = "Indian Stamp (Collection through Stock Exchanges) Rules 2019: buyer pays 0.015 % or 0.003 % from 1 Jul 2020"
_SERVICE_TAX = "service tax on brokerage and exchange charges, cesses included: "

SCHEDULE: dict[str, tuple[Row, ...]] = {
    "stt_delivery_buy": (Row(EARLIEST, 12_500, _STT), Row(date(2012, 7, 1), 10_000, _STT_2012)),
    "stt_delivery_sell": (Row(EARLIEST, 12_500, _STT), Row(date(2012, 7, 1), 10_000, _STT_2012)),
    "stt_intraday_sell": (Row(EARLIEST, 2_500, _STT),),
    "exchange": (
        Row(EARLIEST, 350, "NSE charged Rs 3.50 per lakh until Oct 2009 (Business Standard, 7 Sep 2009)"),
        Row(date(2009, 10, 1), 325, "NSE slabs of Rs 3.25 to 3.00 per lakh (7 Sep 2009); the first slab, as billed"),
        Row(date(2021, 1, 1), 345, "NSE raised its charges 6 % to feed the IPFT from 1 Jan 2021 (The Hindu, 2023)"),
        Row(date(2023, 4, 1), 325, "NSE rolled the 6 % back from 1 Apr 2023 (press release of 24 Mar 2023)"),
        Row(date(2024, 4, 1), 322, "NSE cut its charges 1 % from 1 Apr 2024", REMEMBERED),
        Row(date(2024, 10, 1), 297, "NSE flat Rs 2.97 per lakh from 1 Oct 2024 (SEBI true-to-label circular)"),
    ),
    "ipft": (
        Row(EARLIEST, 0, "Rs 0.01 per crore until Mar 2023: a thousandth of a unit, taken as nothing"),
        Row(date(2023, 4, 1), 10, "Rs 10 per crore to the NSE investor protection fund (24 Mar 2023)"),
    ),
    "sebi": (
        Row(EARLIEST, 20, "Rs 20 per crore for brokers since 2006", REMEMBERED),
        Row(date(2009, 7, 1), 10, "halved to Rs 10 per crore in mid-2009; the day is not confirmed", REMEMBERED),
        Row(date(2014, 5, 23), 20, "Rs 20 per crore, SEBI (Payment of Fees) (Amendment) Regulations 2014", REMEMBERED),
        Row(date(2017, 4, 1), 15, "Rs 15 per crore, proposed Jan 2017; the day is not confirmed", REMEMBERED),
        Row(date(2019, 4, 1), 10, "Rs 10 per crore, SEBI (Payment of Fees) (Amendment) Regulations 2019"),
        Row(date(2020, 6, 1), 5, "halved from Jun 2020 to Mar 2021 (SEBI release of 27 Apr 2020)"),
        Row(date(2021, 4, 1), 10, "the relief of 2020 ended on 31 Mar 2021 (SEBI release of 27 Apr 2020)"),
    ),
    "stamp_delivery": (Row(EARLIEST, 1_000, _MAHARASHTRA, REMEMBERED), Row(date(2020, 7, 1), 1_500, _UNIFORM)),
    "stamp_intraday": (Row(EARLIEST, 200, _MAHARASHTRA, REMEMBERED), Row(date(2020, 7, 1), 300, _UNIFORM)),
    "stamp_sell": (Row(EARLIEST, 1, _MAHARASHTRA, REMEMBERED), Row(date(2020, 7, 1), 0, _UNIFORM)),
    "gst": (
        Row(EARLIEST, 1_236_000, _SERVICE_TAX + "12.36 % since 11 May 2007"),
        Row(date(2009, 2, 24), 1_030_000, _SERVICE_TAX + "10.30 % from 24 Feb 2009"),
        Row(date(2012, 4, 1), 1_236_000, _SERVICE_TAX + "12.36 % from 1 Apr 2012"),
        Row(date(2015, 6, 1), 1_400_000, _SERVICE_TAX + "14 % from 1 Jun 2015"),
        Row(date(2015, 11, 15), 1_450_000, _SERVICE_TAX + "14.5 % with Swachh Bharat Cess from 15 Nov 2015"),
        Row(date(2016, 6, 1), 1_500_000, _SERVICE_TAX + "15 % with Krishi Kalyan Cess from 1 Jun 2016"),
        Row(date(2017, 7, 1), 1_800_000, "GST 18 % on brokerage, exchange charges (IPFT included) and SEBI fee"),
    ),
}
"""Item -> its rows, oldest first. ``stamp_sell`` is a flag (1: sellers pay too); all else are rates."""

STT_STEP = 100
"""STT is rounded to the whole rupee, once for an account's day (paise)."""

_PRIME = "ICICI Direct Prime plan page, Nov 2026; no rule for the second leg of a cash square-off is published"

PLANS: dict[str, Plan] = {
    "prime-9999": Plan("ICICI Prime 9,999", 7_000, 7_000, 700, _PRIME),
    "prime-4999": Plan("ICICI Prime 4,999", 10_000, 10_000, 1_000, _PRIME),
    "prime-2999": Plan("ICICI Prime 2,999", 15_000, 15_000, 1_500, _PRIME),
    "prime-999": Plan("ICICI Prime 999", 22_000, 22_000, 2_200, _PRIME),
    "prime-299": Plan("ICICI Prime 299", 25_000, 25_000, 2_500, _PRIME),
    "i-secure": Plan(
        "ICICI I-Secure (the plan without a fee)",
        55_000,
        55_000,
        5_000,
        "ICICI Direct I-Secure page: cash 0.55 %, second leg of a same-day square-off nil, margin 0.05 % with Rs 25"
        " minimum; the cash minimum of Rs 35 as reviewed by chittorgarh.com",
        cash_minimum=3_500,
        margin_minimum=2_500,
        second_leg_free=1,
    ),
    "discount": Plan(
        "Discount broker: delivery free, intraday Rs 20 or 0.03 % whichever is lower",
        0,
        3_000,
        3_000,
        "the common Indian discount tariff, for comparison; its depository fee of Rs 13 is remembered",
        maximum=2_000,
        dp=1_300,
        confidence=REMEMBERED,
        on_breeze=False,
    ),
    "zero": Plan(
        "Taxes and exchange fees only: no brokerage, no depository fee",
        0,
        0,
        0,
        "a floor under every broker, for comparison",
        dp=0,
        on_breeze=False,
    ),
}
"""Name -> plan; the first six are ICICI's and can trade over Breeze."""

PRODUCTS: dict[str, str] = {
    "cash": "fully paid; what Breeze trades",
    "margin": "leveraged intraday; paper only, not available on Breeze since March 2026",
}
"""Name -> what it is."""

EXCHANGES = ("NSE",)
"""The exchanges whose charges are known."""
