"""Breeze behind the broker port: questions for everybody, order verbs for the desk that trades with money."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, SenseQuantError
from trading.adapters.breeze import rows, words
from trading.adapters.breeze.errors import BudgetSpent, OutcomeUnknown
from trading.adapters.breeze.wire import Wire
from trading.core.bars import DAY, INTERVALS, Bars, interval
from trading.core.calendar import NSE
from trading.core.errors import Invalid
from trading.core.ports import Capabilities, Deal, Quote, Report, Ticket

EXCHANGE: Final = "NSE"
MOST_CANDLES: Final = 1_000  # more than these Breeze cuts off without a word
OFFERED: Final = ("1minute", "5minute", "1day")  # of our intervals; Breeze has no 15 minutes
PAISE: Final = Decimal("0.01")
DEAREST: Final = Decimal(10) ** 9  # no share costs a hundred crore
SOON: Final = 1.0  # seconds an order waits for its turn at most, each of so many times
TURNS: Final = 4
CAPABILITIES: Final = Capabilities(
    name="breeze", products=("cash",), order_types=("limit",), shorts=False, protective_orders=False,
    auto_square_off=False,
)  # fmt: skip


class BreezeData:
    """What may be read at Breeze. There is no order verb here, and its line lets nothing but questions out."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def history(self, code: str, interval: str, start: dt.datetime, end: dt.datetime) -> Bars:
        """Return the bars that start from ``start`` to ``end`` (aware, inclusive), one request; none is empty Bars.

        ``code`` is the ISEC code. Raise Invalid for an interval Breeze has not, an inverted range, or more than 1,000
        candles; Transient when rows cannot be bars.
        """
        asked = _asked(interval, start, end)
        found = rows.bars(self._rows(code, asked), daily=asked.unit == "1day")
        return found.between(int(asked.start.timestamp()), int(asked.end.timestamp()) + 1)

    def history_rows(self, code: str, interval: str, start: dt.datetime, end: dt.datetime) -> list[Mapping[str, Any]]:
        """Return the same as the rows Breeze sent, word for word and in its order."""
        return self._rows(code, _asked(interval, start, end))

    def _rows(self, code: str, asked: _Range) -> list[Mapping[str, Any]]:
        found = self._ask(
            "history",
            lambda sdk: sdk.get_historical_data_v2(
                interval=asked.unit,
                from_date=words.written(asked.start),
                to_date=words.written(asked.end),
                stock_code=code,
                exchange_code=EXCHANGE,
                product_type="cash",
            ),
            kind="history",
        )
        return rows.rows_of(found)

    def quote(self, code: str, *, exit: bool = False) -> Quote:
        """Return the newest quote of a share on the NSE; Transient when there is none with a price."""
        found = self._ask(
            "quote",
            lambda sdk: sdk.get_quotes(stock_code=code, exchange_code=EXCHANGE, product_type="cash"),
            exit=exit,
        )
        return rows.quote(rows.rows_of(found), code)

    def funds(self) -> dict[str, Any]:
        """Return the account's funds in exact rupees, as Breeze names them."""
        return rows.funds(self._ask("funds", lambda sdk: sdk.get_funds()))

    def customer(self, api_session: str) -> dict[str, Any]:
        """Return who is logged in, by the API session of the login (the session token will not do); never the token."""
        found = self._ask("customer", lambda sdk: sdk.get_customer_details(api_session=api_session))
        if not isinstance(found, dict):
            raise words.Unreadable("Breeze sent no customer")
        return {name: value for name, value in found.items() if name != "session_token"}

    def _ask(self, verb: str, call: Callable[[Any], Any], *, kind: str = "call", exit: bool = False) -> Any:
        self.wire.budget.spend(kind, exit=exit)
        return self.wire.ask(verb, call)


