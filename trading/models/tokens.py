"""Keys for scripts; only their digests are kept."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from trading.core.rights import SCOPES

CHOICES = [(scope, scope) for scope in SCOPES]


class ApiToken(models.Model):
    """One key: whose, what for, what it may do and until when. The key itself was shown once and is not stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80, help_text="what it is for")
    prefix = models.CharField(max_length=12, unique=True, help_text="how the key begins")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the key")
    scope = models.CharField(max_length=5, choices=CHOICES, help_text="never more than its owner may do")
    networks = models.JSONField(default=list, blank=True, help_text="addresses it may be used from; empty: any")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150, blank=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="to the minute")
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        verbose_name = "API token"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(scope__in=list(SCOPES)), name="api_token_known_scope"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="api_token_expires_later"),
        ]

    def __str__(self) -> str:
        """Return the beginning of the key and what it is for."""
        return f"{self.prefix}… {self.name}"
