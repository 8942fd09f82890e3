"""Predictions as they were recorded, and what came of them."""

from __future__ import annotations

from django.contrib import admin

from trading.admin.base import Record
from trading.models import PredictionRecord


@admin.register(PredictionRecord)
class PredictionRecordAdmin(Record):
    """One link of a run's chain."""

    list_display = ("at", "run", "number", "kind", "symbol", "strategy", "order", "digest")
    list_filter = ("kind", "strategy")
    search_fields = ("symbol", "digest", "payload")
    date_hierarchy = "at"
