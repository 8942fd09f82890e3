"""Validations of models (US-025): asked for, taken through their six steps, resumed, cancelled, recorded."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction

from models_ml.core.validation import STEPS
from models_ml.models import TrainingBatch, ValidationRun
from models_ml.services import batch_plans, batches, validation_steps
from models_ml.services.batch_plans import TeacherAsked
from models_ml.services.validation_steps import How
from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput, NotAllowed, NotFound, SenseQuantError, is_bad_input
from sensequant.lib.logs import get_logger
from trading.services import leases

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}\Z")
OPEN: Final = ("queued", "running")
log = get_logger("ModelValidation")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is validated: the bars and windows of the teachers, the kind of student, and which steps are left out."""

    teachers: TeacherAsked
    model_type: str = "logistic"
    skip_optimizer: bool = False
    skip_reports: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return plain data; ``asked_of`` reads it."""
        return {
            "teachers": self.teachers.as_json(), "model_type": self.model_type,
            "skip_optimizer": self.skip_optimizer, "skip_reports": self.skip_reports,
        }  # fmt: skip


def asked_of(run: ValidationRun) -> Asked:
    """Return what a run was asked for."""
    return Asked(**{**run.asked, "teachers": batch_plans.teacher_asked(run.asked["teachers"])})


def keep(asked: Asked, *, dryrun: bool, run_id: str = "", by: str, at: dt.datetime) -> ValidationRun:
    """Return a queued run, or the one of that name which asked for the same and is gone on with.

    BadInput for a name that cannot be a folder's, NotAllowed for one that asked for something else.
    """
    start, end = asked.teachers.start, asked.teachers.end
    if start is None or end is None:
        raise BadInput("a validation needs its days", fix="give --start-date and --end-date")
    if run_id and not NAME.match(run_id):
        raise BadInput(f"--run-id {run_id!r} cannot be used", fix="use letters, digits, _ and -, 60 at most")
    known = ValidationRun.objects.filter(run_id=run_id).first() if run_id else None
    if known is not None:
        return _again(known, asked, dryrun)
    names = [run_id] if run_id else [f"validation_{_stamp(at, later)}" for later in range(60)]
    for name in names:
        try:
            with transaction.atomic():
                return ValidationRun.objects.create(
                    run_id=name, dryrun=dryrun, symbols=list(asked.teachers.symbols), start=start, end=end,
                    asked=asked.as_json(), steps=dict.fromkeys(STEPS, "pending"), created_at=at, created_by=by,
                    folder=f"{settings.DESK.validation_release_dir.rstrip('/')}/audit_{name}",
                )  # fmt: skip
        except IntegrityError:
            continue
    raise NotAllowed("too many validations were begun at once", fix="try again in a minute")


def queue(asked: Asked, *, dryrun: bool, run_id: str = "", by: str, at: dt.datetime) -> ValidationRun:
    """Return a run that waits to be executed elsewhere; NotAllowed for one that is under way or complete."""
    run = keep(asked, dryrun=dryrun, run_id=run_id, by=by, at=at)
    if run.status in ("running", "completed"):
        raise NotAllowed(f"{run.run_id} is {run.status}", fix="choose another name, or wait")
    if run.status != "queued":
        _pend(run)
        run.status = "queued"
        run.save(update_fields=["status", "steps"])
    return run


def _pend(run: ValidationRun) -> None:
    """Let what failed, or was done only because of that, be pending again."""
    kept = ("teacher", "student", "optimizer")
    run.steps = {name: word if name in kept and word == "success" else "pending" for name, word in run.steps.items()}


def _stamp(at: dt.datetime, later: int) -> str:
    return f"{ist(at) + dt.timedelta(seconds=later):%Y%m%d_%H%M%S}"


def _again(run: ValidationRun, asked: Asked, dryrun: bool) -> ValidationRun:
    if run.dryrun != dryrun:
        was = "a dry run" if run.dryrun else "a real run"
        raise NotAllowed(f"{run.run_id} was {was}", fix="choose another --run-id")
    if run.asked != asked.as_json():
        differs = sorted(_differences(run.asked, asked.as_json()))
        raise NotAllowed(f"{run.run_id} asked for other {', '.join(differs)}", fix="choose another --run-id")
    return run


def _differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    found = {name for name in other if name != "teachers" and one.get(name) != other[name]}
    mine, theirs = one.get("teachers", {}), other["teachers"]
    return found | {name for name in theirs if mine.get(name) != theirs[name]}


def find(run_id: str) -> ValidationRun:
    """Return a run by its name; NotFound when there is none such."""
    run = ValidationRun.objects.filter(run_id=run_id).first()
    if run is None:
        raise NotFound(f"there is no validation {run_id}", fix="look at the list of validations")
    return run


def execute(run: ValidationRun, how: How, *, resume: bool = True) -> ValidationRun:
    """Take a run through the steps it has not completed, and return it as it ended.

    One that was completed is returned as it is, one whose process died is taken over. NotAllowed when another process
    is at it, and for one that failed or was cancelled unless it is to ``resume``. A step that fails is part of the
    result; only what stops the run is raised.
    """
    if run.status == "completed":
        return run
    held = leases.take(f"validation:{run.pk}", leases.myself(), ttl=batches.HELD)
    try:
        _claim(run, resume=resume)
        _steps(run, how)
    except BaseException as error:
        foreseen = isinstance(error, SenseQuantError) or is_bad_input(error)
        told = str(error) if foreseen else f"{type(error).__name__}: {error}"
        mine = ValidationRun.objects.filter(pk=run.pk, status="running")
        mine.update(status="failed", error=told or "stopped", finished_at=how.clock())
        raise
    finally:
        leases.release(held)
    run.refresh_from_db()
    log.info("validation ended", run=run.run_id, status=run.status, dryrun=run.dryrun, approved=run.approved)
    return run


def _claim(run: ValidationRun, *, resume: bool) -> None:
    """Mark the run as running; what failed, or was done only because of that, is pending again."""
    run.refresh_from_db()
    if run.status not in ("queued", "running") and not resume:
        raise NotAllowed(f"{run.run_id} is {run.status}, not queued", fix="go on with it by --run-id")
    if run.status != "queued":
        _pend(run)
    run.status, run.error, run.finished_at = "running", "", None
    run.save(update_fields=["status", "steps", "error", "finished_at"])


def _steps(run: ValidationRun, how: How) -> None:
    """Do what is missing, in order; after a step is done again, those that read it are as well."""
    asked = asked_of(run)
    changed = False
    for name in STEPS:
        if run.steps.get(name) in ("success", "skipped", "planned") and not changed:
            continue
        if _cancelled(run):
            validation_steps.record(run, "cancelled", how)
            return
        changed = True
        _note(run, name, "running")
        state, found = STEP[name](run, asked, how)
        run.results[name] = found
        _note(run, name, state)
        log.info("validation step", run=run.run_id, step=name, outcome=state, dryrun=run.dryrun)


def _cancelled(run: ValidationRun) -> bool:
    return ValidationRun.objects.filter(pk=run.pk, status="cancelled").exists()


def _note(run: ValidationRun, name: str, state: str) -> None:
    run.steps[name] = state
    run.save(update_fields=["steps", "results"])


Step = Callable[[ValidationRun, Asked, How], tuple[str, dict[str, Any]]]


def _teacher(run: ValidationRun, asked: Asked, how: How) -> tuple[str, dict[str, Any]]:
    if run.dryrun:
        return validation_steps.plan_teachers(run, asked.teachers, how)
    return validation_steps.train_teachers(run, asked.teachers, how)


def _student(run: ValidationRun, asked: Asked, how: How) -> tuple[str, dict[str, Any]]:
    if run.dryrun:
        return validation_steps.plan_students(run, asked.model_type, how)
    if run.steps.get("teacher") == "failed":
        return "skipped", {"reason": "no teacher was trained"}
    return validation_steps.train_students(run, asked.model_type, how)


def _optimizer(run: ValidationRun, asked: Asked, how: How) -> tuple[str, dict[str, Any]]:
    if asked.skip_optimizer or run.dryrun:
        reason = "--skip-optimizer" if asked.skip_optimizer else "dry run: nothing was evaluated"
        return "skipped", {"reason": reason}
    return validation_steps.optimize(run, asked.teachers, how)


def _reports(run: ValidationRun, asked: Asked, how: How) -> tuple[str, dict[str, Any]]:
    if asked.skip_reports:
        return "skipped", {"reason": "--skip-reports"}
    return validation_steps.report(run)


def _summary(run: ValidationRun, asked: Asked, how: How) -> tuple[str, dict[str, Any]]:
    return validation_steps.summarise(run)


def _state(run: ValidationRun, asked: Asked, how: How) -> tuple[str, dict[str, Any]]:
    return validation_steps.record(run, str(run.summary.get("status", "failed")), how)


STEP: Final[Mapping[str, Step]] = {
    "teacher": _teacher, "student": _student, "optimizer": _optimizer, "reports": _reports, "summary": _summary,
    "state": _state,
}  # fmt: skip


def cancel(run_id: str, *, by: str, at: dt.datetime) -> ValidationRun:
    """Stop a run after the window it is at; NotAllowed when it has ended."""
    won = ValidationRun.objects.filter(run_id=run_id, status__in=OPEN).update(status="cancelled", finished_at=at)
    run = find(run_id)
    if not won:
        raise NotAllowed(f"{run_id} is {run.status} and cannot be cancelled", fix="nothing is left to do")
    for batch in TrainingBatch.objects.filter(batch_id=run_id, status__in=batches.OPEN):
        batches.cancel(batch.pk, by=by, at=at)
    log.info("validation cancelled", run=run_id, by=by)
    return run
