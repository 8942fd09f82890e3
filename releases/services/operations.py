"""Deployments and rollbacks as journals: begun once, taken up where they were killed, carried to their end.

One process carries one on, under a lease; a step's row is its proof. The switch writes its row in the transaction that
switches.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from django.db import IntegrityError, transaction

from releases.core import steps
from releases.models import Operation, OperationStep
from sensequant.lib import crash
from sensequant.lib.errors import NotAllowed, NotFound, SenseQuantError
from sensequant.lib.logs import get_logger
from trading.services import leases

LEASE, TTL = "release-operation", 120.0
Step = Callable[[Operation, dt.datetime], dict[str, Any]]
log = get_logger("releases")


def begin(kind: str, values: Mapping[str, Any]) -> Operation:
    """Return a new operation; NotAllowed while another is under way."""
    try:
        with transaction.atomic():
            return Operation.objects.create(kind=kind, **values)
    except IntegrityError:
        other = running()
        raise NotAllowed(
            f"{other or 'another operation'} is under way", fix="wait, or take it up: manage.py release_status --resume"
        ) from None


def running() -> Operation | None:
    """Return the operation under way, or None."""
    return Operation.objects.filter(state="running").select_related("release").first()


def find(number: int) -> Operation:
    """Return an operation; NotFound when there is none of this number."""
    row = Operation.objects.filter(pk=number).first()
    if row is None:
        raise NotFound(f"there is no operation {number}", fix="see /releases")
    return row


def told(operation: Operation, step: str) -> dict[str, Any]:
    """Return what a step that was taken found; empty for one that was not."""
    row = operation.steps.filter(step=step).first()
    return dict(row.told) if row is not None else {}


def carry_on(operation: Operation, table: Mapping[str, Step], *, at: dt.datetime) -> Operation:
    """Take every step that is left and return the operation, done.

    What fails before the switch ends it, the old release whole; what fails after it is raised and stays to be taken
    up, the new one whole. NotAllowed while another process carries it on.
    """
    lease = leases.take(LEASE, leases.myself(), ttl=TTL)
    try:
        done = set(operation.steps.values_list("step", flat=True))
        for step in steps.left(operation.kind, done):
            crash.point(f"{operation.kind}-{step}")
            _take(operation, step, table[step], at)
            done.add(step)
            crash.point(f"{operation.kind}-{step}-done")
            leases.renew(lease, ttl=TTL)
        _finish(operation, "done", at)
    except SenseQuantError as error:
        _failed(operation, set(operation.steps.values_list("step", flat=True)), error, at)
        raise
    finally:
        leases.release(lease)
    return operation


def _take(operation: Operation, step: str, do: Step, at: dt.datetime) -> None:
    if step != steps.SWITCH:
        OperationStep.objects.create(operation=operation, step=step, at=at, told=do(operation, at))
        return
    with transaction.atomic():
        found = do(operation, at)
        OperationStep.objects.create(operation=operation, step=step, at=at, told=found)
        crash.point(f"{operation.kind}-{step}-uncommitted")


def _failed(operation: Operation, done: set[str], error: SenseQuantError, at: dt.datetime) -> None:
    if steps.may_abort(operation.kind, done):
        _finish(operation, "failed", at, error=str(error))
    else:
        Operation.objects.filter(pk=operation.pk).update(error=str(error))
    log.error("an operation did not go through", operation=str(operation), done=sorted(done), error=str(error))


def _finish(operation: Operation, state: str, at: dt.datetime, error: str = "") -> None:
    Operation.objects.filter(pk=operation.pk, state="running").update(state=state, finished_at=at, error=error)
    operation.refresh_from_db()
