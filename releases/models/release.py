"""Releases: a numbered content that never changes, the state it is in, and how it got there."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from releases.core.states import DRAFT, STATES
from releases.models.audit import Audit
from releases.models.guarded import Guarded

KINDS = [(each, each) for each in ("major", "minor", "hotfix")]


class Release(Guarded):
    """One candidate and what became of it. Its content is fixed when it is made: another content is another release.

    ``state`` and ``audit`` are moved by ``services.lifecycle`` alone; the database refuses an illegal move.
    """

    release_id = models.CharField(max_length=32, unique=True, help_text="release_YYYYMMDD_HHMMSS")
    seq = models.PositiveIntegerField(unique=True, help_text="grows with every release")
    kind = models.CharField(max_length=6, choices=KINDS, default="minor")
    state = models.CharField(max_length=11, choices=[(each, each) for each in STATES], default=DRAFT)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", help_text="who made it; may not sign"
    )
    summary = models.CharField(max_length=500)
    audit = models.ForeignKey(Audit, on_delete=models.PROTECT, null=True, blank=True, related_name="releases")
    content = models.JSONField(help_text="the manifest without audit, approvals, deployment and monitoring")
    content_sha256 = models.CharField(max_length=64)
    manifest_path = models.CharField(max_length=700, blank=True, help_text="of the YAML, under SENSEQUANT_HOME")
    manifest_sha256 = models.CharField(max_length=64, blank=True, help_text="of the YAML")
    envelope_sha256 = models.CharField(max_length=64, blank=True, help_text="of the signed envelope beside it")
    previous = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["-seq"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(state__in=STATES), name="release_in_a_known_state"),
            models.CheckConstraint(condition=Q(state=DRAFT) | Q(state="aborted") | Q(audit__isnull=False),
                                   name="release_judged_by_an_audit"),
        ]  # fmt: skip

    def __str__(self) -> str:
        """Return the release's name and number."""
        return f"{self.release_id} (#{self.seq})"


class ReleaseEvent(Guarded):
    """One move of one release: from where to where, by whom, why. Only ever added."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="events")
    old = models.CharField(max_length=11)
    new = models.CharField(max_length=11)
    by = models.CharField(max_length=150)
    reason = models.CharField(max_length=500)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        """Return the move."""
        return f"{self.old} → {self.new} by {self.by}"
