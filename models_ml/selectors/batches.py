"""Batches and validations: what pages and the API ask of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Max, QuerySet

from models_ml.models import StudentRun, TeacherRun, TrainingBatch, ValidationRun

ACTIVE = ("queued", "running")


def batches() -> QuerySet[TrainingBatch]:
    """Return every batch, newest first."""
    return TrainingBatch.objects.select_related("teacher_batch")


def batch(number: int) -> TrainingBatch | None:
    """Return one batch; None when there is none such."""
    return batches().filter(pk=number).first()


def queued(kind: str, before: dt.datetime) -> list[int]:
    """Return the batches of a kind asked for before a moment that nobody has begun, the oldest first."""
    rows = TrainingBatch.objects.filter(kind=kind, status="queued", created_at__lt=before).order_by("id")
    return list(rows.values_list("id", flat=True))


def waits(number: int) -> bool:
    """Say whether a batch has not ended: nobody began it, or who did may have died."""
    return TrainingBatch.objects.filter(pk=number, status__in=ACTIVE).exists()


def windows(found: TrainingBatch) -> QuerySet[Any]:
    """Return a batch's windows without the long columns, in the order they were planned."""
    model = TeacherRun if found.kind == "teacher" else StudentRun
    return model.objects.filter(batch_id=found.batch_id).defer("spec", "evaluation").order_by("id")


def validations() -> QuerySet[ValidationRun]:
    """Return every validation, newest first."""
    return ValidationRun.objects.all()


def queued_validations(before: dt.datetime) -> list[str]:
    """Return the names of the validations asked for before a moment that nobody has begun, the oldest first."""
    rows = ValidationRun.objects.filter(status="queued", created_at__lt=before).order_by("id")
    return list(rows.values_list("run_id", flat=True))


def validation_waits(run_id: str) -> bool:
    """Say whether a validation has not ended: nobody began it, or who did may have died."""
    return ValidationRun.objects.filter(run_id=run_id, status__in=ACTIVE).exists()


def validation(run_id: str) -> ValidationRun | None:
    """Return one validation; None when there is none such."""
    return ValidationRun.objects.filter(run_id=run_id).first()


def trained() -> list[dict[str, Any]]:
    """Return how far each symbol is trained, by interval: the last day, and how many teachers and when the last was."""
    rows = TeacherRun.objects.filter(status="success").exclude(symbol="")
    found = rows.values("symbol", "spec__interval").annotate(last_day=Max("end"), last_run=Max("finished_at"))
    return [
        {
            "symbol": row["symbol"], "interval": row["spec__interval"] or "", "last_trained_date": row["last_day"],
            "last_updated": row["last_run"],
        }
        for row in found.order_by("symbol", "spec__interval")
    ]  # fmt: skip
