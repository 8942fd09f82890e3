"""Breeze's rows in ours: orders, deals, quotes, bars and order notifications. Pure.

A row that cannot be read raises Unreadable. A book with one unreadable row is unreadable as a whole: to leave a row
out would be to say that the order does not exist.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np

from trading.adapters.breeze.words import Unreadable, maybe, moment, number, side, status, whole
from trading.core.bars import Bars, empty
from trading.core.orders import Status
from trading.core.ports import Deal, Quote, Report

PARTS: Final = ("PARTIALLY EXECUTED AND", "B", "D")  # words that promise a fill and a rest
NOT_YET: Final = ("R", "REQUESTED", "Q", "QUEUED", "F", "FREEZED", "FROZEN")
PRICES: Final = ("open", "high", "low", "close")
NAMED: Final = {
    13: "orderExchangeCode", 14: "stockCode", 15: "orderFlow", 18: "orderLimitRate", 20: "orderStatus",
    23: "orderReference", 24: "orderQuantity", 25: "openQuantity", 26: "orderExecutedQuantity",
    27: "cancelledQuantity", 28: "expiredQuantity", 42: "averageExecutedRate",
}  # fmt: skip
EQUITY_ORDER: Final = ("4", "5")
MESSAGE_TYPE, ITEMS = 11, 47


@dataclass(frozen=True, slots=True)
class Notice:
    """What a notification says of one order; a hint to look at the book, for notices come late, twice or not at all."""

    order_id: str
    code: str
    side: str
    quantity: int
    filled: int
    pending: int
    cancelled: int
    expired: int
    limit: Decimal | None
    average: Decimal | None
    status: Status
    word: str


def rows_of(success: Any) -> list[Mapping[str, Any]]:
    """Return the rows of a list answer; nothing is an empty list; Unreadable for anything else."""
    if success is None or success == "":
        return []
    found = [success] if isinstance(success, Mapping) else success
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        raise Unreadable(f"Breeze sent {type(success).__name__} where rows were expected")
    return found


def report(row: Mapping[str, Any]) -> Report:
    """Return an order as a row of the order book shows it."""
    word = _text(row, "status")
    counts = _counts(row, word)
    average = maybe(row.get("average_price"), "average_price")
    at = row.get("order_datetime")
    return Report(
        order_id=_text(row, "order_id"),
        code=_text(row, "stock_code"),
        side=side(row.get("action")),
        quantity=counts.quantity,
        filled=counts.filled,
        pending=counts.pending,
        cancelled=counts.cancelled,
        limit=number(row.get("price"), "price"),
        average=average if counts.filled else None,
        status=counts.status,
        word=word,
        at=moment(at) if at else None,
        raw=dict(row),
    )


def book(found: Sequence[Mapping[str, Any]]) -> list[Report]:
    """Return the orders of a day, each once; Unreadable when one cannot be read or stands there in two ways."""
    seen: dict[str, Report] = {}
    for row in found:
        one = report(row)
        if seen.setdefault(one.order_id, one) != one:
            raise Unreadable(f"order {one.order_id} stands in the book in two ways")
    return list(seen.values())


@dataclass(frozen=True, slots=True)
class Held:
    """Shares the broker says are ours: below zero when sold; ``average`` is what they cost, if it says so."""

    code: str
    exchange: str
    product: str
    quantity: int
    average: Decimal | None
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Counts:
    status: Status
    quantity: int
    filled: int
    pending: int
    cancelled: int


def _counts(row: Mapping[str, Any], word: str) -> _Counts:
    """Return the shares of a row. Breeze does not say how many were filled; word and rest must agree on it."""
    total = whole(row.get("quantity"), "quantity")
    pending = whole(row.get("pending_quantity"), "pending_quantity")
    cancelled = whole(row.get("cancelled_quantity"), "cancelled_quantity")
    stands = status(word)
    filled = _filled(word.upper(), stands, total, total - pending - cancelled)
    if filled is None or not 0 <= filled <= total or not total:
        shares = f"{total} shares, {pending} pending, {cancelled} cancelled"
        raise Unreadable(f"order {row.get('order_id')!r}: {word!r} does not agree with {shares}")
    if stands == Status.WORKING and filled:
        stands = Status.PARTIAL
    return _Counts(stands, total, filled, pending, cancelled)


def _filled(word: str, stands: Status, total: int, rest: int) -> int | None:
    """Return how many shares of ``total`` were filled when ``rest`` are accounted for by nothing else."""
    if word.startswith(PARTS[0]) or word in PARTS:
        return rest if 0 < rest < total else None
    if stands in (Status.REJECTED, Status.CANCELLED, Status.EXPIRED) or word in NOT_YET:
        return 0  # the rest columns of such a row may be empty
    if stands == Status.FILLED:
        return rest if rest == total else None
    return None if stands == Status.WORKING and rest == total else rest


def deal(row: Mapping[str, Any], order_id: str) -> Deal:
    """Return a deal of order ``order_id`` as a row of its trade detail shows it."""
    shares = whole(row.get("executed_quantity"), "executed_quantity")
    price = maybe(row.get("execution_price"), "execution_price")
    if not shares or price is None:
        raise Unreadable(f"a deal of order {order_id} has no shares or no price")
    return Deal(
        order_id=order_id,
        trade_id=_text(row, "exchange_trade_id"),
        code=_text(row, "stock_code"),
        side=side(row.get("action")),
        quantity=shares,
        price=price,
        at=moment(row.get("exchange_trade_time")),
    )


def deals(found: Sequence[Mapping[str, Any]], order_id: str) -> list[Deal]:
    """Return the deals of an order, each exchange number once; Unreadable when one number stands for two deals."""
    seen: dict[str, Deal] = {}
    for row in found:
        one = deal(row, order_id)
        if seen.setdefault(one.trade_id, one) != one:
            raise Unreadable(f"order {order_id}: two different deals have the number {one.trade_id}")
    return list(seen.values())


def quote(found: Sequence[Mapping[str, Any]], code: str) -> Quote:
    """Return the NSE's quote among the rows (an equity answer has one of the BSE too)."""
    for row in found:
        if str(row.get("exchange_code", "")).upper() == "NSE":
            break
    else:
        raise Unreadable(f"Breeze has no NSE quote of {code}")
    last = maybe(row.get("ltp"), "ltp")
    if last is None:
        raise Unreadable(f"Breeze's quote of {code} has no price")
    return Quote(
        code=code,
        last=last,
        bid=maybe(row.get("best_bid_price"), "best_bid_price"),
        ask=maybe(row.get("best_offer_price"), "best_offer_price"),
        lower=maybe(row.get("lower_circuit"), "lower_circuit"),
        upper=maybe(row.get("upper_circuit"), "upper_circuit"),
        previous_close=maybe(row.get("previous_close"), "previous_close"),
        at=moment(row["ltt"]) if row.get("ltt") else None,
    )


