"""ICICI's order desk for the one account: what it takes, what it refuses, and the truth about every order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from trading.adapters.simulator.floor import Floor, Hears
from trading.adapters.simulator.journal import Journal
from trading.adapters.simulator.shares import Share
from trading.core.errors import Invalid
from trading.core.exchange.book import BUY, EXECUTED, QUEUED, REJECTED, SELL, UNIT, Fill, Order, copy, units

GRID: Final = 1e-6
Notify = Callable[[Order], None]

PROHIBITED: Final = (
    "Placement, modification, or cancelation of Margin and Option Plus orders via the Breeze API is prohibited."
)
NOT_CASH: Final = "Product should be cash for equity orders."
NOT_LIMIT: Final = "Market orders are not permitted. Only limit orders are accepted for this product."
NOT_NSE: Final = "Orders are accepted for the NSE only."
CLOSED: Final = "The exchange is closed for this stock. Order cannot be placed."
AUCTION: Final = "The stock is in its closing auction. Order cannot be placed."
HALTED: Final = "Trading in this stock is suspended. Order cannot be placed."
UNKNOWN_STOCK: Final = "Stock code is not valid."
BAD_QUANTITY: Final = "Quantity should be a whole number of shares, more than zero."
BAD_PRICE: Final = "Limit rate should be more than zero."
BAD_ACTION: Final = "Action should be either 'buy', or 'sell'"
BAD_VALIDITY: Final = "Validity should be either 'day' or 'ioc'"
OFF_TICK: Final = "Limit rate should be in multiples of {0:.2f}."
OUTSIDE: Final = "Limit rate should be between {0:.2f} and {1:.2f}."
NO_FUNDS: Final = "Insufficient limits: the order needs {0:.2f} and {1:.2f} is available."
NO_SHARES: Final = "Insufficient holdings: {0} shares can be sold."
NOT_WORKING: Final = "Order has already been executed, cancelled or rejected."
NO_DATA: Final = "No Data Found"


class Refused(Exception):
    """A clean no, in ICICI's words."""


@dataclass(frozen=True, slots=True)
class Trade:
    """Shares that changed hands, under the exchange's number."""

    id: str
    order_id: str
    symbol: str
    side: str
    quantity: int
    price: int
    ms: int


@dataclass(frozen=True, slots=True)
class Wish:
    """An order as it was asked for; prices in rupees."""

    symbol: str
    side: str
    quantity: int
    price: float
    validity: str = "Day"
    external: bool = False


