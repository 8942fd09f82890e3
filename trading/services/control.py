"""What an operator may tell a running engine; it reads these switches several times a second."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from sensequant.lib.logs import get_logger
from trading.models.engine import EngineRun
from trading.services import deeds

FASTEST = 36_000.0
LIVING = ("starting", "running", "suspended")
log = get_logger("control")


def pause_entries(run_id: int, *, by: str, at: dt.datetime) -> EngineRun:
    """Stop new entries; exits go on."""
    return _switch(run_id, by, at, entries_paused=True)


def resume_entries(run_id: int, *, by: str, at: dt.datetime) -> EngineRun:
    """Let entries through again."""
    return _switch(run_id, by, at, entries_paused=False)


def hold(run_id: int, *, by: str, at: dt.datetime) -> EngineRun:
    """Let a replay stand still."""
    return _switch(run_id, by, at, held=True)


def play(run_id: int, *, by: str, at: dt.datetime) -> EngineRun:
    """Let a replay go on, a stopped one included."""
    run = _find(run_id)
    if run.state in ("finished", "failed"):
        raise NotAllowed(f"run {run_id} has {run.state}", fix="start a new run")
    return _switch(run_id, by, at, held=False, stop_requested=False)


def set_speed(run_id: int, speed: float, *, by: str, at: dt.datetime) -> EngineRun:
    """Set how many market seconds pass in a second; 0 is as fast as it goes."""
    if not 0 <= speed <= FASTEST:
        raise BadInput(f"speed {speed} is out of bounds", fix=f"use 0 (as fast as it goes) to {FASTEST:.0f}")
    return _switch(run_id, by, at, speed=float(speed))


def stop(run_id: int, *, by: str, at: dt.datetime) -> EngineRun:
    """End the run after the bar it is in; its state is kept."""
    return _switch(run_id, by, at, stop_requested=True)


def _find(run_id: int) -> EngineRun:
    run = EngineRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFound(f"there is no engine run {run_id}", fix="look at the list of runs")
    return run


def _switch(run_id: int, by: str, at: dt.datetime, **changes: Any) -> EngineRun:
    run = _find(run_id)
    if run.state not in LIVING and not (run.state == "stopped" and changes.get("stop_requested") is False):
        raise NotAllowed(f"run {run_id} has {run.state}; it takes no more commands", fix="start a new run")
    with transaction.atomic():
        EngineRun.objects.filter(pk=run_id).update(**changes)
        deeds.record("operator command", f"run {run_id}", by=by, at=at, **changes)
    log.info("operator command", run=run_id, by=by, **changes)
    run.refresh_from_db()
    return run
