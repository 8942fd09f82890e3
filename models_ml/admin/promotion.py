"""Promotions, signatures and evenings: to be looked up; signed and carried out on /models, by the services' rules."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils.safestring import SafeString

from models_ml.models import Evening, Promotion, SignOff
from trading.admin.base import Record, Rows, pretty


class SignOffInline(Rows):
    """The signatures of a promotion; each is given on its page, by the person."""

    model = SignOff
    fields = readonly_fields = ("role", "username", "decision", "note", "evidence", "at")


@admin.register(Promotion)
class PromotionAdmin(Record):
    """One candidate and its checklist."""

    list_display = ("id", "version", "baseline_version", "recommendation", "state", "author", "created_at")
    list_filter = ("state", "recommendation")
    search_fields = ("version", "author", "folder")
    date_hierarchy = "created_at"
    exclude = ("checklist", "spec")
    readonly_fields = ("read", "asked")
    inlines = (SignOffInline,)

    def view_on_site(self, obj: Model) -> str:
        """Return where a promotion is signed and carried out."""
        return reverse("promotion", args=[obj.pk])

    @admin.display(description="checklist")
    def read(self, row: Promotion) -> SafeString:
        """Return the checklist."""
        return pretty(row.checklist)

    @admin.display(description="spec")
    def asked(self, row: Promotion) -> SafeString:
        """Return what it was judged on."""
        return pretty(row.spec)


@admin.register(SignOff)
class SignOffAdmin(Record):
    """Every signature."""

    list_display = ("promotion", "role", "username", "decision", "note", "at")
    list_filter = ("role", "decision")
    list_select_related = ("promotion",)
    search_fields = ("username", "note", "promotion__version")
    date_hierarchy = "at"


@admin.register(Evening)
class EveningAdmin(Record):
    """What each evening found."""

    list_display = ("date", "strategy", "outcome", "why", "proposal", "started_at", "finished_at")
    list_filter = ("outcome", "strategy")
    list_select_related = ("proposal",)
    search_fields = ("why",)
    date_hierarchy = "started_at"
    exclude = ("changes", "validation", "students", "retraining")
    readonly_fields = ("found",)

    @admin.display(description="found")
    def found(self, row: Evening) -> SafeString:
        """Return all of it."""
        return pretty({name: getattr(row, name) for name in ("changes", "validation", "students", "retraining")})
