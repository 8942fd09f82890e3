"""The outbox, every try, and the metrics."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from monitoring.models import Attempt, Channel, Look, Notification, Report, Rollup, Sample
from trading.admin.base import Inline, Record


class AttemptInline(Inline):
    """The tries of a message."""

    model = Attempt
    extra = 0
    can_delete = False
    readonly_fields = ("at", "ok", "permanent", "seconds", "error")

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Refuse: the sender writes these."""
        return False


@admin.register(Notification)
class NotificationAdmin(Record):
    """Every message to every channel."""

    list_display = ("made_at", "channel", "severity", "episode", "reason", "state", "attempts", "sent_at", "error")
    list_filter = ("state", "channel", "severity")
    list_select_related = ("episode",)
    search_fields = ("key", "reason", "error")
    inlines = (AttemptInline,)


@admin.register(Channel)
class ChannelAdmin(Record):
    """How each channel is."""

    list_display = ("name", "sent", "failed", "last_sent_at", "last_error", "last_error_at")


@admin.register(Rollup)
class RollupAdmin(Record):
    """Metrics over time."""

    list_display = ("metric", "at", "width", "low", "high", "avg", "count", "total")
    list_filter = ("metric",)


@admin.register(Sample)
class SampleAdmin(Record):
    """The newest samples."""

    list_display = ("metric", "at", "low", "high", "total", "count", "rolled")
    list_filter = ("metric", "rolled")


@admin.register(Report)
class ReportAdmin(Record):
    """What apps above reported."""

    list_display = ("measure", "group", "value", "at", "until", "context")


@admin.register(Look)
class LookAdmin(Record):
    """The monitor's own state."""

    list_display = ("name", "at", "seconds", "holder", "errors", "archived_at", "pinged_at", "ping_error")
