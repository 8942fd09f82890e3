"""Releases, their events, signatures and keys: looked up here; signed and moved on /releases, by the services."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from releases.models import Release, ReleaseEvent, ReleaseSignOff, SigningKey
from trading.admin.base import Record, pretty


@admin.register(Release)
class ReleaseAdmin(Record):
    """One release."""

    list_display = ("release_id", "seq", "kind", "state", "author", "audit", "created_at")
    list_filter = ("state", "kind")
    list_select_related = ("author", "audit")
    search_fields = ("release_id", "summary", "author__username")
    date_hierarchy = "created_at"
    exclude = ("content",)
    readonly_fields = ("consists_of",)

    @admin.display(description="content")
    def consists_of(self, row: Release) -> SafeString:
        """Return the content."""
        return pretty(row.content)


@admin.register(ReleaseEvent)
class ReleaseEventAdmin(Record):
    """Every move of every release."""

    list_display = ("release", "old", "new", "by", "reason", "at")
    list_filter = ("new",)
    list_select_related = ("release",)
    search_fields = ("release__release_id", "by", "reason")
    date_hierarchy = "at"


@admin.register(ReleaseSignOff)
class ReleaseSignOffAdmin(Record):
    """Every signature."""

    list_display = ("release", "role", "name", "decision", "note", "at", "revoked_at")
    list_filter = ("role", "decision")
    list_select_related = ("release",)
    search_fields = ("release__release_id", "name", "note")
    date_hierarchy = "at"


@admin.register(SigningKey)
class SigningKeyAdmin(Record):
    """The keys people sign with; the private half is sealed and not shown."""

    list_display = ("user", "public", "created_at", "revoked_at", "revoked_reason")
    list_select_related = ("user",)
    search_fields = ("user__username", "public")
    date_hierarchy = "created_at"
    exclude = ("sealed", "cost")
