"""The REST endpoints of version 1: what they ask of the desk and in which words it answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from trading.adapters.simulator import rows
from trading.adapters.simulator.desk import (
    BAD_ACTION,
    BAD_PRICE,
    BAD_QUANTITY,
    BAD_VALIDITY,
    NO_DATA,
    NOT_CASH,
    NOT_LIMIT,
    NOT_NSE,
    PROHIBITED,
    UNKNOWN_STOCK,
    Refused,
    Trade,
    Wish,
)
from trading.adapters.simulator.gate import Asked
from trading.adapters.simulator.venue import Venue
from trading.core.charges import PER, levies, rates_on, stt_scaled
from trading.core.exchange.book import Order
from trading.core.exchange.faults import Active

BARRED = ("margin", "eatm", "optionplus", "futureplus")
SIDES = {"buy": "Buy", "sell": "Sell"}
VALIDITIES = {"day": "Day", "ioc": "Ioc"}
PREVIEW_PLAN = "prime-9999"


def customer(venue: Venue, asked: Asked) -> Any:
    """Answer customerdetails: the one call that is not signed."""
    if error := venue.entrance.customer(str(asked.get("SessionToken", "")), str(asked.get("AppKey", ""))):
        return JSONResponse(rows.bad(error))
    state = "O" if any(share.phase(venue.floor.ms) == "continuous" for share in venue.floor.shares.values()) else "C"
    entrance = venue.entrance
    return rows.customer(entrance.credentials.user_id, entrance.token, venue.floor.at, state)


def place(venue: Venue, asked: Asked) -> Any:
    """Take an order."""
    order = venue.desk.place(_wish(venue, asked))
    message = f"Equity CASH Order placed successfully through RI reference no {order.id}"
    return {"order_id": order.id, "message": message, "user_remark": None}


def _wish(venue: Venue, asked: Asked) -> Wish:
    """Return the order asked for, its words checked."""
    if str(asked.get("exchange_code", "")).upper() != "NSE":
        raise Refused(NOT_NSE)
    share = venue.share(asked.get("stock_code"))
    if share is None:
        raise Refused(UNKNOWN_STOCK)
    product = str(asked.get("product", "")).lower()
    if product in BARRED:
        raise Refused(PROHIBITED)
    if product != "cash":
        raise Refused(NOT_CASH)
    if str(asked.get("order_type", "")).lower() != "limit":
        raise Refused(NOT_LIMIT)
    return Wish(
        share.listed.symbol,
        _word(asked, "action", SIDES, BAD_ACTION),
        _quantity(asked.get("quantity")),
        _price(asked.get("price")),
        _word(asked, "validity", VALIDITIES, BAD_VALIDITY),
    )


def _word(asked: Asked, name: str, words: Mapping[str, str], error: str) -> str:
    found = words.get(str(asked.get(name, "")).lower())
    if found is None:
        raise Refused(error)
    return found


def _quantity(value: Any) -> int:
    text = str(value).strip()
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Refused(BAD_QUANTITY)
    return int(text)


def _price(value: Any) -> float:
    """Return a price to four places: the SDK's own arithmetic sends numbers such as 1029.8500000000001."""
    try:
        price = round(float(value), 4)
    except (TypeError, ValueError):
        raise Refused(BAD_PRICE) from None
    if not 0 < price < 1e8:
        raise Refused(BAD_PRICE)
    return price


def modify(venue: Venue, asked: Asked) -> Any:
    """Change an order."""
    if asked.get("order_type") and str(asked["order_type"]).lower() != "limit":
        raise Refused(NOT_LIMIT)
    quantity = None if asked.get("quantity") in (None, "") else _quantity(asked["quantity"])
    price = None if asked.get("price") in (None, "") else _price(asked["price"])
    order = venue.desk.modify(str(asked.get("order_id", "")), quantity, price)
    return {"message": "Successfully Modified the order", "order_id": order.id}


def cancel(venue: Venue, asked: Asked) -> Any:
    """Cancel an order."""
    order = venue.desk.cancel(str(asked.get("order_id", "")))
    return {"order_id": order.id, "message": "Your Order Canceled successfully."}


class _Reading:
    """The book as the faults of the moment show it."""

    def __init__(self, venue: Venue, verb: str) -> None:
        self.venue, self.verb = venue, verb
        if self.struck("book_error"):
            raise Refused("Error while calling service, Please contact admin (T2:155)")
        if self.struck("book_empty"):
            raise Refused(NO_DATA)
        stale = self.struck("book_stale") is not None
        self.orders, self.trades = venue.stale if stale else (list(venue.desk.orders.values()), venue.desk.trades)
        if fault := self.struck("book_delayed"):
            self._delay(float(fault.params["seconds"]))
        self.regressed = self.struck("status_regress") is not None
        self.most = int(fault.params["rows"]) if (fault := self.struck("book_truncated")) else 1 << 30

    def struck(self, name: str) -> Active | None:
        return self.venue.faults.strike("book", verb=self.verb, names=(name,))

    def _delay(self, seconds: float) -> None:
        """Hide what is younger than so many seconds of wall time."""
        floor = self.venue.floor
        edge = floor.ms - seconds * 1000 * max(floor.pace.speed, 1.0)
        self.orders = [order for order in self.orders if order.placed_ms <= edge]
        shown = {order.id for order in self.orders}
        self.trades = [trade for trade in self.trades if trade.order_id in shown]

    def row(self, order: Order) -> rows.Row:
        code = self.venue.floor.shares[order.symbol].listed.code
        return rows.order(order, code, regressed=self.regressed)

    def shown(self, found: list[rows.Row]) -> list[rows.Row]:
        if not found:
            raise Refused(NO_DATA)
        return found[: self.most]


