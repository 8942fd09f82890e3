"""Audits: what a release is judged by, as one bundle of files and its digests."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from releases.core.audit_states import CAUSES
from releases.core.audit_states import STATES as WORDS

STATES = [(each, each) for each in WORDS]


class Audit(models.Model):
    """One audit: what was measured, which flags are open, and the digests that signatures are bound to."""

    audit_id = models.CharField(max_length=32, unique=True, help_text="audit_YYYYMMDD_HHMMSS")
    folder = models.CharField(max_length=700, help_text="absolute, or under SENSEQUANT_HOME")
    state = models.CharField(max_length=9, choices=STATES, default="queued")
    metrics = models.JSONField(default=dict, blank=True, help_text="metrics.json")
    metrics_sha256 = models.CharField(max_length=64, blank=True)
    flags = models.JSONField(default=list, blank=True, help_text="open risk flags")
    flags_sha256 = models.CharField(max_length=64, blank=True)
    deployment_ready = models.BooleanField(default=False, help_text="no flag is open")
    bundle_sha256 = models.CharField(max_length=64, blank=True, help_text="of all files of the bundle")
    cause = models.CharField(max_length=8, choices=[(each, each) for each in CAUSES], default="manual")
    trigger = models.CharField(
        max_length=80, unique=True, null=True, blank=True, help_text="what it was planned for, so that it is once only"
    )
    asked = models.JSONField(default=dict, blank=True, help_text="what is left out, where the bundle goes")
    step = models.CharField(max_length=10, blank=True, help_text="what is being done")
    progress = models.FloatField(default=0.0, help_text="0 … 1")
    error = models.TextField(blank=True)
    due_at = models.DateTimeField(null=True, blank=True, help_text="carried out by the schedule from here on")
    archived_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, help_text="when its files were; the row is kept")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    by = models.CharField(max_length=150)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        """Return the audit's name."""
        return self.audit_id
