"""The outbox, every try, and the metrics."""

from __future__ import annotations

from django.contrib import admin

from monitoring.models import Attempt, Channel, Look, Notification, Report, Rollup, Sample
from trading.admin.base import Record, Rows


class AttemptInline(Rows):
    """The tries of a message."""

    model = Attempt
    readonly_fields = ("at", "ok", "permanent", "seconds", "error")


@admin.register(Notification)
class NotificationAdmin(Record):
    """Every message to every channel."""

    list_display = ("made_at", "channel", "severity", "episode", "reason", "state", "attempts", "sent_at", "error")
    list_filter = ("state", "channel", "severity")
    list_select_related = ("episode",)
    search_fields = ("key", "reason", "error")
    inlines = (AttemptInline,)


@admin.register(Attempt)
class AttemptAdmin(Record):
    """Every try to send a message."""

    list_display = ("at", "notification", "ok", "permanent", "seconds", "error")
    list_filter = ("ok", "permanent")
    list_select_related = ("notification",)
    search_fields = ("error", "notification__key")
    date_hierarchy = "at"


@admin.register(Channel)
class ChannelAdmin(Record):
    """How each channel is."""

    search_fields = ("name", "last_error")
    list_filter = (("last_error", admin.EmptyFieldListFilter),)
    list_display = ("name", "sent", "failed", "last_sent_at", "last_error", "last_error_at")


@admin.register(Rollup)
class RollupAdmin(Record):
    """Metrics over time."""

    list_display = ("metric", "at", "width", "low", "high", "avg", "count", "total")
    list_filter = ("metric", "width")
    search_fields = ("metric",)


@admin.register(Sample)
class SampleAdmin(Record):
    """The newest samples."""

    list_display = ("metric", "at", "low", "high", "total", "count", "rolled")
    list_filter = ("metric", "rolled")
    search_fields = ("metric",)


@admin.register(Report)
class ReportAdmin(Record):
    """What apps above reported."""

    list_display = ("measure", "group", "value", "at", "until", "context")
    list_filter = ("measure",)
    search_fields = ("measure", "group")


@admin.register(Look)
class LookAdmin(Record):
    """The monitor's own state."""

    list_display = ("name", "at", "seconds", "holder", "errors", "archived_at", "pinged_at", "ping_error")
    list_filter = ("name",)
    search_fields = ("name", "holder", "ping_error")
