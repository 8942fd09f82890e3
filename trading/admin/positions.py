"""What is held, what was closed, and what the account was worth."""

from __future__ import annotations

from django.contrib import admin

from trading.admin.base import Record
from trading.models import EquityPoint, Position, Trade


@admin.register(Position)
class PositionAdmin(Record):
    """One open position; the engine keeps these rows."""

    list_display = (
        "symbol", "strategy", "side", "quantity", "entry_price", "stop", "target", "charges", "opened_at", "run",
    )  # fmt: skip
    list_filter = ("side", "strategy", "run")
    list_select_related = ("run",)
    search_fields = ("symbol",)
    date_hierarchy = "opened_at"


@admin.register(Trade)
class TradeAdmin(Record):
    """One position from flat to flat."""

    list_display = (
        "exit_time", "symbol", "strategy", "side", "quantity", "entry_price", "exit_price", "exit_reason", "charges",
        "net_pnl", "run",
    )  # fmt: skip
    list_filter = ("exit_reason", "side", "strategy", "run")
    list_select_related = ("run",)
    search_fields = ("symbol",)
    date_hierarchy = "exit_time"


@admin.register(EquityPoint)
class EquityPointAdmin(Record):
    """What the account was worth at a moment."""

    list_display = ("at", "equity", "cash", "exposure", "run")
    list_filter = ("run",)
    list_select_related = ("run",)
    search_fields = ("run__name",)
    date_hierarchy = "at"
