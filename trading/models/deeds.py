"""What people and rules did that leaves no row of its own: appended in the transaction that does it, never edited."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Deed(models.Model):
    """One thing done to the desk: a version activated, a run paused, a login at the broker."""

    at = models.DateTimeField(db_index=True)
    by = models.CharField(max_length=150, blank=True)
    what = models.CharField(max_length=40, help_text="e.g. strategy activated")
    object = models.CharField(max_length=120, help_text="what it was done to")
    reason = models.CharField(max_length=300, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    session = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the session's key")
    request_id = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        """Return what was done to what."""
        return f"{self.what}: {self.object}"
