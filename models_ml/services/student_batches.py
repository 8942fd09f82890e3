"""Batches of students: one for every teacher of a batch, with its baselines and checklist (US-024 phases 2, 4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from models_ml.models import StudentRun, TeacherRun, TrainingBatch
from models_ml.services import batches, run_files
from models_ml.services.batch_plans import StudentAsked
from models_ml.services.learning import MODEL_TYPES
from models_ml.services.students import StudentSpec
from sensequant.lib import paths
from sensequant.lib.errors import BadInput, NotAllowed, NotFound

ENDED: Final = ("done", "partial")


def teacher_batch_of(folder: str, *, at: dt.datetime) -> TrainingBatch:
    """Return the teacher batch of a folder, read from its run file when nobody knows it; without one the newest ended.

    NotFound when there is none.
    """
    if not folder:
        found = batches.latest("teacher", *ENDED)
        if found is None:
            raise NotFound("there is no teacher batch", fix="train one first: manage.py train_teacher_batch")
        return found
    found = batches.of_folder("teacher", folder)
    if found is None:
        file = paths.resolve(folder) / run_files.FILES["teacher"]
        if not file.is_file():
            raise NotFound(f"there is no {file}", fix="name a teacher batch's folder with --teacher-batch-dir")
        run_files.read(file, at=at)
        found = batches.of_folder("teacher", folder)
    if found is None:
        raise BadInput(f"{folder} holds no run that can be read", fix="see the lines named above")
    return found


def ask(
    *, teacher_batch: TrainingBatch, model_type: str = "logistic", baseline_precision: float | None = None,
    baseline_recall: float | None = None, incremental: bool = False, promotion: bool | None = None,
    options: Mapping[str, Any] | None = None,
) -> StudentAsked:  # fmt: skip
    """Return what is asked, completed by the settings and checked."""
    desk = settings.DESK
    if model_type not in MODEL_TYPES:
        raise BadInput(f"--model-type {model_type} is not known", fix=f"use {', '.join(MODEL_TYPES)}")
    precision = desk.student_batch_baseline_precision if baseline_precision is None else baseline_precision
    recall = desk.student_batch_baseline_recall if baseline_recall is None else baseline_recall
    for name, value in (("--baseline-precision", precision), ("--baseline-recall", recall)):
        if not 0.0 <= value <= 1.0:
            raise BadInput(f"{name} {value:g} is no share", fix="give 0 to 1, e.g. 0.65")
    wanted = desk.student_batch_promotion_enabled if promotion is None else promotion
    return StudentAsked(
        teacher_batch.batch_id, model_type, precision, recall, incremental, wanted, dict(options or {})
    )  # fmt: skip


def start(
    asked: StudentAsked, teacher_batch: TrainingBatch, *, folder: str = "", by: str, at: dt.datetime
) -> TrainingBatch:
    """Return a new batch with one student queued for every teacher that was trained.

    The first students of a teacher batch lie beside it and bear its name; later ones have a folder of their own.
    NotAllowed when the teachers are still being trained or none was.
    """
    teachers = _teachers(teacher_batch, asked)
    with transaction.atomic():
        batch = _batch(asked, teacher_batch, folder, by=by, at=at)
        StudentRun.objects.bulk_create(_row(batch, asked, teacher, by=by, at=at) for teacher in teachers)
        batch.total = batches.rows(batch).count()
        batch.save(update_fields=["total"])
    return batch


def _teachers(batch: TrainingBatch, asked: StudentAsked) -> QuerySet[TeacherRun]:
    """Return the teachers to learn from; an update leaves those out that have a student of this kind."""
    if batch.status in batches.OPEN:
        raise NotAllowed(f"{batch.batch_id} is still being trained", fix="wait until it has ended")
    mine = TeacherRun.objects.filter(batch_id=batch.batch_id, status="success").order_by("id")
    if not mine.exists() and batch.total:
        raise NotAllowed(f"no teacher of {batch.batch_id} was trained", fix="look at its errors, then use --resume")
    if asked.incremental:
        mine = mine.exclude(students__status="success", students__model_type=asked.model_type)
    return mine


def _batch(
    asked: StudentAsked, teacher_batch: TrainingBatch, folder: str, *, by: str, at: dt.datetime
) -> TrainingBatch:
    more = {"incremental": asked.incremental, "teacher_batch": teacher_batch}
    taken = TrainingBatch.objects.filter(kind="student", batch_id=teacher_batch.batch_id).exists()
    if folder or taken:
        return batches.begin("student", asked.as_json(), asked.digest, folder=folder, by=by, at=at, **more)
    return TrainingBatch.objects.create(
        kind="student", batch_id=teacher_batch.batch_id, folder=teacher_batch.folder, asked=asked.as_json(),
        plan_digest=asked.digest, created_at=at, created_by=by, **more,
    )  # fmt: skip


def _row(batch: TrainingBatch, asked: StudentAsked, teacher: TeacherRun, *, by: str, at: dt.datetime) -> StudentRun:
    return StudentRun(
        batch_id=batch.batch_id, symbol=teacher.symbol, symbols=teacher.symbols, window_label=teacher.window_label,
        teacher=teacher, teacher_run_id=teacher.window_label, teacher_artifacts_path=teacher.artifacts_path,
        student_artifacts_path=batches.place_of(batch, f"{teacher.window_label}_student"),
        spec=_spec(asked, teacher), model_type=asked.model_type, incremental=asked.incremental, created_at=at,
        created_by=by, sentiment_snapshot_path=teacher.sentiment_snapshot_path,
        sentiment_available=teacher.sentiment_available,
    )  # fmt: skip


def _spec(asked: StudentAsked, teacher: TeacherRun) -> dict[str, Any]:
    spec = StudentSpec(
        teacher.artifacts_path, asked.model_type, baseline_precision=asked.baseline_precision,
        baseline_recall=asked.baseline_recall, checklist=asked.promotion, **asked.options,
    )  # fmt: skip
    return spec.as_json()


def to_resume(teacher_batch: TrainingBatch, digest: str) -> TrainingBatch | None:
    """Return the newest students' batch of a teacher batch that asked for the same."""
    return TrainingBatch.objects.filter(kind="student", teacher_batch=teacher_batch, plan_digest=digest).first()


def resume(batch: TrainingBatch, *, by: str, at: dt.datetime) -> TrainingBatch:
    """Queue what is missing, students of teachers that came later included; nothing trained is touched."""
    if not batch.asked or batch.teacher_batch is None:
        raise NotAllowed(f"{batch.batch_id} was imported: what it was asked for is not known", fix="begin a new batch")
    batches.ensure_free(batch)
    asked = StudentAsked(**batch.asked)
    with transaction.atomic():
        known = set(batches.rows(batch).values_list("window_label", flat=True))
        new = [each for each in _teachers(batch.teacher_batch, asked) if each.window_label not in known]
        StudentRun.objects.bulk_create(_row(batch, asked, teacher, by=by, at=at) for teacher in new)
        batches.reopen(batch)
        batch.total = batches.rows(batch).count()
        batch.save(update_fields=["total"])
    return batch


def before(row: StudentRun) -> Path | None:
    """Return the folder of the symbol's last student of the same kind, which an update warm-starts from."""
    mine = StudentRun.objects.filter(symbol=row.symbol, model_type=row.model_type, status="success")
    last = mine.exclude(pk=row.pk).first()
    return paths.resolve(last.student_artifacts_path) if last else None
