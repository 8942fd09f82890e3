"""Backtests and their trades."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from trading.admin.base import Record, each, pretty
from trading.models import BacktestRun, BacktestTrade
from trading.services import backtests


@admin.register(BacktestRun)
class BacktestRunAdmin(Record):
    """One backtest: what was asked, and what came out."""

    list_display = (
        "id", "strategy", "interval", "start", "end", "source", "status", "progress", "bars", "created_by",
        "created_at",
    )  # fmt: skip
    list_filter = ("status", "strategy", "interval", "source")
    search_fields = ("symbols", "directory", "created_by", "error")
    date_hierarchy = "created_at"
    exclude = ("metrics", "equity")
    readonly_fields = ("measures",)
    actions = ("cancel",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BacktestRun]:
        """Return the runs without their curves, which no column shows."""
        return super().get_queryset(request).defer("equity")

    @admin.display(description="metrics")
    def measures(self, run: BacktestRun) -> SafeString:
        """Return the measures of the run."""
        return pretty(run.metrics)

    @admin.action(description="Cancel", permissions=["operate"])
    def cancel(self, request: HttpRequest, rows: QuerySet[BacktestRun]) -> None:
        """Cancel those that are queued or running."""
        each(request, rows, "cancelled", lambda run: backtests.cancel(run.pk, by=request.user.get_username()))


@admin.register(BacktestTrade)
class BacktestTradeAdmin(Record):
    """One trade of a backtest."""

    list_display = (
        "run", "number", "symbol", "side", "quantity", "entry_time", "entry_price", "exit_time", "exit_price",
        "exit_reason", "net_pnl",
    )  # fmt: skip
    list_filter = ("exit_reason", "side")
    list_select_related = ("run",)
    search_fields = ("symbol", "=run__id")
    date_hierarchy = "exit_time"