def bars(found: Sequence[Mapping[str, Any]], *, daily: bool) -> Bars:
    """Return history rows as bars in order, a repeated row once; a daily bar starts at midnight IST.

    Unreadable when a row has no moment, a price that is not above zero, no volume, or differs from another of its
    moment.
    """
    seen: dict[int, tuple[float, ...]] = {}
    for row in found:
        at = moment(row.get("datetime"))
        second = int((at.replace(hour=0, minute=0, second=0) if daily else at).timestamp())
        one = _bar(row)
        if seen.setdefault(second, one) != one:
            raise Unreadable(f"Breeze sent two different bars of {at:%Y-%m-%d %H:%M}")
    if not seen:
        return empty()
    ts = np.array(sorted(seen), dtype=np.int64)
    table = np.array([seen[key] for key in sorted(seen)], dtype=np.float64)
    return Bars(ts, *(np.ascontiguousarray(table[:, column]) for column in range(5)))


def _bar(row: Mapping[str, Any]) -> tuple[float, ...]:
    prices = [maybe(row.get(name), name) for name in PRICES]
    if None in prices:
        raise Unreadable(f"the bar of {row.get('datetime')!r} lacks a price")
    volume = number(row.get("volume"), "volume")
    if volume < 0:
        raise Unreadable(f"the bar of {row.get('datetime')!r} has a negative volume")
    return (*(float(price) for price in prices if price is not None), float(volume))


def notice(said: Any) -> Notice | None:
    """Return an equity order notification, parsed by the SDK or raw; None when it is about something else."""
    if isinstance(said, list | tuple):
        if len(said) < ITEMS or str(said[MESSAGE_TYPE]) not in EQUITY_ORDER:
            return None
        said = {name: said[place] for place, name in NAMED.items()}
    if not isinstance(said, Mapping) or "orderReference" not in said or "orderExecutedQuantity" not in said:
        return None
    word = _text(said, "orderStatus")
    return Notice(
        order_id=_text(said, "orderReference"),
        code=_text(said, "stockCode"),
        side=side(said.get("orderFlow")),
        quantity=whole(said.get("orderQuantity"), "orderQuantity"),
        filled=whole(said.get("orderExecutedQuantity"), "orderExecutedQuantity"),
        pending=whole(said.get("openQuantity"), "openQuantity"),
        cancelled=whole(said.get("cancelledQuantity"), "cancelledQuantity"),
        expired=whole(said.get("expiredQuantity"), "expiredQuantity"),
        limit=maybe(said.get("orderLimitRate"), "orderLimitRate"),
        average=maybe(said.get("averageExecutedRate"), "averageExecutedRate"),
        status=status(word),
        word=word,
    )


def position(row: Mapping[str, Any]) -> Held:
    """Return a row of the position book."""
    shares = whole(row.get("quantity"), "quantity")
    sold = shares and side(row.get("action")) == "SELL"
    return Held(
        code=_text(row, "stock_code"),
        exchange=str(row.get("exchange_code") or ""),
        product=str(row.get("product_type") or ""),
        quantity=-shares if sold else shares,
        average=maybe(row.get("average_price"), "average_price"),
        raw=dict(row),
    )


def holding(row: Mapping[str, Any]) -> Held:
    """Return a row of the demat account, whose shares are settled."""
    shares = whole(row.get("quantity"), "quantity")
    return Held(_text(row, "stock_code"), "NSE", "Demat", shares, None, dict(row))


def funds(success: Any) -> dict[str, Any]:
    """Return the funds, amounts as exact rupees; the bank account's number is shortened to its last four digits."""
    if not isinstance(success, Mapping):
        raise Unreadable("Breeze sent no funds")
    found: dict[str, Any] = {
        name: number(value, name) for name, value in success.items() if name != "bank_account" and value is not None
    }
    return {**found, "bank_account": f"…{str(success.get('bank_account') or '')[-4:]}"}


def charges(success: Any) -> dict[str, Decimal]:
    """Return the charges of a preview, in rupees."""
    if not isinstance(success, Mapping) or "total_brokerage" not in success:
        raise Unreadable("Breeze sent no charges")
    return {name: number(value, name) for name, value in success.items() if value is not None}


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None or not str(value).strip() or isinstance(value, list | dict):
        raise Unreadable(f"a row of Breeze has no {name}")
    return str(value).strip()


def day_of(at: dt.date) -> tuple[str, str]:
    """Return the two moments Breeze wants for the book of one day."""
    return f"{at:%Y-%m-%d}T00:00:00.000Z", f"{at:%Y-%m-%d}T23:59:59.000Z"
