"""Audits: looked up here, and cancelled while they run."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from releases.models import Audit, FlagWaiver
from releases.services import audits
from sensequant.lib.clock import now
from trading.admin.base import Record, each, pretty


@admin.register(Audit)
class AuditAdmin(Record):
    """One audit."""

    list_display = ("audit_id", "state", "cause", "deployment_ready", "by", "created_at", "finished_at", "archived_at")
    list_filter = ("state", "cause", "deployment_ready")
    search_fields = ("audit_id", "folder", "by", "error")
    date_hierarchy = "created_at"
    exclude = ("metrics", "flags", "asked")
    readonly_fields = ("measures", "risks")
    actions = ("cancel",)

    @admin.display(description="metrics")
    def measures(self, row: Audit) -> SafeString:
        """Return metrics.json."""
        return pretty(row.metrics)

    @admin.display(description="flags")
    def risks(self, row: Audit) -> SafeString:
        """Return the risk register."""
        return pretty(row.flags)

    @admin.action(description="Cancel", permissions=["operate"])
    def cancel(self, request: HttpRequest, rows: QuerySet[Audit]) -> None:
        """Cancel those that are queued or running."""
        by = request.user.get_username()
        each(request, rows, "cancelled", lambda row: audits.cancel(row.audit_id, by=by, at=now()))


@admin.register(FlagWaiver)
class FlagWaiverAdmin(Record):
    """Every half of a waiver; given and taken back on the page of the audit."""

    list_display = ("audit", "code", "role", "name", "reason", "at", "expires_at", "revoked_at")
    list_filter = ("role", "code")
    list_select_related = ("audit",)
    search_fields = ("audit__audit_id", "name", "reason")
    date_hierarchy = "at"
