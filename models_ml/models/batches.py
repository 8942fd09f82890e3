"""Batches of trainings over symbols and windows, and the validations of models (US-024, US-025)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

KINDS = [(s, s) for s in ("teacher", "student")]
BATCH_STATES = [(s, s) for s in ("queued", "running", "done", "partial", "failed", "cancelled")]
VALIDATION_STATES = [(s, s) for s in ("queued", "running", "completed", "partial", "failed", "cancelled")]


class TrainingBatch(models.Model):
    """One batch: what was asked, how far it is, and what it came to; its windows are TeacherRun or StudentRun rows."""

    batch_id = models.CharField(max_length=64, help_text="such as batch_20251012_190000")
    kind = models.CharField(max_length=7, choices=KINDS)
    status = models.CharField(max_length=9, choices=BATCH_STATES, default="queued")
    asked = models.JSONField(help_text="everything needed to do it again")
    plan_digest = models.CharField(max_length=64, db_index=True, help_text="SHA-256 of what was asked")
    folder = models.CharField(max_length=700)
    teacher_batch = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="students")
    incremental = models.BooleanField(default=False)
    total = models.PositiveIntegerField(default=0)
    progress = models.FloatField(default=0.0, help_text="0 … 1")
    certificates = models.JSONField(default=dict, blank=True, help_text="null market and known edge")
    summary = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True)
    cpu_seconds = models.FloatField(default=0.0)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=150, blank=True)

    class Meta:
        verbose_name_plural = "training batches"
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["status", "id"], name="training_batch_status")]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["kind", "batch_id"], name="training_batch_once")
        ]

    def __str__(self) -> str:
        """Return kind and name."""
        return f"{self.kind} {self.batch_id}"


class ValidationRun(models.Model):
    """One validation of models: what was asked, where each step stands, and the summary."""

    run_id = models.CharField(max_length=64, unique=True, help_text="such as validation_20251012_180000")
    status = models.CharField(max_length=9, choices=VALIDATION_STATES, default="queued")
    dryrun = models.BooleanField(default=True)
    symbols = models.JSONField()
    start = models.DateField()
    end = models.DateField()
    asked = models.JSONField(default=dict, help_text="everything needed to go on with it")
    steps = models.JSONField(default=dict, blank=True, help_text="by step: pending, running, success, failed, skipped")
    results = models.JSONField(default=dict, blank=True, help_text="what each step found")
    summary = models.JSONField(default=dict, blank=True, help_text="validation_summary.json")
    approved = models.BooleanField(default=False)
    folder = models.CharField(max_length=700, blank=True, help_text="the audit folder")
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        """Return name and state."""
        return f"{self.run_id} {self.status}"
