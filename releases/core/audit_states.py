"""How an audit goes, and how long its bundle is kept where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
STATES: Final = (QUEUED, RUNNING, DONE, FAILED, CANCELLED)
NEXT: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    QUEUED: (RUNNING, CANCELLED),
    RUNNING: (DONE, FAILED, CANCELLED),
    DONE: (),
    FAILED: (QUEUED,),
    CANCELLED: (),
})  # fmt: skip
"""Which move is legal from where; a failed one may be tried again."""

MANUAL, MONTHLY, INCIDENT, ROLLBACK = "manual", "monthly", "incident", "rollback"
CAUSES: Final = (MANUAL, MONTHLY, INCIDENT, ROLLBACK)

OPEN: Final = (QUEUED, RUNNING)
STEPS: Final = ("collect", "validate", "judge", "draw", "write")
ARCHIVED_AFTER, KEPT = 6, 12  # months


def months_before(day: dt.date, months: int) -> dt.date:
    """Return the day so many months earlier, the month's last where there is no such day."""
    count = day.year * 12 + day.month - 1 - months
    year, month = divmod(count, 12)
    for last in range(day.day, 27, -1):
        try:
            return dt.date(year, month + 1, last)
        except ValueError:
            continue
    return dt.date(year, month + 1, min(day.day, 28))
