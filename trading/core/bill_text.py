"""A bill in words: every item with the rate and the turnover it was charged on."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from trading.core.bills import Bill, Part, rupees

WHOLE_RUPEE = 100
GST = 1_800_000


def explain(bill: Bill) -> list[tuple[str, str, Decimal]]:
    """Return (label, how it was charged, rupees) for every item of ``bill`` and then its total."""
    fee = [basis for part in bill.parts for basis in _brokerage_bases(part)]
    stt = [basis for part in bill.parts for basis in _stt_bases(part)]
    stamp = [basis for part in bill.parts for basis in _stamp_bases(part)]
    return [
        ("Brokerage", _text(fee) + _limits(bill), bill.brokerage),
        ("STT", _text(stt) + _step(bill), bill.stt),
        ("Exchange charge with IPFT", _text([(p.rates.transaction, p.value) for p in bill.parts]), bill.transaction),
        ("SEBI fee", _text([(p.rates.sebi, p.value) for p in bill.parts]), bill.sebi),
        ("Stamp duty", _text(stamp), bill.stamp),
        (_tax_label(bill), _tax_text(bill), bill.gst),
        ("Depository charge", _dp_text(bill), bill.dp),
        ("Total", f"on a turnover of {bill.turnover:,.2f}", bill.total),
    ]


def percent(rate: int) -> str:
    """Return a rate in units of 1e-7 as a percentage: 307 is ``0.00307 %``."""
    return f"{(Decimal(rate) / 100_000).normalize():f} %"


def _brokerage_bases(part: Part) -> list[tuple[int, int]]:
    free = part.second_leg and part.rates.second_leg_free
    rate = 0 if free else part.rates.brokerage_intraday
    return [(part.rates.brokerage_delivery, part.delivery), (rate, part.squared)]


def _stt_bases(part: Part) -> list[tuple[int, int]]:
    rates = part.rates
    delivered = (rates.stt_delivery_buy if part.buy else rates.stt_delivery_sell, part.delivery)
    return [delivered] if part.buy else [delivered, (rates.stt_intraday_sell, part.squared)]


def _stamp_bases(part: Part) -> list[tuple[int, int]]:
    if not (part.buy or part.rates.stamp_sell):
        return []
    return [(part.rates.stamp_delivery, part.delivery), (part.rates.stamp_intraday, part.squared)]


def _text(bases: Iterable[tuple[int, int]]) -> str:
    """Return the turnover charged at each rate, in words; ``nil`` when there is none."""
    sums: dict[int, int] = {}
    for rate, paise in bases:
        sums[rate] = sums.get(rate, 0) + paise
    charged = [f"{percent(rate)} of {rupees(paise):,.2f}" for rate, paise in sums.items() if paise and rate]
    return " + ".join(charged) or "nil"


def _limits(bill: Bill) -> str:
    if not bill.brokerage:
        return ""
    rates = bill.parts[0].rates
    least = f", at least {rupees(rates.brokerage_minimum)} an order" if rates.brokerage_minimum else ""
    most = f", at most {rupees(rates.brokerage_maximum)} an order" if rates.brokerage_maximum else ""
    return least + most


def _step(bill: Bill) -> str:
    whole = bill.stt and all(part.rates.stt_step == WHOLE_RUPEE for part in bill.parts)
    return ", whole rupees a day" if whole else ""


def _taxes(bill: Bill) -> list[int]:
    return sorted({part.rates.gst for part in bill.parts})


def _tax_label(bill: Bill) -> str:
    return "GST" if all(rate == GST for rate in _taxes(bill)) else "Service tax or GST"


def _tax_text(bill: Bill) -> str:
    base = bill.brokerage + bill.transaction + bill.sebi
    rates = " and ".join(map(percent, _taxes(bill))) or "nil"
    return f"{rates} of brokerage, exchange charge and SEBI fee ({base:,.2f})"


def _dp_text(bill: Bill) -> str:
    fees = [f"{rupees(part.rates.dp)} + {percent(part.rates.gst)}" for part in bill.parts if part.dp and part.rates.dp]
    return f"{', '.join(fees)} a scrip and sell day" if fees else "nil"
