"""One training by itself: its row from beginning to end, whatever that is, and the pipeline file of its run folder.

Whoever trains into a folder holds a lease on it, so that no two write one folder; what a killed process left behind is
told as failed by the next one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from django.db import transaction
from django.db.models import QuerySet

from models_ml.models import Promotion, StudentRun, TeacherRun
from models_ml.services import promotions, students, teachers
from models_ml.services.students import StudentResult, StudentSpec
from models_ml.services.teachers import Progress, TeacherResult, TeacherSpec
from sensequant.lib import paths
from sensequant.lib.clock import ist
from sensequant.lib.errors import NotAllowed, NotFound, SenseQuantError
from trading.adapters.sealed_folders import MANIFEST, text_of, unseal
from trading.services import deeds, leases

R = TypeVar("R", TeacherRun, StudentRun)
PIPELINE: Final = "training_pipeline.json"
PARTS: Final = ("teacher", "student")
LONGEST: Final = 6 * 3_600.0  # seconds a training may take; the folder of a process that died is free at once


def run_folder(at: dt.datetime) -> str:
    """Return where a run begun at ``at`` puts its teacher and student, relative to SENSEQUANT_HOME."""
    return f"data/models/{ist(at):%Y%m%d_%H%M%S}"


def teach(
    spec: TeacherSpec, folder: str, *, by: str, at: dt.datetime, progress: Progress = iter
) -> tuple[TeacherRun, TeacherResult]:
    """Train a teacher into ``folder`` and remember it; what fails is remembered too, and raised."""
    teachers.plan_of(spec, at=at)  # words that cannot be leave no row
    with _alone(folder):
        _abandoned(TeacherRun.objects.filter(artifacts_path=folder), at)
        row = teachers.remember(spec, folder, by=by, at=at)
        with _told(row, at):
            made = teachers.train(spec, paths.resolve(folder), at=at, progress=progress)
        _keep(row, made.fields(), at + dt.timedelta(seconds=made.seconds))
        _pipeline(paths.resolve(folder), at)
    return row, made


def learn(spec: StudentSpec, folder: str, *, by: str, at: dt.datetime) -> tuple[StudentRun, StudentResult]:
    """Train a student into ``folder`` and remember it; what fails is remembered too, and raised."""
    with _alone(folder):
        _abandoned(StudentRun.objects.filter(student_artifacts_path=folder), at)
        row = students.remember(spec, folder, by=by, at=at)
        with _told(row, at):
            made = students.train(spec, paths.resolve(folder), at=at)
        _keep(row, made.fields(), at + dt.timedelta(seconds=made.seconds))
        _pipeline(paths.resolve(folder), at)
    return row, made


def validate(spec: StudentSpec, folder: str, made: StudentResult, *, by: str, at: dt.datetime) -> Promotion:
    """Judge the student by the desk's own backtest of the sessions it was tested on, and keep the checklist of that.

    Judged against ``spec.compared``, else the student in place, else the strategy alone. Raises what reading the bars
    of its teacher raises; the student is kept whatever comes of it.
    """
    asked = TeacherSpec.of_json(unseal(paths.resolve(spec.teacher_dir)).read_json("metadata.json")["spec"])
    start = ist(dt.datetime.fromtimestamp(made.report["slices"]["test"]["start"], dt.UTC)).date()
    plan = teachers.plan_of(asked, at=at)
    baseline = str(paths.resolve(spec.compared)) if spec.compared else ""
    wanted = replace(plan.wanted, start=start)
    return promotions.assess(str(paths.resolve(folder)), wanted, plan.order, by=by, at=at, baseline=baseline)


def earlier_of(model_type: str, symbols: list[str], folder: str) -> str:
    """Return the folder of the student an update goes on from: the one in ``folder``, else the last of its kind.

    NotFound when there is none.
    """
    if (paths.resolve(folder) / MANIFEST).is_file():
        return folder
    rows = StudentRun.objects.filter(model_type=model_type, status="success", symbols=symbols)
    for row in rows[:5]:
        if (paths.resolve(row.student_artifacts_path) / MANIFEST).is_file():
            return row.student_artifacts_path
    raise NotFound(
        f"there is no earlier {model_type} student of {', '.join(symbols)} to go on from",
        fix="train one without --incremental first, or name one with --earlier DIR",
    )


def symbols_of(teacher_dir: str) -> list[str]:
    """Return the symbols a teacher was taught on."""
    return list(unseal(paths.resolve(teacher_dir)).read_json("metadata.json")["symbols"])


@contextmanager
def _alone(folder: str) -> Iterator[None]:
    """Hold the folder; NotAllowed when another process trains into it."""
    name = f"training:{hashlib.sha256(folder.encode()).hexdigest()[:16]}"
    try:
        held = leases.take(name, leases.myself(), ttl=LONGEST)
    except NotAllowed as error:
        raise NotAllowed(f"somebody is training into {folder}: {error.message}", fix=error.fix) from None
    try:
        yield
    finally:
        leases.release(held)


def _abandoned(rows: QuerySet[Any], at: dt.datetime) -> None:
    """Tell of trainings by themselves that whoever held the folder before never ended."""
    rows.filter(status="running", batch_id="").update(status="failed", error="its process died", finished_at=at)


@contextmanager
def _told(row: R, at: dt.datetime) -> Iterator[None]:
    """Keep on the row why its training failed."""
    try:
        yield
    except (SenseQuantError, ValueError, KeyboardInterrupt) as error:
        _keep(row, {"status": "failed", "error": str(error)[:2000] or "stopped"}, at)
        raise


def _keep(row: R, told: dict[str, Any], finished: dt.datetime) -> None:
    """Keep how a training ended, and tell the ledger."""
    for name, value in {**told, "finished_at": finished}.items():
        setattr(row, name, value)
    kind = type(row).__name__.removesuffix("Run").lower()
    with transaction.atomic():
        row.save()
        deeds.record(
            f"{kind} training {row.status}", f"{kind} training {row.pk}", by=row.created_by, at=finished,
            reason=row.error, symbols=row.symbols, version=row.version, manifest_sha256=row.digest,
            dataset_sha256=row.dataset_digest,
        )  # fmt: skip


def _pipeline(folder: Path, at: dt.datetime) -> None:
    """Write what a run folder holds, when the folder is the part of one."""
    if folder.name not in PARTS:
        return
    told: dict[str, Any] = {"timestamp": ist(at).isoformat(timespec="seconds")}
    for name in PARTS:
        if (folder.parent / name / MANIFEST).is_file():
            sealed = unseal(folder.parent / name)
            told[name] = {"folder": name, "version": sealed.told["version"], "manifest": sealed.digest}
    (folder.parent / PIPELINE).write_bytes(text_of(told))
