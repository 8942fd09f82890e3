"""Doorbells: ids in, one service call. Batches and validations run in processes of their own, so nothing waits."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, Final

from celery import shared_task
from django.conf import settings

from models_ml.selectors import batches, optimizations
from models_ml.services import schedules, trials, window_work
from sensequant.lib import jobs
from sensequant.lib.clock import ist, now
from sensequant.lib.errors import Unavailable
from sensequant.lib.fan_out import Work
from sensequant.lib.logs import get_logger
from trading.services import calendar

log = get_logger("tasks")


@shared_task(ignore_result=True)
def run_optimization(*, run_id: int) -> None:
    """Execute a queued optimisation; its result and its errors are kept on its row."""
    if optimizations.waits(run_id):
        _command("optimize", "--run", str(run_id))


@shared_task(ignore_result=True)
def evaluate_trials(*, ids: list[int]) -> None:
    """Try some configurations; delivered again it finds their rows settled."""
    for each in ids:
        trials.evaluate(each)


def teacher_window(number: int) -> None:
    """Train the teacher of a queued window."""
    window_work.train_teacher(number, clock=now)


def student_window(number: int) -> None:
    """Train the student of a queued window."""
    window_work.train_student(number, clock=now)


@shared_task(ignore_result=True, acks_late=True)
def train_teacher_window(*, ids: list[int]) -> None:
    """Train the teachers of queued windows; a message that comes twice changes nothing."""
    for each in ids:
        teacher_window(each)


@shared_task(ignore_result=True, acks_late=True)
def train_student_window(*, ids: list[int]) -> None:
    """Train the students of queued windows; a message that comes twice changes nothing."""
    for each in ids:
        student_window(each)


WORKS: Final = {
    "teacher": Work(teacher_window, "models_ml.tasks.train_teacher_window"),
    "student": Work(student_window, "models_ml.tasks.train_student_window"),
}


@shared_task(ignore_result=True)
def run_training_batch(*, kind: str, batch_id: int) -> None:
    """Execute a batch the page or a script queued; its windows and its errors are kept on its rows."""
    if batches.waits(batch_id):
        _command(f"train_{kind}_batch", "--run", str(batch_id))


@shared_task(ignore_result=True)
def run_validation(*, run_id: str) -> None:
    """Execute a validation the page or a script queued; its steps and its errors are kept on its row."""
    if batches.validation_waits(run_id):
        _command("run_model_validation", "--run", run_id)


@shared_task(ignore_result=True)
def ring_again() -> None:
    """Ring for the optimisations, batches and validations that were asked for and whose message Redis lost."""
    before = now() - jobs.PATIENCE
    jobs.ring_again(run_optimization, "run_id", optimizations.queued(before))
    jobs.ring_again(run_validation, "run_id", batches.queued_validations(before))
    for kind in ("teacher", "student"):
        found = batches.queued(kind, before)
        jobs.ring_again(run_training_batch, "batch_id", found, kind=kind)


@shared_task(ignore_result=True)
def learn_this_evening() -> None:
    """Review the session, where today was one; in a process of its own, which may load what trains."""
    if calendar.current().is_session(ist(now()).date()):
        _command("eod_learning")


@shared_task(ignore_result=True, bind=True, max_retries=schedules.PATIENCE)
def update_models(self: Any) -> None:
    """Train on what is new since the last update, when INCREMENTAL_ENABLED; after the bars of the day are fetched."""
    try:
        words = schedules.update(at=now(), last_try=self.request.retries >= schedules.PATIENCE)
    except Unavailable as error:
        raise self.retry(exc=error, countdown=schedules.WAIT) from None
    for word in words:
        if not _command(*word):
            return


def _command(*words: str) -> bool:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *words, "--json"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    if done.returncode:
        log.error("command failed", command=" ".join(words), code=done.returncode, error=done.stderr.strip()[-500:])
    else:
        log.info("command done", command=" ".join(words), outcome=done.stdout.strip()[-300:])
    return done.returncode == 0
