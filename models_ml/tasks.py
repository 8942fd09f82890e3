"""Doorbells: ids in, one service call."""

from __future__ import annotations

import subprocess
import sys

from celery import shared_task
from django.conf import settings

from models_ml.services import trials
from sensequant.lib.clock import ist, now
from sensequant.lib.logs import get_logger
from trading.services import calendar

log = get_logger("tasks")


@shared_task(ignore_result=True)
def run_optimization(*, run_id: int) -> None:
    """Execute a queued optimisation in a process of its own; its result and its errors are kept on its row."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "optimize", "--run", str(run_id), "--json"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    if done.returncode:
        log.error("optimisation failed", run=run_id, code=done.returncode, error=done.stderr.strip()[-500:])


@shared_task(ignore_result=True)
def evaluate_trial(*, id: int) -> None:
    """Try one configuration; delivered again it finds its row settled."""
    trials.evaluate(id)


@shared_task(ignore_result=True)
def learn_this_evening() -> None:
    """Review the session, where today was one; in a process of its own, which may load what trains."""
    if not calendar.current().is_session(ist(now()).date()):
        return
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "eod_learning", "--json"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    if done.returncode:
        log.error("the evening's learning failed", code=done.returncode, error=done.stderr.strip()[-500:])
