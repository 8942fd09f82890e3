"""Audits nobody asks for by hand: one a month, and one after a breaker tripped or a release was rolled back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from releases.core.audit_states import FAILED, INCIDENT, MONTHLY, ROLLBACK, RUNNING
from releases.models import Audit
from releases.selectors import audits as asked
from releases.services import audits
from sensequant.lib.clock import IST, ist
from sensequant.lib.errors import NotAllowed
from sensequant.lib.logs import get_logger
from trading.selectors import control
from trading.services import calendar, leases

BY: Final = "schedule"
HOUR: Final = 20  # of an evening, IST
FIRST_DAYS: Final = 7  # of a month, on which its audit is made up for when the desk was off on the first
REMEMBERED: Final = dt.timedelta(days=3)
AFTER_CLOSE: Final = dt.timedelta(minutes=45)
log = get_logger("audits")


def plan(*, at: dt.datetime) -> list[Audit]:
    """Return the audits that are to be carried out now: what has to be planned was, each only once.

    One whose process died is failed first, so that the page does not show it running for ever.
    """
    _bury(at)
    for trigger, cause, due in (*_monthly(at), *_incidents(at)):
        audits.keep(audits.Asked(), by=BY, at=at, cause=cause, trigger=trigger, due=due)
    return list(asked.due(at))


def _monthly(at: dt.datetime) -> Iterator[tuple[str, str, dt.datetime]]:
    here = ist(at)
    if here.day <= FIRST_DAYS and here.hour >= HOUR:
        yield f"monthly:{here:%Y-%m}", MONTHLY, at


def _incidents(at: dt.datetime) -> Iterator[tuple[str, str, dt.datetime]]:
    since = at - REMEMBERED
    for halt in control.breakers(since):
        yield f"breaker:{halt.pk}", INCIDENT, quiet(at)
    for event in asked.rollbacks(since):
        yield f"rollback:{event.pk}", ROLLBACK, quiet(at)


def quiet(at: dt.datetime) -> dt.datetime:
    """Return the next moment at which an audit takes no time from a session: now, or after today's close."""
    session = calendar.current().session(ist(at).date())
    if session is None or not session.open.astimezone(IST) - AFTER_CLOSE <= at < session.close + AFTER_CLOSE:
        return at
    return session.close + AFTER_CLOSE


def _bury(at: dt.datetime) -> None:
    for audit in asked.running():
        try:
            held = leases.take(audits.lease(audit), leases.myself(), ttl=leases.TTL)
        except NotAllowed:
            continue
        Audit.objects.filter(pk=audit.pk, state=RUNNING).update(state=FAILED, error="its process died", finished_at=at)
        audits.discard(audit)
        leases.release(held)
        log.warning("the process of an audit died", audit=audit.audit_id)
