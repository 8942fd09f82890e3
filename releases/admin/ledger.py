"""The ledger in the admin: looked up, never edited."""

from __future__ import annotations

from django.contrib import admin

from releases.models import Happening, LedgerArchive, LedgerCheck, LedgerEntry, LedgerHead
from trading.admin.base import Record


@admin.register(LedgerEntry)
class LedgerEntryAdmin(Record):
    """Everything that was done."""

    list_display = ("seq", "at", "actor", "action", "object", "reason")
    list_filter = ("kind",)
    search_fields = ("actor", "action", "object", "reason")
    date_hierarchy = "at"


@admin.register(Happening)
class HappeningAdmin(Record):
    """Who came in, who was given which right, which settings were in force."""

    list_display = ("at", "what", "actor", "object", "ip")
    list_filter = ("what",)
    search_fields = ("actor", "object")
    date_hierarchy = "at"


@admin.register(LedgerHead)
class LedgerHeadAdmin(Record):
    """Where the trails stood, signed."""

    list_display = ("at", "seq", "digest", "alerts")
    search_fields = ("digest",)
    date_hierarchy = "at"


@admin.register(LedgerArchive)
class LedgerArchiveAdmin(Record):
    """What lies in sealed files."""

    list_display = ("first", "through", "path", "at", "by")
    search_fields = ("path",)
    date_hierarchy = "at"


@admin.register(LedgerCheck)
class LedgerCheckAdmin(Record):
    """Readings of the whole."""

    list_display = ("asked_at", "by", "done_at", "seconds", "sound")
    list_filter = ("sound",)
    search_fields = ("by",)
    date_hierarchy = "asked_at"
