"""How far history was fetched, every fetching, and the bars that were made from ticks."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from trading.admin.base import Record, pretty
from trading.models import FetchRun, FetchState, StreamBar


@admin.register(FetchState)
class FetchStateAdmin(Record):
    """How far one series is fetched."""

    list_display = ("symbol", "interval", "updated_at")
    list_filter = ("interval",)
    search_fields = ("symbol",)
    date_hierarchy = "updated_at"


@admin.register(FetchRun)
class FetchRunAdmin(Record):
    """One fetching: what was asked, how far it came, what came of each symbol."""

    list_display = ("id", "state", "progress", "started_at", "finished_at", "error")
    list_filter = ("state",)
    search_fields = ("error",)
    date_hierarchy = "started_at"
    exclude = ("asked", "results")
    readonly_fields = ("wanted", "outcome")

    @admin.display(description="asked")
    def wanted(self, run: FetchRun) -> SafeString:
        """Return what was asked."""
        return pretty(run.asked)

    @admin.display(description="results")
    def outcome(self, run: FetchRun) -> SafeString:
        """Return what came of each symbol."""
        return pretty(run.results)


@admin.register(StreamBar)
class StreamBarAdmin(Record):
    """One bar of a live session as the desk decided on it."""

    list_display = (
        "symbol", "interval", "start", "open", "high", "low", "close", "volume", "origin", "ticks", "late",
    )  # fmt: skip
    list_filter = ("origin", "interval")
    search_fields = ("symbol",)
    date_hierarchy = "start"
