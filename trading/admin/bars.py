"""Which bars were read, what was wrong with them, and every row that was set aside."""

from __future__ import annotations

from django.contrib import admin

from trading.admin.base import Record, Rows
from trading.models import BarReport, BarSeries, QuarantinedRow


@admin.register(BarSeries)
class BarSeriesAdmin(Record):
    """One series of bars as last read."""

    list_display = ("symbol", "interval", "source", "rows", "first", "last", "verdict", "refreshed_at", "path")
    list_filter = ("interval", "source", "verdict")
    search_fields = ("symbol", "path")
    date_hierarchy = "refreshed_at"


class RowInline(Rows):
    """The rows a finding set aside."""

    model = QuarantinedRow
    fields = readonly_fields = ("file", "line", "raw")

    verbose_name_plural = "rows set aside"


@admin.register(BarReport)
class BarReportAdmin(Record):
    """One finding in one state of a file, with the rows it set aside."""

    list_display = ("created_at", "file", "interval", "rule", "severity", "count", "message", "fix")
    list_filter = ("severity", "rule", "interval")
    search_fields = ("file", "message")
    date_hierarchy = "created_at"
    inlines = (RowInline,)


@admin.register(QuarantinedRow)
class QuarantinedRowAdmin(Record):
    """One row that was set aside, word for word."""

    list_display = ("file", "line", "raw", "report")
    list_select_related = ("report",)
    search_fields = ("file", "raw")
    list_filter = ("report__rule",)
