"""Our limit orders in one share against the recorded market, by price and then by time.

Prices are whole numbers of 1/10,000 rupee. Between two ticks of the market no more shares are for us than a part of
what the earlier of them traded. An order that takes is filled at the touch and, for what it did not get at once, at
the prices of the next ticks; one that rests is filled at its limit when the market trades there or beyond.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from trading.core.errors import Invalid

UNIT: Final = 10_000
BUY: Final = "Buy"
SELL: Final = "Sell"
SIDES: Final = (BUY, SELL)

QUEUED: Final = "Queued"
ORDERED: Final = "Ordered"
PARTIAL: Final = "Partially Executed"
EXECUTED: Final = "Executed"
REJECTED: Final = "Rejected"
EXPIRED: Final = "Expired"
CANCELLED: Final = "Cancelled"
PARTIAL_EXPIRED: Final = "Partially Executed And Expired"
PARTIAL_CANCELLED: Final = "Partially Executed And Cancelled"
WORKING: Final = frozenset({QUEUED, ORDERED, PARTIAL})


def units(price: float) -> int:
    """Return rupees as whole units."""
    return round(price * UNIT)


@dataclass(slots=True)
class Order:
    """One order of ours; ``rank`` is its place in time, ``value`` the units paid for the shares filled."""

    id: str
    symbol: str
    side: str
    quantity: int
    limit: int
    rank: int
    placed_ms: int
    validity: str = "Day"
    status: str = ORDERED
    filled: int = 0
    value: int = 0
    cancelled: int = 0
    expired: int = 0
    changed_ms: int = 0
    external: bool = False
    taking: bool = True  # it has not rested yet: the market has been within its limit ever since it came

    @property
    def pending(self) -> int:
        """Return the shares that may still be filled."""
        return self.quantity - self.filled - self.cancelled - self.expired

    @property
    def working(self) -> bool:
        """Say whether the order can still be filled."""
        return self.status in WORKING

    @property
    def average(self) -> float:
        """Return the mean price of what was filled, rupees; 0 when nothing was."""
        return self.value / self.filled / UNIT if self.filled else 0.0


@dataclass(frozen=True, slots=True)
class Fill:
    """Shares of one order that changed hands."""

    order_id: str
    ms: int
    price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Touch:
    """The best offers; None where nobody offers."""

    bid: int | None
    ask: int | None


@dataclass(frozen=True, slots=True)
class Liquidity:
    """How much of the market is for us: a share of each tick's volume, or ``nominal`` where volume is unknown."""

    share: float = 0.25
    nominal: int = 100

    def of(self, volume: int, *, known: bool) -> int:
        """Return the shares one tick leaves us."""
        return int(volume * self.share) if known else self.nominal


class Book:
    """The working orders of one share."""

    def __init__(self) -> None:
        """Start with no order and no market."""
        self.orders: dict[str, Order] = {}
        self.left = 0  # shares still for us until the next tick
        self.halted = False

    def __bool__(self) -> bool:
        """Say whether any order is working."""
        return bool(self.orders)

    def arrive(self, order: Order, touch: Touch, ms: int) -> list[Fill]:
        """Take a new order in and match its side at the touch; what an ``Ioc`` order does not get is cancelled."""
        if order.quantity < 1 or order.id in self.orders:
            raise Invalid(f"order {order.id!r} of {order.quantity} shares cannot be taken: new, and 1 share or more")
        self.orders[order.id] = order
        order.changed_ms = ms
        fills = self._at_touch(order.side, touch, ms) if order.status != QUEUED else []
        if order.validity == "Ioc" and order.working:
            self.cancel(order.id, ms)
        return fills

    def release(self, ms: int) -> list[Order]:
        """Let the queued orders in, in the order they came, and return them."""
        queued = [order for order in self.orders.values() if order.status == QUEUED]
        for order in queued:
            order.status, order.changed_ms = ORDERED, ms
        return queued

    def trade(self, ms: int, price: int, shares: int) -> list[Fill]:
        """Fill orders as the market trades at ``price``; ``shares`` of it are for us until the next tick."""
        self.left = shares
        if self.halted or not self.orders:
            return []
        fills = []
        for side, sign in ((BUY, 1), (SELL, -1)):
            for order in self._queue(side):
                if sign * (order.limit - price) < 0:
                    order.taking = False
                elif self.left:
                    fills.append(self._take(order, price if order.taking else order.limit, ms))
        return fills

    def amend(self, order_id: str, quantity: int, limit: int, rank: int, touch: Touch, ms: int) -> list[Fill]:
        """Change a working order; a better price or more shares cost it its place in time."""
        order = self.orders[order_id]
        if quantity <= order.filled:
            raise Invalid(f"{order.filled} shares are filled already: a quantity of {quantity} is not enough")
        if limit != order.limit or quantity > order.quantity:
            order.rank = rank
        order.quantity, order.limit, order.changed_ms, order.taking = quantity, limit, ms, True
        return self._at_touch(order.side, touch, ms) if order.status != QUEUED else []

    def cancel(self, order_id: str, ms: int) -> Order:
        """End a working order."""
        order = self.orders.pop(order_id)
        order.cancelled, order.changed_ms = order.pending, ms
        order.status = PARTIAL_CANCELLED if order.filled else CANCELLED
        return order

    def expire(self, ms: int) -> list[Order]:
        """End every working order with the session and return them."""
        ended = list(self.orders.values())
        for order in ended:
            order.expired, order.changed_ms = order.pending, ms
            order.status = PARTIAL_EXPIRED if order.filled else EXPIRED
        self.orders.clear()
        return ended

    def _queue(self, side: str) -> list[Order]:
        """Return the orders of a side, the best price first, then the oldest."""
        sign = -1 if side == BUY else 1
        mine = (order for order in self.orders.values() if order.side == side and order.status != QUEUED)
        return sorted(mine, key=lambda order: (sign * order.limit, order.rank))

    def _at_touch(self, side: str, touch: Touch, ms: int) -> list[Fill]:
        """Match a side with the best offer against it."""
        best = touch.ask if side == BUY else touch.bid
        if self.halted:
            return []
        fills, sign = [], 1 if side == BUY else -1
        for order in self._queue(side):
            if best is None or sign * (order.limit - best) < 0:
                order.taking = order.taking and best is None
            elif self.left:
                fills.append(self._take(order, best, ms))
        return fills

    def _take(self, order: Order, price: int, ms: int) -> Fill:
        fill = take(order, min(order.pending, self.left), price, ms)
        self.left -= fill.quantity
        if order.status == EXECUTED:
            del self.orders[order.id]
        return fill


def take(order: Order, quantity: int, price: int, ms: int) -> Fill:
    """Fill ``quantity`` shares of an order, whatever book it is in."""
    order.filled += quantity
    order.value += quantity * price
    order.changed_ms = ms
    order.status = PARTIAL if order.pending else EXECUTED
    return Fill(order.id, ms, price, quantity)


def copy(order: Order) -> Order:
    """Return the order as it stands now."""
    return replace(order)
