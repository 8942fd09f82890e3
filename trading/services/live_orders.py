"""The words of live orders: what is known of a price, an order on its way, an answer from the broker, and its limit."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings

from sensequant.lib.clock import IST
from trading.core import limits
from trading.core.errors import Invalid
from trading.core.orders import Status
from trading.core.ports import OrderDesk, Quote, Report
from trading.core.ticks import Tick
from trading.models.orders import Order

FRESH_PRICE = 5.0  # seconds a tick's price is good enough to set a limit by
WIDEST = Decimal(3)  # % beyond the price an exit's limit may go
FINAL = frozenset({Status.FILLED, Status.CANCELLED, Status.EXPIRED, Status.REJECTED})
MINUTE = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Name:
    """A lane's share as the broker knows it."""

    symbol: str
    code: str
    tick: Decimal


@dataclass(slots=True)
class Price:
    """What is known of a lane's price: rupees, the circuit (0: unknown), and the monotonic second it came."""

    last: Decimal = Decimal(0)
    lower: Decimal = Decimal(0)
    upper: Decimal = Decimal(0)
    came: float = float("-inf")

    @property
    def fresh(self) -> bool:
        """Say whether a limit may be set by it."""
        return time.monotonic() - self.came < FRESH_PRICE

    def tick(self, tick: Tick) -> None:
        """Take what a tick says; a circuit it does not tell stays as it was."""
        self.last, self.came = Decimal(repr(tick.price)), tick.received
        if tick.lower == tick.lower:
            self.lower = Decimal(repr(tick.lower))
        if tick.upper == tick.upper:
            self.upper = Decimal(repr(tick.upper))

    def learn(self, quote: Quote) -> None:
        """Take what a quote says."""
        self.last, self.came = quote.last, time.monotonic()
        self.lower, self.upper = quote.lower or Decimal(0), quote.upper or Decimal(0)


@dataclass(slots=True)
class Live:
    """One order that is not finished; seconds are monotonic."""

    order: Order
    lane: int
    due: float = 0.0  # next reading
    busy: bool = False
    sent: float = 0.0
    lags: int = 0  # readings whose deals were fewer than the order says
    pushes: int = 0  # times an exit's limit was moved
    cancelling: bool = False
    unwanted: bool = False  # the desk waits for it no longer
    quoted: bool = False  # a quote was asked for, because no tick was fresh
    unread: bool = False  # a cancel or a change was asked for, and the order was not read since

    @property
    def exit(self) -> bool:
        """Say whether it leaves a position."""
        return self.order.purpose == "exit"

    @property
    def urgent(self) -> bool:
        """Say whether reading it may use the budget kept for exits: it is one, or what it came to is not known."""
        return self.exit or self.unread


@dataclass(slots=True)
class Again:
    """A position whose exit came to nothing: it is ordered out again at ``due``."""

    why: int
    due: float
    tries: int = 1


@dataclass(slots=True)
class Answer:
    """What a request came to: its result or its error; ``desk`` is the session's order desk it went through."""

    verb: str
    live: Live | None
    result: Any = None
    error: Exception | None = None
    desk: OrderDesk | None = None


def limit_of(live: Live, name: Name, price: Price) -> Decimal:
    """Return the limit an order goes out with: it widens with every push; Invalid when no price is known."""
    if price.last <= 0:
        raise Invalid(f"no price of {name.symbol} is known yet")
    offset = min(Decimal(str(settings.DESK.breeze_limit_offset_pct)) * 2**live.pushes, WIDEST)
    return limits.aggressive(
        live.order.side, price.last, name.tick, offset_pct=offset,
        lower=price.lower or None, upper=price.upper or None,
    )  # fmt: skip


def on_tick(limit: Decimal, tick: Decimal) -> bool:
    """Say whether a limit is one an order can have: above nothing, and a whole number of ticks."""
    return limit > 0 and not limit % tick


def sent_on(order: Order) -> dt.date:
    """Return the day an order was sent on, in India; the first of all days for one that was not."""
    return order.sent_at.astimezone(IST).date() if order.sent_at else dt.date.min


def looks_like(order: Order, code: str, report: Report) -> bool:
    """Say whether a row of the broker's book is of the same share, side, quantity and limit as an order of ours."""
    same = (report.code, report.side, report.quantity) == (code, order.side, order.quantity)
    return same and report.limit == order.limit_price


def in_time(order: Order, report: Report, *, late: dt.timedelta) -> bool:
    """Say whether a row was placed when an order of ours was sent: the book tells minutes only.

    ``late`` is how long after the claim it may have been placed.
    """
    if order.sent_at is None or report.at is None:
        return False
    after = order.sent_at.astimezone(IST).replace(second=0, microsecond=0)
    return after - MINUTE <= report.at.astimezone(IST) <= after + MINUTE + late


def matching(orders: Iterable[tuple[Order, str]], book: Iterable[Report], *, late: dt.timedelta) -> dict[int, Report]:
    """Return for each order (by primary key) the book's row that is taken for it, each row once, oldest first.

    Breeze gives no mark of ours back for ``cash``, so looks and minute must do. What is left of one day's ``book`` is
    matched by looks alone: this machine's clock may be minutes away from the exchange's. Orders given up come last.
    """
    free = sorted(book, key=lambda row: (row.at or dt.datetime.max.replace(tzinfo=dt.UTC), row.order_id))
    wanted = sorted(orders, key=lambda pair: (pair[0].status == Status.NOT_PLACED, pair[0].pk))
    found: dict[int, Report] = {}
    for strict in (True, False):
        for order, code in wanted:
            fits = (
                row for row in free if looks_like(order, code, row) and (not strict or in_time(order, row, late=late))
            )
            if order.pk not in found and (row := next(fits, None)) is not None:
                free.remove(row)
                found[order.pk] = row
    return found
