"""What both sides say when a scenario is over: the broker's truth and our rows, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trading.core.state import QTY, SIDE
from trading.models.broker import Condition
from trading.models.control import Halt
from trading.models.engine import EngineRun
from trading.models.orders import Fill, Order, OrderEvent
from trading.models.positions import EquityPoint, Position
from trading.services.drills.plans import SHARES


@dataclass(frozen=True, slots=True)
class TheirOrder:
    """An order in the broker's own memory; ``external``: somebody placed it by hand."""

    id: str
    symbol: str
    side: str
    quantity: int
    limit: float
    filled: int
    status: str
    external: bool = False


@dataclass(frozen=True, slots=True)
class TheirTrade:
    """Shares that changed hands at the exchange."""

    id: str
    order_id: str
    symbol: str
    side: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Asked:
    """An order request the broker got: its ``remark`` names our row (0: none), ``at`` is a monotonic second."""

    verb: str
    at: float
    remark: int = 0
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class OurOrder:
    """An order row with its events as (old, new); ``sent`` and ``created`` are market seconds, ``fence`` a token."""

    pk: int
    number: int
    symbol: str
    side: str
    purpose: str
    quantity: int
    filled: int
    price: float
    status: str
    broker_order_id: str
    fence: int
    sent: float
    events: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class OurFill:
    """A fill row, in the order it was written; ``trade_id`` is the exchange's number without its day."""

    trade_id: str
    order: int
    symbol: str
    side: str
    quantity: int
    price: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything the invariants are checked on; ``held`` and ``engine`` are shares by symbol, ``exposures`` rupees.

    ``halted`` is the market second from which no entry may have been sent, 0 for never.
    """

    their_orders: tuple[TheirOrder, ...] = ()
    their_trades: tuple[TheirTrade, ...] = ()
    asked: tuple[Asked, ...] = ()
    orders: tuple[OurOrder, ...] = ()
    fills: tuple[OurFill, ...] = ()
    held: Mapping[str, int] = field(default_factory=dict)
    engine: Mapping[str, int] = field(default_factory=dict)
    exposures: tuple[float, ...] = ()
    limit: float = 0.0
    halted: float = 0.0
    late: frozenset[str] = frozenset()  # symbols of orders that turned up after they were given up
    told: frozenset[str] = frozenset()  # numbers of orders told of as placed elsewhere


def read(truth: Mapping[str, Any], requests: list[dict[str, Any]], *, limit: float) -> Ledger:
    """Return the ledger of the database in use and of what the broker says."""
    run = EngineRun.objects.filter(name="drill").first()
    halt = Halt.objects.filter(kind="kill").first()
    conditions = Condition.objects.all()
    return Ledger(
        tuple(_their_order(row) for row in truth["orders"]),
        tuple(
            TheirTrade(row["id"], row["order_id"], row["symbol"], row["side"].upper(), row["quantity"])
            for row in truth["trades"]
        ),
        tuple(_asked(row) for row in requests),
        tuple(_our_order(row) for row in Order.objects.order_by("pk")),
        tuple(_our_fill(row) for row in Fill.objects.select_related("order").order_by("pk")),
        {row.symbol: row.quantity if row.side == "LONG" else -row.quantity for row in Position.objects.all()},
        _numbers(run),
        tuple(float(each) for each in EquityPoint.objects.values_list("exposure", flat=True)),
        limit,
        halt.engaged_at.timestamp() if halt else 0.0,
        frozenset(row.subject for row in conditions if row.code == "order-late"),
        frozenset(row.subject for row in conditions if row.code == "external-order"),
    )


def _numbers(run: EngineRun | None) -> dict[str, int]:
    rows = run.numbers.get("K", []) if run else []
    return {symbol: row[SIDE] * row[QTY] for symbol, row in zip(SHARES, rows, strict=False) if row[SIDE]}


def _their_order(row: Mapping[str, Any]) -> TheirOrder:
    return TheirOrder(
        row["id"], row["symbol"], row["side"].upper(), row["quantity"], row["limit"], row["filled"], row["status"],
        row["external"],
    )  # fmt: skip


def _asked(row: Mapping[str, Any]) -> Asked:
    body = row["body"]
    remark = str(body.get("user_remark") or "")
    number = int(remark[2:]) if remark.startswith("SQ") and remark[2:].isdigit() else 0
    return Asked(row["verb"], row["monotonic"], number, str(body.get("order_id") or ""))


def _our_order(row: Order) -> OurOrder:
    events = OrderEvent.objects.filter(order=row).order_by("pk").values_list("old", "new")
    return OurOrder(
        row.pk, row.number, row.symbol, row.side, row.purpose, row.quantity, row.filled, float(row.price), row.status,
        row.broker_order_id or "", row.fence or 0, row.sent_at.timestamp() if row.sent_at else 0.0, tuple(events),
    )  # fmt: skip


def _our_fill(row: Fill) -> OurFill:
    number = str(row.broker_trade_id or "").partition(":")[2]
    return OurFill(number, row.order_id, row.order.symbol, row.order.side, row.quantity, float(row.price))
