"""Datasets: to be looked up, not to be changed."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from models_ml.models import Dataset
from trading.admin.base import Record, pretty


@admin.register(Dataset)
class DatasetAdmin(Record):
    """One frozen dataset."""

    list_display = ("short", "strategy", "interval", "start", "end", "rows", "features", "labels", "created_at")
    list_filter = ("strategy", "interval")
    search_fields = ("digest", "symbols", "code", "path")
    date_hierarchy = "created_at"
    exclude = ("manifest",)
    readonly_fields = ("origin",)

    @admin.display(description="dataset", ordering="digest")
    def short(self, row: Dataset) -> str:
        """Return the short name and the symbols."""
        return f"{row.digest[:12]} {', '.join(row.symbols)}"

    @admin.display(description="manifest")
    def origin(self, row: Dataset) -> SafeString:
        """Return where it comes from."""
        return pretty(row.manifest)
