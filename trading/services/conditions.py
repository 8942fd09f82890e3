"""What is wrong now, as rows: raised once, kept while it holds, closed when it is over; monitoring reads them."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction

from sensequant.lib.logs import get_logger
from trading.models.broker import Condition

log = get_logger("conditions")
FRESH = dt.timedelta(seconds=20)  # a condition that goes on is marked so this often


def hold(
    code: str, *, level: str, message: str, at: dt.datetime, subject: str = "", fix: str = ""
) -> Condition:  # fmt: skip
    """Return the open condition ``code`` of ``subject``, raised now unless it already holds."""
    known = Condition.objects.filter(code=code, subject=subject, until=None).first()
    if known is None:
        try:
            with transaction.atomic():
                found = Condition.objects.create(
                    code=code, subject=subject, level=level, message=message[:400], fix=fix[:300], since=at, seen_at=at
                )
        except IntegrityError:  # another process was first
            return Condition.objects.get(code=code, subject=subject, until=None)
        log.warning("condition raised", code=code, subject=subject, level=level, told=message)
        return found
    if at - known.seen_at >= FRESH or (known.message, known.level) != (message[:400], level):
        known.seen_at, known.message, known.level, known.fix = at, message[:400], level, fix[:300]
        known.save(update_fields=["seen_at", "message", "level", "fix"])
    return known


def clear(code: str, *, at: dt.datetime, subject: str | None = None) -> int:
    """Close the open condition ``code`` of ``subject`` (None: of every subject) and return how many were open."""
    rows = Condition.objects.filter(code=code, until=None)
    if subject is not None:
        rows = rows.filter(subject=subject)
    closed = rows.update(until=at)
    if closed:
        log.info("condition over", code=code, subject=subject or "")
    return closed


def holds(code: str, subject: str = "") -> bool:
    """Say whether the condition ``code`` of ``subject`` is open."""
    return Condition.objects.filter(code=code, subject=subject, until=None).exists()


def keep(
    holds: bool, code: str, *, level: str, message: str, at: dt.datetime, subject: str = "", fix: str = ""
) -> None:  # fmt: skip
    """Raise the condition while it ``holds`` and close it when it does not."""
    if holds:
        hold(code, level=level, message=message, at=at, subject=subject, fix=fix)
    else:
        clear(code, at=at, subject=subject)
