"""Trainings: which teacher was trained on what, and which student learned from it.

The columns are those of ``teacher_runs.json`` and ``student_runs.json`` (US-024), the digests are added.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

STATUSES = [(s, s) for s in ("queued", "running", "success", "failed", "skipped")]


class Training(models.Model):
    """What every training keeps."""

    batch_id = models.CharField(max_length=64, blank=True, db_index=True, help_text="empty: trained by itself")
    symbol = models.CharField(max_length=32, blank=True, help_text="empty: several symbols together")
    symbols = models.JSONField()
    window_label = models.CharField(max_length=64, blank=True, help_text="such as RELIANCE_2024Q1")
    spec = models.JSONField(default=dict, blank=True, help_text="everything needed to train it again")
    status = models.CharField(max_length=7, choices=STATUSES, default="queued")
    error = models.TextField(blank=True)
    incremental = models.BooleanField(default=False)
    sentiment_snapshot_path = models.CharField(max_length=700, blank=True)
    sentiment_available = models.BooleanField(default=False)
    metrics = models.JSONField(default=dict, blank=True, help_text="precision, recall, f1, accuracy: macro averages")
    evaluation = models.JSONField(default=dict, blank=True, help_text="what evaluation_metrics.json holds")
    version = models.CharField(max_length=32, blank=True, help_text="names the model by its content")
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the manifest of its folder")
    dataset_digest = models.CharField(max_length=64, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=150, blank=True)

    class Meta:
        abstract = True
        ordering: ClassVar[list[str]] = ["-id"]


class TeacherRun(Training):
    """One training of a teacher."""

    start = models.DateField(help_text="first day of its bars, IST")
    end = models.DateField(help_text="last day of its bars, IST, included")
    artifacts_path = models.CharField(max_length=700, blank=True)

    class Meta(Training.Meta):
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["status", "id"], name="teacher_run_status")]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["batch_id", "window_label"], condition=~models.Q(batch_id=""), name="teacher_run_once_a_batch"
            )
        ]

    def __str__(self) -> str:
        """Return number, window and span."""
        return f"#{self.pk} {self.window_label or ', '.join(self.symbols)} {self.start}…{self.end}"


class StudentRun(Training):
    """One training of a student from a teacher's folder."""

    teacher = models.ForeignKey(TeacherRun, on_delete=models.PROTECT, null=True, blank=True, related_name="students")
    teacher_run_id = models.CharField(max_length=64, blank=True, help_text="the teacher's window label or batch")
    teacher_artifacts_path = models.CharField(max_length=700)
    student_artifacts_path = models.CharField(max_length=700, blank=True)
    model_type = models.CharField(max_length=16)
    promotion_checklist_path = models.CharField(max_length=700, blank=True)
    recommendation = models.CharField(max_length=7, blank=True, help_text="PROMOTE or REJECT; empty without checklist")
    suspected_leak = models.BooleanField(default=False)
    test_digest = models.CharField(max_length=64, blank=True, help_text="names the rows it was tested on")
    looks = models.PositiveIntegerField(default=0, help_text="trainings that had been tested on these rows before")

    class Meta(Training.Meta):
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["status", "id"], name="student_run_status"),
            models.Index(fields=["test_digest"], name="student_run_test"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["batch_id", "window_label"], condition=~models.Q(batch_id=""), name="student_run_once_a_batch"
            )
        ]

    def __str__(self) -> str:
        """Return number, kind and window."""
        return f"#{self.pk} {self.model_type} {self.window_label or ', '.join(self.symbols)}"
