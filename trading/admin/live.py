"""What the engine last published, and what repeated writes were answered."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from trading.admin.base import Record, pretty
from trading.models import Measure, Snapshot, StoredAnswer


@admin.register(Snapshot)
class SnapshotAdmin(Record):
    """The newest state of one topic."""

    list_display = ("topic", "epoch", "version", "updated_at")
    search_fields = ("topic",)
    exclude = ("body",)
    readonly_fields = ("content",)
    date_hierarchy = "updated_at"

    @admin.display(description="body")
    def content(self, row: Snapshot) -> SafeString:
        """Return what was published."""
        return pretty(row.body)


@admin.register(StoredAnswer)
class StoredAnswerAdmin(Record):
    """The first answer to an Idempotency-Key; kept for a day."""

    list_display = ("created_at", "user", "key", "status")
    list_filter = ("status",)
    list_select_related = ("user",)
    search_fields = ("key", "user__username")
    date_hierarchy = "created_at"


@admin.register(Measure)
class MeasureAdmin(Record):
    """Numbers taken down and not yet fetched by the monitor."""

    list_display = ("metric", "at", "low", "high", "total", "count", "last")
    list_filter = ("metric",)
    search_fields = ("metric",)
    date_hierarchy = "at"
