"""A day's trades as an itemised bill in rupees, on the same kernel the backtester runs.

Which part of a leg is intraday is settled per security and day: the smaller of the quantities bought and sold was
squared, the rest is delivery, and the turnover of each part is taken at the day's volume-weighted average price.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from trading.core import charges
from trading.core.charges import Rates
from trading.core.errors import Invalid

PAISA = Decimal("0.01")
ITEMS = ("brokerage", "stt", "transaction", "sebi", "stamp", "gst", "dp")
KINDS = ("net", "delivery", "intraday")


@dataclass(frozen=True, slots=True)
class Leg:
    """One executed order: ``side`` is BUY or SELL, ``price`` the average in rupees, ``quantity`` in shares."""

    side: str
    quantity: int
    price: Decimal
    symbol: str = ""

    def __post_init__(self) -> None:
        """Raise Invalid for a side, quantity, price or turnover that no order can have."""
        charges.known(self.side, {"BUY": 1, "SELL": 0}, "side")
        if self.quantity <= 0:
            raise Invalid(f"quantity {self.quantity} is not a positive number of shares")
        if not self.price.is_finite() or self.price < PAISA:
            raise Invalid(f"price {self.price} is not a number of rupees of at least {PAISA}")
        if self.price > Decimal(charges.LARGEST) / 100 / self.quantity:
            raise Invalid(f"turnover {self.quantity} x {self.price} is over the limit of Rs 1,000 crore a leg")

    @property
    def buy(self) -> int:
        """1 for a purchase, 0 for a sale."""
        return int(self.side == "BUY")

    @property
    def value(self) -> int:
        """The turnover in paise, half-up."""
        return int((self.quantity * self.price * 100).to_integral_value(ROUND_HALF_UP))


class Part(NamedTuple):
    """What one leg was charged on: turnover in paise that was delivered and squared, and how."""

    buy: int
    delivery: int
    squared: int
    second_leg: int
    dp: int
    rates: Rates

    @property
    def value(self) -> int:
        """The leg's turnover in paise."""
        return self.delivery + self.squared


@dataclass(frozen=True, slots=True)
class Bill:
    """Charges in rupees, item by item; ``gst`` is service tax before July 2017, ``dp`` includes its GST."""

    brokerage: Decimal
    stt: Decimal
    transaction: Decimal
    sebi: Decimal
    stamp: Decimal
    gst: Decimal
    dp: Decimal
    total: Decimal
    parts: tuple[Part, ...] = ()

    @property
    def turnover(self) -> Decimal:
        """The rupees bought and sold."""
        return rupees(sum(part.value for part in self.parts))

    def items(self) -> dict[str, Decimal]:
        """Return item -> rupees, the total last."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "parts"}


def rupees(paise: int) -> Decimal:
    """Return ``paise`` as rupees with two places."""
    return (Decimal(paise) / 100).quantize(PAISA)


def itemise(legs: Sequence[Leg], rates: Rates, kind: str = "net") -> tuple[Bill, ...]:
    """Return one bill per leg of one account's day, in order; together they are the day's bill.

    ``kind`` is ``net`` (squared against delivered per security), ``delivery`` or ``intraday`` (said by the caller, as
    for one leg of a plan). STT is rounded once for the day, and a leg carries what it adds; the depository charge
    lies on a security's first delivered sale.
    """
    charges.known(kind, dict.fromkeys(KINDS), "kind")
    bills, scaled = [], 0
    for part in _parts(legs, rates, kind):
        before = charges.stt_rounded(scaled, rates)
        scaled += charges.stt_scaled(part.delivery, part.buy, 1, rates)
        scaled += charges.stt_scaled(part.squared, part.buy, 0, rates)
        bills.append(_bill(part, charges.stt_rounded(scaled, rates) - before))
    return tuple(bills)


def bill(legs: Sequence[Leg], rates: Rates, kind: str = "net") -> Bill:
    """Return the bill of one account's day; see ``itemise``."""
    return combine(itemise(legs, rates, kind))


def combine(bills: Iterable[Bill]) -> Bill:
    """Return the sum of ``bills``, of one day or several."""
    every = list(bills)
    sums = {item: sum((getattr(one, item) for one in every), Decimal("0.00")) for item in (*ITEMS, "total")}
    return Bill(**sums, parts=tuple(part for one in every for part in one.parts))


def _bill(part: Part, stt: int) -> Bill:
    fee, transaction, sebi, stamp, gst = charges.split_levies(
        part.delivery, part.squared, part.buy, part.second_leg, part.rates
    )
    dp = charges.dp_charge(part.rates) if part.dp else 0
    paise = (fee, stt, transaction, sebi, stamp, gst, dp)
    items = dict(zip(ITEMS, map(rupees, paise), strict=True))
    return Bill(**items, total=rupees(sum(paise)), parts=(part,))


def _parts(legs: Sequence[Leg], rates: Rates, kind: str) -> Iterator[Part]:
    """Yield every leg's part; a side's delivered turnover is rounded once and spread along its legs."""
    delivered, openers, sold = _delivered(legs, kind), _openers(legs), set[str]()
    done: dict[tuple[str, int], int] = {}
    for leg in legs:
        key = (leg.symbol, leg.buy)
        quantity, of = delivered[key]
        before = done.get(key, 0)
        done[key] = before + leg.value
        delivery = _portion(done[key], quantity, of) - _portion(before, quantity, of)
        dp = int(not leg.buy and quantity > 0 and leg.symbol not in sold)
        if dp:
            sold.add(leg.symbol)
        yield Part(leg.buy, delivery, leg.value - delivery, int(leg.buy != openers[leg.symbol]), dp, rates)


def _portion(value: int, quantity: int, of: int) -> int:
    return (2 * value * quantity + of) // (2 * of)


def _openers(legs: Sequence[Leg]) -> dict[str, int]:
    """Return symbol -> the side (1 = buy) that opened it today; a lone sale closes what was bought before."""
    sides: dict[str, list[int]] = {}
    for leg in legs:
        sides.setdefault(leg.symbol, []).append(leg.buy)
    return {symbol: order[0] if 1 in order else 1 for symbol, order in sides.items()}


def _delivered(legs: Sequence[Leg], kind: str) -> dict[tuple[str, int], tuple[int, int]]:
    """Return (symbol, side) -> shares delivered, shares traded."""
    traded: dict[tuple[str, int], int] = {}
    for leg in legs:
        traded[leg.symbol, leg.buy] = traded.get((leg.symbol, leg.buy), 0) + leg.quantity
    squared = {"delivery": dict.fromkeys(traded, 0), "intraday": traded, "net": _squared(traded)}[kind]
    return {key: (of - squared[key], of) for key, of in traded.items()}


def _squared(traded: dict[tuple[str, int], int]) -> dict[tuple[str, int], int]:
    return {(symbol, buy): min(of, traded.get((symbol, 1 - buy), 0)) for (symbol, buy), of in traded.items()}