@dataclass
class Desk(Hears):
    """The account and its orders; ``notify`` hears of every change, once it is on the disk."""

    floor: Floor
    journal: Journal
    cash: float = 5_000_000.0
    orders: dict[str, Order] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)
    held: dict[str, int] = field(default_factory=dict)
    notify: Notify = lambda _: None
    _day_from: int = 0  # the first trade of today
    _rank: int = 0
    _traded: int = 0

    def place(self, wish: Wish) -> Order:
        """Take an order, or refuse it and leave everything as it was."""
        share = self.floor.shares[wish.symbol]
        limit = units(wish.price)
        status = self._admit(share, wish)
        rejected = self.floor.faults.strike("orders", verb="place", symbol=wish.symbol)
        order = Order(
            f"{self.floor.date:%Y%m%d}N3{len(self.orders) + 1:08d}", wish.symbol, wish.side, wish.quantity, limit,
            self._later(), self.floor.ms, wish.validity, status, changed_ms=self.floor.ms, external=wish.external,
        )  # fmt: skip
        self.orders[order.id] = order
        fresh, fills = copy(order), []
        if rejected is not None:
            order.status, order.cancelled = REJECTED, order.quantity
        else:
            fills = share.book.arrive(order, share.market.touch, self.floor.ms)
        self._record(fills, [fresh] if order.working or order.status == EXECUTED else [fresh, order])
        return order

    def _later(self) -> int:
        """Return a place in time behind all orders so far."""
        self._rank += 1
        return self._rank

    def modify(self, order_id: str, quantity: int | None, price: float | None) -> Order:
        """Change a working order."""
        order = self._working(order_id)
        share = self.floor.shares[order.symbol]
        asked = Wish(
            order.symbol, order.side, quantity or order.quantity, price if price is not None else order.limit / UNIT,
            external=order.external,
        )  # fmt: skip
        self._admit(share, asked, replacing=order)
        if asked.quantity <= order.filled:
            raise Refused(f"{order.filled} shares are executed already.")
        if self.floor.faults.strike("orders", verb="modify", symbol=order.symbol) is not None:
            return order
        fills = share.book.amend(
            order_id, asked.quantity, units(asked.price), self._later(), share.market.touch, self.floor.ms
        )
        self._record(fills, [] if fills else [order])
        return order

    def cancel(self, order_id: str) -> Order:
        """Cancel a working order."""
        order = self._working(order_id)
        share = self.floor.shares[order.symbol]
        fault = self.floor.faults.strike("orders", verb="cancel", symbol=order.symbol)
        if fault is not None and fault.name == "cancel_no_effect":
            return order
        share.book.cancel(order_id, self.floor.ms)
        if fault is not None:
            share.crossing.append(order)
        self._record([], [order])
        return order

    def _working(self, order_id: str) -> Order:
        order = self.orders.get(order_id)
        if order is None:
            raise Refused(NO_DATA)
        if not order.working:
            raise Refused(NOT_WORKING)
        return order

    def _admit(self, share: Share, wish: Wish, replacing: Order | None = None) -> str:
        """Return the status an order begins with, or refuse it."""
        _sound(share, wish)
        phase = share.phase(self.floor.ms)
        if self.floor.faults.any("halt", symbol=wish.symbol):
            raise Refused(HALTED)
        if phase == "closing_auction":
            raise Refused(AUCTION)
        if phase != "continuous" and not any(kind == "open" for _, kind in share.edges):
            raise Refused(CLOSED)
        if not wish.external:
            self._afford(wish, replacing)
        return "Ordered" if phase == "continuous" else QUEUED

    def _afford(self, wish: Wish, replacing: Order | None) -> None:
        freed = replacing.pending if replacing else 0
        filled = replacing.filled if replacing else 0
        if wish.side == BUY:
            needed = (wish.quantity - filled) * wish.price
            available = self.available + freed * (replacing.limit if replacing else 0) / UNIT
            if needed > available:
                raise Refused(NO_FUNDS.format(needed, available))
        elif wish.quantity - filled > (sellable := self.sellable(wish.symbol) + freed):
            raise Refused(NO_SHARES.format(max(sellable, 0)))

    @property
    def blocked(self) -> float:
        """Return the rupees that working buy orders hold."""
        working = (order for order in self.orders.values() if order.working and order.side == BUY)
        return sum(order.pending * order.limit for order in working) / UNIT

    @property
    def available(self) -> float:
        """Return the rupees a new order may use."""
        return self.cash - self.blocked

    def today(self, symbol: str) -> int:
        """Return the net shares bought today."""
        mine = (trade for trade in self.trades[self._day_from :] if trade.symbol == symbol)
        return sum(trade.quantity if trade.side == BUY else -trade.quantity for trade in mine)

    def sellable(self, symbol: str) -> int:
        """Return the shares a new order may sell."""
        selling = sum(
            order.pending
            for order in self.orders.values()
            if order.working and order.side == SELL and order.symbol == symbol
        )
        return self.held.get(symbol, 0) + self.today(symbol) - selling

    def todays_trades(self) -> list[Trade]:
        """Return the trades of the market's day."""
        return self.trades[self._day_from :]

    def filled(self, share: Share, fills: list[Fill]) -> None:
        """Book fills of a tick."""
        self._record(fills, [])

    def released(self, share: Share, orders: list[Order]) -> None:
        """Tell of queued orders that were let in."""
        self._record([], orders)

    def expired(self, share: Share, orders: list[Order]) -> None:
        """Tell of orders that ended with the session."""
        self._record([], orders)

    def day_over(self) -> None:
        """Let what was bought become holdings."""
        for trade in self.todays_trades():
            signed = trade.quantity if trade.side == BUY else -trade.quantity
            self.held[trade.symbol] = self.held.get(trade.symbol, 0) + signed
        self._day_from = len(self.trades)
        self.journal.write("day", held=self.held, trades=self._day_from)

    def restore(self, kind: str, row: dict[str, Any]) -> None:
        """Take back one line of the journal."""
        if kind == "orders":
            for told in row["orders"]:
                order = Order(**told)
                self.orders[order.id] = order
                self._rank = max(self._rank, order.rank)
            for told in row["trades"]:
                trade = Trade(**told)
                self.trades.append(trade)
                self._traded += 1
                value = trade.price * trade.quantity / UNIT
                self.cash += -value if trade.side == BUY else value
        elif kind == "cash":
            self.cash += float(row["amount"])
        elif kind in ("day", "held"):
            self.held = dict(row["held"])
            self._day_from = int(row.get("trades", self._day_from))

    def allocate(self, amount: float) -> None:
        """Move rupees from the bank to the account, or back when below zero."""
        self.cash += amount
        self.journal.write("cash", amount=amount)

    def hold(self, symbol: str, quantity: int) -> None:
        """Put shares into the demat account, as if they had been bought long ago."""
        if symbol not in self.floor.shares or quantity < 0:
            raise Invalid(f"{quantity} shares of {symbol!r} cannot be held: name a listed symbol and a count from 0")
        self.held[symbol] = quantity
        self.journal.write("held", held=self.held)

    def _record(self, fills: list[Fill], told: list[Order]) -> None:
        """Write orders and trades down in one line, then tell of them."""
        trades = [self._booked(fill) for fill in fills]
        changed = [copy(self.orders[fill.order_id]) for fill in fills]
        self.trades += trades
        touched = {order.id: order for order in (*told, *changed)}
        current = [asdict(self.orders[each]) for each in touched]
        self.journal.write("orders", sync=True, orders=current, trades=[asdict(trade) for trade in trades])
        for order in (*map(copy, told), *changed):
            self.notify(order)

    def _booked(self, fill: Fill) -> Trade:
        order = self.orders[fill.order_id]
        value = fill.price * fill.quantity / UNIT
        self.cash += -value if order.side == BUY else value
        self._traded += 1
        return Trade(
            str(100_000_000 + self._traded), order.id, order.symbol, order.side, fill.quantity, fill.price, fill.ms
        )


def _sound(share: Share, wish: Wish) -> None:
    """Refuse an order whose words or numbers no exchange would take."""
    market = share.market
    if share.listed.index:
        raise Refused(UNKNOWN_STOCK)
    if wish.quantity < 1 or wish.quantity % share.listed.lot:
        raise Refused(BAD_QUANTITY)
    if wish.price <= 0:
        raise Refused(BAD_PRICE)
    steps = wish.price / share.listed.tick
    if abs(steps - round(steps)) > GRID * max(steps, 1):
        raise Refused(OFF_TICK.format(share.listed.tick))
    if market.previous_close and not market.lower - GRID <= wish.price <= market.upper + GRID:
        raise Refused(OUTSIDE.format(market.lower, market.upper))
