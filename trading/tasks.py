"""Doorbells: ids in, one service call. A backtest runs in a process of its own, so nothing waits for it."""

from __future__ import annotations

import subprocess
import sys

from celery import shared_task
from django.conf import settings

from sensequant.lib.logs import get_logger
from trading.services import snapshots

log = get_logger("tasks")


@shared_task(ignore_result=True)
def run_backtest(*, run_id: int) -> None:
    """Execute a queued backtest; its result and its errors are kept on its row."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "backtest", "--run", str(run_id), "--json"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    if done.returncode:
        log.error("backtest failed", run=run_id, code=done.returncode, error=done.stderr.strip()[-500:])


@shared_task(ignore_result=True)
def fetch_snapshots() -> None:
    """Fetch the sentiment snapshots that are new since the last time, where they are switched on."""
    done = snapshots.scheduled()
    log.info("sentiment snapshots", fetched=done)
