"""What stops trading and where the books differ: to be read here; released and accepted, with a reason, on /risk."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse

from trading.admin.base import Record
from trading.models import Command, Deed, Difference, Halt


@admin.register(Halt)
class HaltAdmin(Record):
    """Every stop: who engaged it why, and who released it why."""

    list_display = (
        "kind", "action", "reason", "engaged_by", "engaged_at", "run", "released_by", "released_at", "release_reason",
    )  # fmt: skip
    list_filter = ("kind", "action", ("released_at", admin.EmptyFieldListFilter))
    list_select_related = ("run",)
    search_fields = ("reason", "engaged_by", "released_by", "release_reason")
    date_hierarchy = "engaged_at"

    def view_on_site(self, obj: Model) -> str:
        """Return where a halt is released."""
        return f"{reverse('risk')}#{obj.kind if isinstance(obj, Halt) else ''}"


@admin.register(Difference)
class DifferenceAdmin(Record):
    """What the broker's books and ours disagreed about, and who accepted it why."""

    list_display = (
        "symbol", "run", "ours", "theirs", "found_at", "seen_at", "gone_at", "accepted_by", "accepted_at", "reason",
    )  # fmt: skip
    list_filter = (("gone_at", admin.EmptyFieldListFilter), ("accepted_at", admin.EmptyFieldListFilter))
    list_select_related = ("run",)
    search_fields = ("symbol", "detail", "accepted_by", "reason")
    date_hierarchy = "found_at"

    def view_on_site(self, obj: Model) -> str:
        """Return where a difference is accepted."""
        return f"{reverse('risk')}#differences"


@admin.register(Command)
class CommandAdmin(Record):
    """What an operator told a running engine to do, and what it did it to."""

    list_display = ("id", "verb", "state", "run", "asked_by", "asked_at", "taken_at")
    list_filter = ("verb", "state")
    list_select_related = ("run",)
    search_fields = ("asked_by", "key")
    date_hierarchy = "asked_at"

    def view_on_site(self, obj: Model) -> str:
        """Return where its outcome is told, leg by leg."""
        return reverse("command", args=[obj.pk])


@admin.register(Deed)
class DeedAdmin(Record):
    """What was done to the desk and leaves no row of its own."""

    list_display = ("at", "by", "what", "object", "reason")
    list_filter = ("what",)
    search_fields = ("by", "object", "reason")
    date_hierarchy = "at"