def order_list(venue: Venue, asked: Asked) -> Any:
    """Return the orders of some days."""
    _at_nse(asked)
    reading = _Reading(venue, "order_list")
    first, last = _dates(venue, asked)
    found = [order for order in reading.orders if first <= rows.moment(order.placed_ms).date() <= last]
    return reading.shown([reading.row(order) for order in found])


def order_detail(venue: Venue, asked: Asked) -> Any:
    """Return one order."""
    reading = _Reading(venue, "order_detail")
    return reading.shown([reading.row(order) for order in reading.orders if order.id == asked.get("order_id")])


def trade_list(venue: Venue, asked: Asked) -> Any:
    """Return the trade book of some days."""
    _at_nse(asked)
    reading = _Reading(venue, "trade_list")
    first, last = _dates(venue, asked)
    side = SIDES.get(str(asked.get("action", "")).lower(), "")
    share = venue.share(asked.get("stock_code"))
    wanted = [
        trade
        for trade in reading.trades
        if first <= rows.moment(trade.ms).date() <= last
        and side in ("", trade.side)
        and (not asked.get("stock_code") or (share is not None and share.listed.symbol == trade.symbol))
    ]
    return reading.shown(rows.trade_list(wanted, venue.desk))


def trade_detail(venue: Venue, asked: Asked) -> Any:
    """Return the deals of one order."""
    reading = _Reading(venue, "trade_detail")
    found = [trade for trade in reading.trades if trade.order_id == asked.get("order_id")]
    return reading.shown([rows.trade_detail(trade, venue.floor.shares[trade.symbol].listed.code) for trade in found])


def _at_nse(asked: Asked) -> None:
    """Refuse to look for orders where there are none."""
    if str(asked.get("exchange_code", "")).upper() != "NSE":
        raise Refused(NO_DATA)


def _dates(venue: Venue, asked: Asked) -> tuple[dt.date, dt.date]:
    today = venue.floor.date
    return _date(asked.get("from_date"), today), _date(asked.get("to_date"), today)


def _date(value: Any, otherwise: dt.date) -> dt.date:
    if not value:
        return otherwise
    try:
        return dt.date.fromisoformat(str(value)[:10])
    except ValueError:
        raise Refused(f"{value} is not an ISO8601 date") from None


def quotes(venue: Venue, asked: Asked) -> Any:
    """Return a share's quote at the NSE, and at the BSE what is assumed to be the same."""
    share = venue.share(asked.get("stock_code"))
    if share is None or not share.market.previous_close:
        raise Refused(NO_DATA)
    return [rows.quote(share, "NSE"), rows.quote(share, "BSE")]


def funds(venue: Venue, asked: Asked) -> Any:
    """Return the account's money."""
    return rows.funds(venue.desk, venue.bank)


def set_funds(venue: Venue, asked: Asked) -> Any:
    """Allocate money to the equity segment, or take it back."""
    amount = float(_quantity(asked.get("amount")))
    adding = str(asked.get("transaction_type", "")).lower() == "credit"
    desk = venue.desk
    if amount > (venue.bank - desk.cash if adding else desk.available):
        raise Refused("Amount is more than what is available.")
    desk.allocate(amount if adding else -amount)
    return {"status": "Success"}


def margin(venue: Venue, asked: Asked) -> Any:
    """Return the limits."""
    return rows.margin(venue.desk)


def demat(venue: Venue, asked: Asked) -> Any:
    """Return the demat account."""
    return _held(venue, rows.demat)


def holdings(venue: Venue, asked: Asked) -> Any:
    """Return the portfolio's holdings."""
    return _held(venue, rows.holding)


def _held(venue: Venue, row: Any) -> list[rows.Row]:
    found = [row(venue.floor.shares[symbol], count) for symbol, count in venue.desk.held.items() if count]
    if not found:
        raise Refused(NO_DATA)
    return found


def positions(venue: Venue, asked: Asked) -> Any:
    """Return the day's positions."""
    grouped: dict[str, list[Trade]] = {}
    for trade in venue.desk.todays_trades():
        grouped.setdefault(trade.symbol, []).append(trade)
    if not grouped:
        raise Refused(NO_DATA)
    return [rows.position(venue.floor.shares[symbol], trades) for symbol, trades in grouped.items()]


def preview(venue: Venue, asked: Asked) -> Any:
    """Return what an order would cost, as ICICI reckons it for its dearest Prime plan."""
    share = venue.share(asked.get("stock_code"))
    if share is None:
        raise Refused(UNKNOWN_STOCK)
    buy = int(_word(asked, "action", SIDES, BAD_ACTION) == "Buy")
    value = round(_quantity(asked.get("quantity")) * _price(asked.get("price")) * 100)
    rates = rates_on(venue.floor.date, PREVIEW_PLAN)
    fee, transaction, sebi, stamp, gst = levies(value, buy, 1, 0, rates)
    stt = (stt_scaled(value, buy, 1, rates) + PER // 2) // PER
    return {
        "brokerage": fee / 100, "exchange_turnover_charges": transaction / 100, "stamp_duty": stamp / 100,
        "stt": stt / 100, "sebi_charges": sebi / 100, "gst": gst / 100,
        "total_turnover_and_sebi_charges": (transaction + sebi) / 100,
        "total_other_charges": (transaction + sebi + stamp + stt + gst) / 100,
        "total_brokerage": (fee + transaction + sebi + stamp + stt + gst) / 100,
    }  # fmt: skip


def square_off(venue: Venue, asked: Asked) -> Any:
    """Refuse: shares that were paid for are sold, not squared off."""
    raise Refused("Square off is not available for cash positions.")


def nothing(venue: Venue, asked: Asked) -> Any:
    """Answer what an equity account has nothing of."""
    raise Refused(NO_DATA)
