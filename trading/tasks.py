"""Doorbells: ids in, one service call. A backtest runs in a process of its own, so nothing waits for it."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down
from django.conf import settings

from sensequant.lib import jobs
from sensequant.lib.clock import now
from sensequant.lib.errors import Unavailable
from sensequant.lib.logs import get_logger
from trading.selectors import backtests
from trading.services import closes, engine_desk, fetch_orders, instruments, retention, snapshots, ticks
from trading.services.market_clock import addresses, market_clock

ENGINE_QUEUE = "engine"  # of one solo worker, which an engine occupies for a whole session
log = get_logger("tasks")


@shared_task(ignore_result=True)
def run_backtest(*, run_id: int) -> None:
    """Execute a queued backtest; its result and its errors are kept on its row. One that has ended is let be."""
    if not backtests.waits(run_id):
        return
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "backtest", "--run", str(run_id), "--json"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    if done.returncode:
        log.error("backtest failed", run=run_id, code=done.returncode, error=done.stderr.strip()[-500:])


@shared_task(ignore_result=True)
def fetch_history(*, run_id: int) -> None:
    """Do a fetching asked for on the page, in a process of its own; why it could not begin is kept on its row."""
    if not fetch_orders.waits(run_id):
        return
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "fetch_historical_data", "--resume", "--json"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    if done.returncode:
        fetch_orders.give_up(run_id, done.stderr.strip()[-500:], at=now())


@shared_task(ignore_result=True)
def ring_again() -> None:
    """Ring for the backtests and fetchings that were asked for and whose message Redis lost."""
    at = now()
    jobs.ring_again(run_backtest, "run_id", backtests.queued(at - jobs.PATIENCE))
    jobs.ring_again(fetch_history, "run_id", fetch_orders.unattended(at=at))


ENDING = threading.Event()  # set when this worker is told to stop


@worker_shutting_down.connect
def _ending(**_: Any) -> None:
    ENDING.set()


@shared_task(ignore_result=True, acks_late=False)
def keep_engine() -> str:
    """Run the desk's engine, unless somebody does already; a redelivered task finds the lease taken and ends."""
    return engine_desk.serve(ENDING)


@worker_ready.connect
def _begin_at_once(*, sender: Any, **_: Any) -> None:
    """Ring once when a worker of the engine has come up: after a crash nobody waits for the next half minute."""
    if settings.DESK.engine_task and ENGINE_QUEUE in sender.app.amqp.queues.consume_from:
        keep_engine.apply_async(queue=ENGINE_QUEUE, expires=25)


@shared_task(ignore_result=True, autoretry_for=(Unavailable,), retry_backoff=60, max_retries=4)
def read_security_master() -> None:
    """Read the day's security master before the market opens."""
    told = instruments.morning(at=market_clock()(), addresses=addresses())
    log.info("security master", outcome=told)


@shared_task(ignore_result=True)
def renew_ticks() -> None:
    """Renew the price steps that are of a month before; a share whose close cannot be had is tried again later."""
    clock = market_clock()
    done = ticks.refresh_ticks(at=clock(), close_of=closes.closer(clock))
    log.info("ticks renewed", review=done.review, renewed=len(done.ticks), missing=list(done.missing))


@shared_task(ignore_result=True)
def update_history() -> None:
    """Fetch what is new of every series, when INCREMENTAL_ENABLED; in a process of its own, which loads the SDK."""
    if not settings.DESK.incremental_enabled:
        log.debug("the daily update is off", setting="INCREMENTAL_ENABLED")
        return
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "fetch_historical_data", "--incremental", "--json"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    if done.returncode:
        log.error("bars not updated", code=done.returncode, error=done.stderr.strip()[-500:])
    else:
        log.info("bars updated", outcome=done.stdout.strip()[-500:])


@shared_task(ignore_result=True)
def fetch_snapshots() -> None:
    """Fetch the sentiment snapshots that are new since the last time, where they are switched on."""
    done = snapshots.scheduled()
    log.info("sentiment snapshots", fetched=done)


@shared_task(ignore_result=True)
def delete_old_rows() -> None:
    """Delete the rows that are older than they are kept."""
    retention.prune(at=now())
