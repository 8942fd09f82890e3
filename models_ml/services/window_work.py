"""The work on one window of a batch: a teacher or a student trained, or taken over when it was trained already.

Artifacts bear the moment the window was planned, so a batch that was broken off and gone on with has the same bytes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from models_ml.models import StudentRun, TeacherRun
from models_ml.services import batches, student_batches, students, teachers
from models_ml.services.students import StudentResult, StudentSpec
from models_ml.services.teachers import TeacherResult, TeacherSpec
from sensequant.lib import paths
from sensequant.lib.errors import BadInput, NotFound, SenseQuantError, is_bad_input
from sensequant.lib.logs import get_logger
from trading.adapters.sealed_folders import Sealed, unseal
from trading.services.market_clock import Clock

log = get_logger("batches")


def train_teacher(number: int, *, clock: Clock) -> None:
    """Train the teacher of a queued window; its row tells how it went."""
    batches.train_one(TeacherRun, number, lambda row: _teacher(row, clock))


def train_student(number: int, *, clock: Clock) -> None:
    """Train the student of a queued window; its row tells how it went."""
    batches.train_one(StudentRun, number, lambda row: _student(row, clock))


def _teacher(row: TeacherRun, clock: Clock) -> None:
    spec, folder = TeacherSpec.of_json(row.spec), paths.resolve(row.artifacts_path)
    result = _teacher_there(spec, folder) or teachers.train(spec, folder, at=row.created_at)
    _fill(row, result.fields(), ("artifacts_path",), clock())


def _student(row: StudentRun, clock: Clock) -> None:
    spec, folder = StudentSpec(**row.spec), paths.resolve(row.student_artifacts_path)
    if row.incremental and (earlier := student_batches.before(row)):
        spec = replace(spec, earlier=batches.relative(earlier))
    result = _student_there(spec, folder) or _student_trained(spec, folder, row.created_at)
    _fill(row, result.fields(), ("student_artifacts_path", "promotion_checklist_path"), clock())


def _student_trained(spec: StudentSpec, folder: Path, at: dt.datetime) -> StudentResult:
    """Return a student that goes on from the earlier one, or from nothing where that cannot be gone on from."""
    try:
        return students.train(spec, folder, at=at)
    except (SenseQuantError, ValueError) as error:
        if not spec.earlier or not (is_bad_input(error) or isinstance(error, SenseQuantError)):
            raise
        log.info("trained from nothing", folder=str(folder), why=str(error))
        return students.train(replace(spec, earlier=""), folder, at=at)


def _fill(row: Any, fields: Mapping[str, Any], places: tuple[str, ...], at: dt.datetime) -> None:
    for name, value in fields.items():
        setattr(row, name, batches.relative(value) if name in places and value else value)
    row.finished_at = at


# taken over


def _sealed(folder: Path) -> Sealed | None:
    """Return the finished artifacts of a folder; None when they are not finished or not as they were written."""
    try:
        return unseal(folder)
    except (NotFound, BadInput):
        return None


def _teacher_there(spec: TeacherSpec, folder: Path) -> TeacherResult | None:
    """Return the teacher that was trained by just this spec when its process died before its row was written."""
    sealed = _sealed(folder)
    if sealed is None:
        return None
    told = sealed.read_json("metadata.json")
    if told["spec"] != spec.as_json():
        return None
    evaluation = sealed.read_json("evaluation_metrics.json")
    log.info("teacher taken over", folder=str(folder), version=told["version"])
    return TeacherResult(
        folder, sealed.digest, told["version"], told["dataset"]["digest"], teachers.metrics_of(evaluation), evaluation,
        0.0, {},
    )  # fmt: skip


def _student_there(spec: StudentSpec, folder: Path) -> StudentResult | None:
    """Return the student that was trained by just this spec from just this teacher, as ``_teacher_there``."""
    sealed, teacher = _sealed(folder), _sealed(paths.resolve(spec.teacher_dir))
    if sealed is None or teacher is None or sealed.told["teacher"] != teacher.digest:
        return None
    told = sealed.read_json("metadata.json")
    if told["spec"] != spec.as_json():
        return None
    looks = StudentRun.objects.filter(test_digest=told["test_digest"], status="success").count()
    checklist = sealed.read_json(students.CHECKLIST) if students.CHECKLIST in sealed.told["files"] else None
    log.info("student taken over", folder=str(folder))
    return StudentResult(
        folder, sealed.digest, str(sealed.told["version"]), sealed.read_json("evaluation_metrics.json"), checklist,
        sealed.read_json("training_report.json"), str(sealed.told["dataset"]), told["test_digest"], looks, 0.0,
    )  # fmt: skip
