"""Batches and validations: to be looked up, and cancelled while they run."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from models_ml.models import TrainingBatch, ValidationRun
from models_ml.services import batches, validations
from sensequant.lib.clock import now
from trading.admin.base import Record, each, pretty


@admin.register(TrainingBatch)
class TrainingBatchAdmin(Record):
    """One batch of trainings."""

    list_display = (
        "id", "batch_id", "kind", "status", "total", "progress", "incremental", "created_by", "created_at",
    )  # fmt: skip
    list_filter = ("kind", "status", "incremental")
    search_fields = ("batch_id", "folder", "error", "created_by")
    date_hierarchy = "created_at"
    exclude = ("asked", "summary", "certificates")
    readonly_fields = ("wanted", "outcome", "proofs")
    raw_id_fields = ("teacher_batch",)
    actions = ("cancel",)

    @admin.display(description="asked")
    def wanted(self, batch: TrainingBatch) -> SafeString:
        """Return what was asked for."""
        return pretty(batch.asked)

    @admin.display(description="summary")
    def outcome(self, batch: TrainingBatch) -> SafeString:
        """Return what it came to."""
        return pretty(batch.summary)

    @admin.display(description="certificates")
    def proofs(self, batch: TrainingBatch) -> SafeString:
        """Return its certificates."""
        return pretty(batch.certificates)

    @admin.action(description="Cancel", permissions=["operate"])
    def cancel(self, request: HttpRequest, rows: QuerySet[TrainingBatch]) -> None:
        """Cancel those that are queued or running."""
        by = request.user.get_username()
        each(request, rows, "cancelled", lambda batch: batches.cancel(batch.pk, by=by, at=now()))


@admin.register(ValidationRun)
class ValidationRunAdmin(Record):
    """One validation of models."""

    list_display = ("id", "run_id", "status", "dryrun", "approved", "start", "end", "created_by", "created_at")
    list_filter = ("status", "dryrun", "approved")
    search_fields = ("run_id", "symbols", "error", "created_by")
    date_hierarchy = "created_at"
    exclude = ("asked", "steps", "results", "summary")
    readonly_fields = ("progress", "outcome")
    actions = ("cancel",)

    @admin.display(description="steps")
    def progress(self, run: ValidationRun) -> SafeString:
        """Return where each step stands."""
        return pretty(run.steps)

    @admin.display(description="summary")
    def outcome(self, run: ValidationRun) -> SafeString:
        """Return the summary."""
        return pretty(run.summary)

    @admin.action(description="Cancel", permissions=["operate"])
    def cancel(self, request: HttpRequest, rows: QuerySet[ValidationRun]) -> None:
        """Cancel those that are queued or running."""
        by = request.user.get_username()
        each(request, rows, "cancelled", lambda run: validations.cancel(run.run_id, by=by, at=now()))
