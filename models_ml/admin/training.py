"""Trainings of teachers and students: to be looked up, not to be changed."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from models_ml.models import StudentRun, TeacherRun
from models_ml.models.training import Training
from trading.admin.base import Record, pretty


class TrainingAdmin(Record):
    """What both kinds show."""

    exclude = ("metrics", "evaluation", "spec")
    readonly_fields = ("measures", "asked")
    date_hierarchy = "created_at"

    @admin.display(description="evaluation")
    def measures(self, run: Training) -> SafeString:
        """Return what came out."""
        return pretty(run.evaluation or run.metrics)

    @admin.display(description="spec")
    def asked(self, run: Training) -> SafeString:
        """Return what was asked for."""
        return pretty(run.spec)


@admin.register(TeacherRun)
class TeacherRunAdmin(TrainingAdmin):
    """One training of a teacher."""

    list_display = (
        "id", "window_label", "symbol", "start", "end", "status", "version", "batch_id", "incremental", "created_at",
    )  # fmt: skip
    list_filter = ("status", "incremental")
    search_fields = ("batch_id", "symbol", "window_label", "version", "artifacts_path", "error")


@admin.register(StudentRun)
class StudentRunAdmin(TrainingAdmin):
    """One training of a student."""

    list_display = (
        "id", "window_label", "symbol", "model_type", "status", "recommendation", "suspected_leak", "looks", "version",
        "batch_id", "created_at",
    )  # fmt: skip
    list_filter = ("status", "recommendation", "suspected_leak", "model_type", "incremental")
    search_fields = ("batch_id", "symbol", "window_label", "version", "student_artifacts_path", "error")
    raw_id_fields = ("teacher",)