class BreezeDesk(BreezeData):
    """Breeze for a desk that trades with money: fully paid shares, limit orders for the day, long only."""

    capabilities = CAPABILITIES

    def place(self, ticket: Ticket, *, deadline: float, exit: bool) -> str:
        """Send one order once and return its number.

        Orders of one moment share a budget of so many a second: one that finds it empty waits its known turn, if that
        comes soon and before the deadline. BadInput, BudgetSpent, NotSent, Refused, Busy and SessionLost mean that
        nothing was placed; OutcomeUnknown that it may have been: only the book can tell, and it is never sent again.
        """
        _carried(ticket.product, ticket.side, ticket.quantity)
        price = _rupees(ticket.limit)
        self._take_turn(deadline, exit=exit)
        success = self.wire.ask(
            "place",
            lambda sdk: sdk.place_order(
                stock_code=ticket.code,
                exchange_code=EXCHANGE,
                product=ticket.product,
                action=ticket.side.lower(),
                order_type="limit",
                quantity=str(ticket.quantity),
                price=price,
                validity="day",
                user_remark=ticket.remark,
            ),
            moves=True,
            deadline=deadline,
        )
        return _number_of(success)

    def _take_turn(self, deadline: float, *, exit: bool) -> None:
        for turn in range(1, TURNS + 1):
            try:
                self.wire.budget.spend("order", exit=exit)
            except BudgetSpent as denied:
                wait = denied.retry_after
                if turn == TURNS or wait > SOON or time.monotonic() + wait >= deadline:
                    raise
            else:
                return
            time.sleep(wait)

    def cancel(self, order_id: str) -> Report:
        """Ask for a cancel and return the order as it is read back; a yes of Breeze alone proves nothing.

        OutcomeUnknown when the request or the reading did not end cleanly. The budget of both is taken beforehand.
        """
        self.wire.budget.spend("order", exit=True)
        self.wire.budget.spend("call", exit=True)
        self.wire.ask("cancel", lambda sdk: sdk.cancel_order(exchange_code=EXCHANGE, order_id=order_id), moves=True)
        return self._read_back("cancel", order_id)

    def modify(self, order_id: str, *, quantity: int, limit: Decimal, exit: bool) -> Report:
        """Ask for a change and return the order as it is read back; compare it with what was asked for.

        The SDK reads the order first and refuses one that is queued or done. OutcomeUnknown as with ``cancel``.
        """
        _carried("cash", "BUY", quantity)
        price = _rupees(limit)
        for kind in ("order", "call", "call"):  # the change, the SDK's look at the order, and ours
            self.wire.budget.spend(kind, exit=exit)
        self.wire.ask(
            "modify",
            lambda sdk: sdk.modify_order(
                order_id=order_id,
                exchange_code=EXCHANGE,
                order_type="limit",
                stoploss="0",
                quantity=str(quantity),
                price=price,
                validity="day",
                disclosed_quantity="0",
            ),
            moves=True,
        )
        return self._read_back("modify", order_id)

    def _read_back(self, verb: str, order_id: str) -> Report:
        try:
            return self._detail(order_id)
        except SenseQuantError as error:
            why = f"the {verb} of {order_id} was sent, but the order could not be read back: {error.message}"
            raise OutcomeUnknown(why, fix=words.RECONCILE) from error

    def order(self, order_id: str, *, exit: bool = False) -> Report:
        """Return one order as the book shows it; BadInput when Breeze does not know it."""
        self.wire.budget.spend("call", exit=exit)
        return self._detail(order_id)

    def _detail(self, order_id: str) -> Report:
        found = rows.rows_of(
            self.wire.ask("order", lambda sdk: sdk.get_order_detail(exchange_code=EXCHANGE, order_id=order_id))
        )
        if not found:
            raise BadInput(f"Breeze knows no order {order_id}")
        for one in rows.book(found):
            if one.order_id == order_id:
                return one
        raise words.Unreadable(f"Breeze was asked for order {order_id} and sent another")

    def orders(self, day: dt.date, *, exit: bool = False) -> list[Report]:
        """Return the NSE book of a day, complete; Transient (or another error) when any part of it is not clean."""
        start, end = rows.day_of(day)
        found = rows.rows_of(
            self._ask(
                "orders",
                lambda sdk: sdk.get_order_list(exchange_code=EXCHANGE, from_date=start, to_date=end),
                exit=exit,
            )
        )
        return rows.book(found)

    def deals(self, order_id: str, *, exit: bool = False) -> list[Deal]:
        """Return the deals of one order, each once; none yet is an empty list."""
        found = self._ask(
            "deals", lambda sdk: sdk.get_trade_detail(exchange_code=EXCHANGE, order_id=order_id), exit=exit
        )
        return rows.deals(rows.rows_of(found), order_id)

    def positions(self) -> list[rows.Held]:
        """Return the position book of the account, every exchange and product."""
        return [
            rows.position(row) for row in rows.rows_of(self._ask("positions", lambda s: s.get_portfolio_positions()))
        ]

    def holdings(self) -> list[rows.Held]:
        """Return the settled shares in the demat account; what was bought today is not among them."""
        found = self._ask("holdings", lambda sdk: sdk.get_demat_holdings())
        return [rows.holding(row) for row in rows.rows_of(found)]

    def preview(self, ticket: Ticket) -> dict[str, Decimal]:
        """Return what Breeze itself says the order would cost, charge by charge, in rupees; nothing is placed."""
        _carried(ticket.product, ticket.side, ticket.quantity)
        price = _rupees(ticket.limit)
        found = self._ask(
            "preview",
            lambda sdk: sdk.preview_order(
                stock_code=ticket.code,
                exchange_code=EXCHANGE,
                product=ticket.product,
                order_type="limit",
                price=price,
                action=ticket.side.lower(),
                quantity=str(ticket.quantity),
                specialflag="N",
            ),
        )
        return rows.charges(found)


