"""What was killed half-way is taken up: by the next bell, by the next look of the watch, or by hand."""

from __future__ import annotations

import datetime as dt

from releases.core import steps
from releases.models import Operation
from releases.services import deploying, operations, rolling_back
from sensequant.lib.errors import NotAllowed, NotFound

TABLES = {steps.DEPLOY: deploying.STEPS, steps.ROLLBACK: rolling_back.STEPS}


def resume(*, at: dt.datetime) -> Operation:
    """Carry on the operation under way; NotFound when there is none, NotAllowed while another process does."""
    row = operations.running()
    if row is None:
        raise NotFound("no operation is under way", fix="nothing to take up")
    return operations.carry_on(row, TABLES[row.kind], at=at)


def resume_if_any(*, at: dt.datetime) -> Operation | None:
    """Carry on what was left, if anything was and nobody else carries it on."""
    row = operations.running()
    if row is None:
        return None
    try:
        return operations.carry_on(row, TABLES[row.kind], at=at)
    except NotAllowed:
        return None
