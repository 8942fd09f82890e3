"""One trade, in and out: what it costs and the price at which it pays for itself."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from trading.core.bills import PAISA, Bill, Leg, bill, combine, itemise
from trading.core.charges import Rates
from trading.core.errors import Invalid


@dataclass(frozen=True, slots=True)
class Terms:
    """How a trade is charged.

    A ``delivery`` trade is closed on another day, at ``exit_rates`` (``rates`` when not given); any other the same
    day. A ``short`` trade sells first, which only an intraday trade can.
    """

    rates: Rates
    exit_rates: Rates | None = None
    delivery: bool = False
    short: bool = False

    def __post_init__(self) -> None:
        """Raise Invalid for a short sale that would have to be delivered."""
        if self.short and self.delivery:
            raise Invalid("a short sale cannot be delivered: it must be bought back the same day")


@dataclass(frozen=True, slots=True)
class Breakeven:
    """The exit price at which a trade loses nothing, in rupees, per share from the entry, and in basis points."""

    price: Decimal
    move: Decimal
    bp: Decimal


def entry_and_exit(buy: Decimal, sell: Decimal, quantity: int, terms: Terms) -> tuple[Bill, Bill]:
    """Return the bills of the opening and of the closing leg of one trade."""
    legs = [Leg("BUY", quantity, buy), Leg("SELL", quantity, sell)]
    if terms.delivery:
        return bill(legs[:1], terms.rates, "delivery"), bill(legs[1:], terms.exit_rates or terms.rates, "delivery")
    opening, closing = itemise(legs[::-1] if terms.short else legs, terms.rates)
    return opening, closing


def round_trip(buy: Decimal, sell: Decimal, quantity: int, terms: Terms) -> Bill:
    """Return the bill of one whole trade."""
    return combine(entry_and_exit(buy, sell, quantity, terms))


def breakeven(price: Decimal, quantity: int, terms: Terms) -> Breakeven:
    """Return the exit nearest to entry ``price``, in whole paise, that pays for all charges; Invalid if none does."""
    side = "SELL" if terms.short else "BUY"
    entry = Leg(side, quantity, price).value
    exit_price = _sink(price, quantity, entry, terms) if terms.short else _climb(price, quantity, entry, terms)
    move = abs(exit_price - price)
    return Breakeven(exit_price, move, (move / price * 10_000).quantize(Decimal("0.1"), ROUND_HALF_UP))


def _climb(price: Decimal, quantity: int, entry: int, terms: Terms) -> Decimal:
    """Return the lowest sale that returns ``entry`` paise and the charges.

    Charges never fall as the sale rises, so raising it to what the last charges ask for cannot overshoot.
    """
    sale = price.quantize(PAISA, ROUND_CEILING)
    while True:
        needed = entry + _paise(round_trip(price, sale, quantity, terms).total)
        asked = Decimal(-(-needed // quantity)) / 100
        if asked <= sale:
            return sale
        sale = asked


def _sink(price: Decimal, quantity: int, entry: int, terms: Terms) -> Decimal:
    """Return the highest purchase that leaves the charges of ``entry`` paise sold; dearer ones cost ever more."""
    low, high = 0, _paise(price.quantize(PAISA, ROUND_FLOOR)) + 1
    while high - low > 1:
        middle = (low + high) // 2
        cost = round_trip(Decimal(middle) / 100, price, quantity, terms).total
        low, high = (middle, high) if middle * quantity + _paise(cost) <= entry else (low, middle)
    if not low:
        raise Invalid(f"{quantity} x {price} sold short never pays for its charges")
    return Decimal(low) / 100


def _paise(amount: Decimal) -> int:
    return int(amount * 100)
