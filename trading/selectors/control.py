"""What stops trading and what the books disagree about, as pages and the API ask for it."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, QuerySet

from trading.models import Difference, EngineRun, Halt

LIVING = ("starting", "running", "suspended")


def halts() -> QuerySet[Halt]:
    """Return every halt, the newest first, with its run."""
    return Halt.objects.select_related("run")


def engaged(kind: str) -> Halt | None:
    """Return the halt of ``kind`` that is engaged now; None when there is none."""
    return Halt.objects.filter(kind=kind, released_at=None).first()


def differences(*, open_now: bool | None = None) -> QuerySet[Difference]:
    """Return differences, the newest first: all, those open in a run that no later one has replaced, or the others."""
    rows = Difference.objects.select_related("run")
    if open_now is None:
        return rows
    is_open = Q(gone_at=None, run__current=True)
    return rows.filter(is_open) if open_now else rows.exclude(is_open)


def runs() -> list[EngineRun]:
    """Return the runs whose risk matters now: those that trade or would go on to, else the newest one."""
    current = EngineRun.objects.filter(current=True).order_by("-id")
    return list(current.filter(state__in=LIVING)) or list(current[:1])


def breakers(since: dt.datetime) -> QuerySet[Halt]:
    """Return the breakers that have tripped after ``since``, the oldest first; those of replays are no incident."""
    rows = Halt.objects.filter(kind="breaker", engaged_at__gt=since).exclude(run__mode="replay")
    return rows.order_by("engaged_at", "id")
