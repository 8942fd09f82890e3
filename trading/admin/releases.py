"""The release in force: looked up here; switched by a deployment or a rollback."""

from __future__ import annotations

from django.contrib import admin

from trading.admin.base import Record
from trading.models import ReleasePointer


@admin.register(ReleasePointer)
class ReleasePointerAdmin(Record):
    """The one row."""

    list_display = (
        "release_id",
        "seq",
        "highest_seq",
        "epoch",
        "mode",
        "heightened_until",
        "deployed_at",
        "deployed_by",
    )
    list_filter = ("mode",)
    search_fields = ("release_id", "deployed_by", "manifest_sha256")
