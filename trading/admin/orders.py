"""Signals, orders, their events and their fills: what was decided and what became of it."""

from __future__ import annotations

from django.contrib import admin

from trading.admin.base import Record, Rows
from trading.models import Fill, Order, OrderEvent, Signal


@admin.register(Signal)
class SignalAdmin(Record):
    """What a strategy said of a bar."""

    list_display = ("at", "symbol", "strategy", "direction", "confidence", "price", "reason", "objections", "run")
    list_filter = ("direction", "strategy", "run")
    list_select_related = ("run",)
    search_fields = ("symbol", "reason")
    date_hierarchy = "at"


class EventInline(Rows):
    """The steps of an order's life."""

    model = OrderEvent
    fields = readonly_fields = ("at", "old", "new", "note", "handled_at")


class FillInline(Rows):
    """An order's fills."""

    model = Fill
    fields = readonly_fields = ("number", "at", "quantity", "price", "charges")


@admin.register(Order)
class OrderAdmin(Record):
    """One order, with its life and its fills below it."""

    list_display = (
        "created_at", "number", "symbol", "strategy", "side", "purpose", "quantity", "filled", "price", "status", "run",
    )  # fmt: skip
    list_filter = ("status", "side", "purpose", "strategy", "run")
    list_select_related = ("run",)
    search_fields = ("symbol", "key", "reason")
    date_hierarchy = "created_at"
    inlines = (EventInline, FillInline)


@admin.register(OrderEvent)
class OrderEventAdmin(Record):
    """One step of an order's life."""

    list_display = ("at", "order", "old", "new", "note", "handled_at")
    list_filter = ("new",)
    list_select_related = ("order",)
    search_fields = ("order__symbol", "note")
    date_hierarchy = "at"


@admin.register(Fill)
class FillAdmin(Record):
    """Shares that changed hands."""

    list_display = ("at", "order", "number", "quantity", "price", "charges")
    list_select_related = ("order",)
    search_fields = ("order__symbol",)
    date_hierarchy = "at"
