"""Deployments, rollbacks and watches: looked up here; made and ended on /releases, by the services."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from releases.models import Operation, OperationStep, Watch, WatchCheck
from trading.admin.base import Record, pretty


@admin.register(Operation)
class OperationAdmin(Record):
    """One attempt."""

    list_display = ("id", "kind", "release", "away_from", "state", "by", "started_at", "finished_at", "review_by")
    list_filter = ("kind", "state")
    list_select_related = ("release", "away_from")
    search_fields = ("release__release_id", "by", "reason", "error")
    date_hierarchy = "started_at"


@admin.register(OperationStep)
class OperationStepAdmin(Record):
    """One step that was taken."""

    list_display = ("at", "operation", "step")
    list_filter = ("step",)
    list_select_related = ("operation",)
    search_fields = ("operation__release__release_id", "step")
    date_hierarchy = "at"
    exclude = ("told",)
    readonly_fields = ("found",)

    @admin.display(description="told")
    def found(self, row: OperationStep) -> SafeString:
        """Return what it found."""
        return pretty(row.told)


@admin.register(Watch)
class WatchAdmin(Record):
    """One watch."""

    list_display = ("release", "epoch", "state", "started_at", "ends_at", "finished_at", "finished_by")
    list_filter = ("state",)
    list_select_related = ("release",)
    search_fields = ("release__release_id", "finished_by", "reason")
    date_hierarchy = "started_at"


@admin.register(WatchCheck)
class WatchCheckAdmin(Record):
    """One check."""

    list_display = ("at", "watch", "word", "action", "told")
    list_filter = ("word", "action")
    list_select_related = ("watch",)
    search_fields = ("watch__release__release_id", "told")
    date_hierarchy = "at"
    exclude = ("verdicts",)
    readonly_fields = ("measures",)

    @admin.display(description="verdicts")
    def measures(self, row: WatchCheck) -> SafeString:
        """Return a verdict a measure."""
        return pretty(row.verdicts)
