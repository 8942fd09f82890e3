"""What a write was answered the first time, so that repeating it answers the same and does nothing."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class StoredAnswer(models.Model):
    """The answer to one ``Idempotency-Key`` of one person; without a status the first request is still running."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=128)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, address and body")
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    headers = models.JSONField(default=dict, blank=True)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "key"], name="stored_answer_once")
        ]

    def __str__(self) -> str:
        """Return the key and the status."""
        return f"{self.key}: {self.status or 'running'}"
