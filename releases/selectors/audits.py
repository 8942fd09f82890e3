"""Audits, as pages, the API and the schedule ask for them."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from releases.core.audit_states import DONE, OPEN, QUEUED, RUNNING
from releases.core.states import ABORTED, REFUSED, ROLLED_BACK, SUPERSEDED
from releases.models import Audit, Release, ReleaseEvent, ReleaseSignOff

OVER = (ABORTED, REFUSED, ROLLED_BACK, SUPERSEDED)
BACK = 3  # releases one may have to go back


def audits() -> QuerySet[Audit]:
    """Return every audit, the newest first."""
    return Audit.objects.all()


def newest() -> Audit | None:
    """Return the newest audit that was finished; None when there is none."""
    return Audit.objects.filter(state=DONE).first()


def due(at: dt.datetime) -> QuerySet[Audit]:
    """Return the planned audits whose time has come, the oldest first."""
    return Audit.objects.filter(state=QUEUED, due_at__lte=at).order_by("id")


def running() -> QuerySet[Audit]:
    """Return the audits that are under way, or whose process died."""
    return Audit.objects.filter(state=RUNNING)


def open_ones() -> QuerySet[Audit]:
    """Return the audits that have not ended."""
    return Audit.objects.filter(state__in=OPEN)


def rollbacks(since: dt.datetime) -> QuerySet[ReleaseEvent]:
    """Return the rollbacks after ``since``, the oldest first."""
    return ReleaseEvent.objects.filter(new=ROLLED_BACK, at__gt=since).order_by("id")


def sign_offs(audit: Audit) -> QuerySet[ReleaseSignOff]:
    """Return the signatures that are bound to an audit's bundle and flags, revoked ones included, the oldest first."""
    return ReleaseSignOff.objects.filter(audit_sha256=audit.bundle_sha256, flags_sha256=audit.flags_sha256)


def needed() -> set[int]:
    """Return the audits that releases need: those that trade, may trade yet, or are one of three to go back to."""
    rows = {pk: (state, previous, audit) for pk, state, previous, audit in
            Release.objects.values_list("pk", "state", "previous_id", "audit_id")}  # fmt: skip
    found = {pk for pk, (state, _, _) in rows.items() if state not in OVER}
    layer = found
    for _ in range(BACK):
        layer = {rows[pk][1] for pk in layer} - {None}
        found |= layer
    return {rows[pk][2] for pk in found} - {None}


def bundles_before(day: dt.datetime, *, archived: bool) -> QuerySet[Audit]:
    """Return finished audits older than ``day`` whose files are there: those in the archive, or those that are not."""
    rows = Audit.objects.filter(state=DONE, finished_at__lt=day, deleted_at=None)
    return rows.filter(archived_at__isnull=not archived).order_by("id")
