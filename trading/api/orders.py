"""Orders, what happened to them, and the shares that changed hands."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from trading.api.fields import Id, Moment, Money, OrderStatus
from trading.api.paging import Filter, Page, Paging, paged
from trading.models import Fill, Order, OrderEvent
from trading.selectors import orders as found
from trading.selectors.rest import matching, one

router = Router(tags=["orders"])
Number = Annotated[Id, Path(description="Number of the order in the database (`id`).", example=412)]


class OrderOut(Schema):
    """One order."""

    id: int = Field(description="Number in the database.", examples=[412])
    run: int = Field(validation_alias="run_id", description="Engine run.", examples=[3])
    number: int = Field(description="Counts the run's orders.", examples=[17])
    key: str = Field(
        description="The decision it carries out; unique.", examples=["3:intraday:RELIANCE:entry:1763612100"]
    )
    symbol: str = Field(description="NSE symbol.", examples=["RELIANCE"])
    strategy: str = Field(description="Strategy.", examples=["intraday"])
    side: str = Field(description="BUY or SELL.", examples=["BUY"])
    purpose: str = Field(description="entry or exit.", examples=["entry"])
    reason: str = Field(description="Why.", examples=["signal"])
    quantity: int = Field(description="Shares asked for.", examples=[32])
    filled: int = Field(description="Shares filled.", examples=[32])
    price: Money = Field(description="What it was sized at, ₹.")
    status: str = Field(description="Where it stands.", examples=["filled"])
    created_at: Moment = Field(description="Market time: end of the deciding bar.")


class OrderDetail(OrderOut):
    """One order with what its fills came to, and the signal behind it."""

    average: Money | None = Field(description="Mean price of its fills, ₹; null without any.")
    charges: Money | None = Field(description="What its fills cost, ₹; null without any.")
    signal: int | None = Field(description="Number of the signal that led to it; null for an exit.", examples=[981])


class EventOut(Schema):
    """One step of an order's life."""

    id: int = Field(description="Number of the step.", examples=[901])
    old: str = Field(description="Status before; empty for the first.", examples=["working"])
    new: str = Field(description="Status after.", examples=["filled"])
    at: Moment = Field(description="Market time.")
    note: str = Field(description="What was said about it.", examples=["32 @ 1532.45"])


class FillOut(Schema):
    """Shares that changed hands."""

    id: int = Field(description="Number of the fill.", examples=[733])
    number: int = Field(description="Counts the order's fills.", examples=[1])
    at: Moment = Field(description="Market time.")
    quantity: int = Field(description="Shares.", examples=[32])
    price: Money = Field(description="Price of a share, ₹.")
    charges: Money = Field(description="All levies and brokerage, ₹.")


class OrderFilter(Filter):
    """Which orders."""

    status: OrderStatus | None = Field(default=None, description="Where it stands.")
    side: Literal["BUY", "SELL"] | None = Field(default=None, description="Side.")
    purpose: Literal["entry", "exit"] | None = Field(default=None, description="Entry or exit.")


@router.get("", response=Page[OrderOut], summary="List orders")
def listing(request: HttpRequest, wanted: Query[OrderFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return orders, newest first."""
    rows = matching(Order.objects.all(), wanted.asked(), "created_at")
    for name in ("status", "side", "purpose"):
        if value := getattr(wanted, name):
            rows = rows.filter(**{name: value})
    return paged(request, rows, paging, ["created_at", "id"])


@router.get("/{number}", response=OrderDetail, summary="One order")
def detail(request: HttpRequest, number: Number) -> dict[str, Any]:
    """Return one order."""
    row = _order(number)
    behind = found.signal_of(row)
    told = {name: getattr(row, name) for name in (*OrderOut.model_fields, "run_id") if name != "run"}
    return {**told, "average": found.average(row), "charges": found.charges(row), "signal": behind and behind.pk}


@router.get("/{number}/events", response=Page[EventOut], summary="An order's life")
def events(request: HttpRequest, number: Number, paging: Query[Paging]) -> dict[str, Any]:
    """Return the steps of an order's life, oldest first."""
    return paged(request, OrderEvent.objects.filter(order=_order(number)), paging, ["id"], newest_first=False)


@router.get("/{number}/fills", response=Page[FillOut], summary="An order's fills")
def fills(request: HttpRequest, number: Number, paging: Query[Paging]) -> dict[str, Any]:
    """Return an order's fills, oldest first."""
    return paged(request, Fill.objects.filter(order=_order(number)), paging, ["id"], newest_first=False)


def _order(number: int) -> Order:
    return one(Order.objects.all(), "order", "/api/v1/orders", pk=number)
