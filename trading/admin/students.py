"""Which students score and what they said: to be read here; promoted, enabled and dismissed on /models."""

from __future__ import annotations

from django.contrib import admin

from trading.admin.base import Record
from trading.models import ActiveModel, ModelScore


@admin.register(ActiveModel)
class ActiveModelAdmin(Record):
    """Every student that had a place, from when to when, by whom and why."""

    list_display = ("role", "version", "since", "until", "by", "reason", "disabled_at", "disabled_reason")
    list_filter = ("role", ("until", admin.EmptyFieldListFilter))
    search_fields = ("version", "reason", "by")
    date_hierarchy = "since"


@admin.register(ModelScore)
class ModelScoreAdmin(Record):
    """What students said of decisions."""

    list_display = ("at", "symbol", "strategy", "direction", "model", "chance", "threshold", "run")
    list_filter = ("direction", "strategy")
    list_select_related = ("model", "run")
    search_fields = ("symbol", "model__version")
    date_hierarchy = "at"