@dataclass(frozen=True, slots=True)
class _Range:
    """What one request of history asks for, in Breeze's name of the interval and the wall clock of India."""

    unit: str
    start: dt.datetime
    end: dt.datetime


def _asked(name: str, start: dt.datetime, end: dt.datetime) -> _Range:
    """Return the range to ask for; raise Invalid for what one request cannot carry.

    Daily bars stand at midnight in India, so a range of them is of whole days, whatever hours were named.
    """
    unit = interval(name)
    if unit not in OFFERED:
        raise Invalid(f"Breeze has no {unit} bars: make them from {OFFERED[1]} ones")
    if start.tzinfo is None or end.tzinfo is None:
        raise Invalid("start and end must say their time zone")
    if end < start:
        raise Invalid(f"the range ends ({end.isoformat()}) before it starts ({start.isoformat()})")
    first, last = start.astimezone(IST), end.astimezone(IST)
    if unit == "1day":
        first, last = dt.datetime.combine(first, dt.time(), IST), dt.datetime.combine(last, dt.time(23, 59, 59), IST)
    candles = _candles(INTERVALS[unit], first, last)
    if candles > MOST_CANDLES:
        raise Invalid(f"{candles:,} candles of {unit} are more than the {MOST_CANDLES:,} of one request: ask in parts")
    return _Range(unit, first, last)


def _candles(minutes: int, start: dt.datetime, end: dt.datetime) -> int:
    """Return how many candles the sessions between ``start`` and ``end`` can hold."""
    sessions = NSE.sessions(start.date(), end.date())
    if minutes == DAY:
        return len(sessions)
    count = 0
    for window in (window for session in sessions for window in session.windows):
        first, last = max(window.start, start), min(window.end - dt.timedelta(minutes=1), end)
        if last >= first:
            count += int((last - first).total_seconds() // (60 * minutes)) + 1
    return count


def _carried(product: str, side: str, quantity: int) -> None:
    """Raise BadInput for an order that Breeze's API cannot carry; nothing is sent."""
    if product not in CAPABILITIES.products:
        offered = ", ".join(CAPABILITIES.products)
        raise BadInput(f"Breeze's API carries no {product!r} orders", fix=f"use one of: {offered}")
    if side not in words.SIDES.values():
        raise BadInput(f"the side {side!r} is neither BUY nor SELL")
    if quantity < 1:
        raise BadInput(f"an order of {quantity} shares cannot be placed")


def _rupees(limit: Decimal) -> str:
    """Return a limit as the exact decimal that is sent; BadInput unless it is whole paise above zero."""
    if not limit.is_finite() or not 0 < limit < DEAREST or limit % PAISE:
        raise BadInput(f"a limit of {limit} rupees cannot be sent", fix="give rupees and paise, on the share's tick")
    return f"{limit:.2f}"


def _number_of(success: Any) -> str:
    """Return the order's number out of a yes; OutcomeUnknown when the yes has none."""
    found = success.get("order_id") if isinstance(success, Mapping) else None
    if not isinstance(found, str) or not found.strip():
        raise OutcomeUnknown("Breeze said yes without an order number", fix=words.RECONCILE)
    return found.strip()
