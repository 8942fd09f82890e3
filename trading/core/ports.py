"""What the desk asks of a broker, in its own words; adapters translate.

``MarketData`` has no verb that could place, change or cancel an order: replay and dry-run are built with it only, so
that reaching an order endpoint is a type error and not a forgotten ``if``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from trading.core.bars import Bars
from trading.core.orders import Status


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a broker can carry, as data."""

    name: str
    products: tuple[str, ...]
    order_types: tuple[str, ...]
    shorts: bool
    protective_orders: bool  # stops kept at the broker
    auto_square_off: bool


@dataclass(frozen=True, slots=True)
class Ticket:
    """One order to be placed: ``code`` is the broker's name of the share, ``limit`` rupees on the tick."""

    code: str
    side: str  # BUY or SELL
    quantity: int
    limit: Decimal
    product: str = "cash"
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """An order as the broker's book shows it; ``at`` is when it was placed, to the minute; quantities are shares."""

    order_id: str
    code: str
    side: str
    quantity: int
    filled: int
    pending: int
    cancelled: int
    limit: Decimal
    average: Decimal | None
    status: Status
    word: str  # the broker's own word for the status
    at: dt.datetime | None
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deal:
    """Shares that changed hands at the exchange, under the exchange's number."""

    order_id: str
    trade_id: str
    code: str
    side: str
    quantity: int
    price: Decimal
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Quote:
    """A share's newest price, the best offers, and the limits of the day, in rupees; NaN-free, None when unknown."""

    code: str
    last: Decimal
    bid: Decimal | None
    ask: Decimal | None
    lower: Decimal | None
    upper: Decimal | None
    previous_close: Decimal | None
    at: dt.datetime | None


class MarketData(Protocol):
    """What may be read of the market; no verb of it moves money."""

    def history(self, code: str, interval: str, start: dt.datetime, end: dt.datetime) -> Bars:
        """Return one request's bars that start from ``start`` to ``end`` (aware, inclusive); at most 1,000 fit."""
        ...

    def quote(self, code: str) -> Quote:
        """Return the newest quote of a share."""
        ...


class OrderDesk(MarketData, Protocol):
    """Everything a broker does for a desk that trades with money."""

    capabilities: Capabilities

    def place(self, ticket: Ticket, *, deadline: float, exit: bool) -> str:
        """Send one order once and return its number; ``deadline`` is a monotonic second after which nothing is sent."""
        ...

    def cancel(self, order_id: str) -> Report:
        """Ask for a cancel and return the order as it is read back afterwards."""
        ...

    def modify(self, order_id: str, *, quantity: int, limit: Decimal, exit: bool) -> Report:
        """Ask for a change and return the order as it is read back afterwards."""
        ...

    def order(self, order_id: str, *, exit: bool = False) -> Report:
        """Return one order as the book shows it; ``exit`` lets the reading use the budget kept for exits."""
        ...

    def orders(self, day: dt.date, *, exit: bool = False) -> Sequence[Report]:
        """Return the book of a day: a clean and complete reading, or an error."""
        ...

    def deals(self, order_id: str, *, exit: bool = False) -> Sequence[Deal]:
        """Return the deals of one order."""
        ...
