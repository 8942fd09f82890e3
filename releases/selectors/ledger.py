"""What pages and the API show of the ledger."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import QuerySet

from releases.models import LedgerArchive, LedgerCheck, LedgerEntry, LedgerHead
from trading.selectors.rest import span


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list was narrowed to; empty does not narrow. Words are the beginnings of what they look for,
    letter for letter.
    """

    actor: str = ""
    action: str = ""
    object: str = ""
    start: dt.date | None = None
    end: dt.date | None = None


def entries(asked: Asked) -> QuerySet[LedgerEntry]:
    """Return the entries that match, the newest first; BadInput for days in the wrong order."""
    rows = LedgerEntry.objects.order_by("-seq")
    for name in ("actor", "action", "object"):
        if word := getattr(asked, name).strip():
            rows = rows.filter(**{f"{name}__startswith": word})
    since, until = span(asked.start, asked.end)
    if since:
        rows = rows.filter(at__gte=since)
    return rows.filter(at__lt=until) if until else rows


def entry(seq: int) -> LedgerEntry | None:
    """Return one entry; None when there is none, or when it lies in an archive."""
    return LedgerEntry.objects.filter(seq=seq).first()


def about(row: LedgerEntry) -> QuerySet[LedgerEntry]:
    """Return what else the ledger says about the object of an entry, the newest first."""
    return LedgerEntry.objects.filter(object=row.object).exclude(seq=row.seq).order_by("-seq")


def heads() -> QuerySet[LedgerHead]:
    """Return the signed heads, the newest first."""
    return LedgerHead.objects.order_by("-id")


def archives() -> QuerySet[LedgerArchive]:
    """Return the archives, the oldest entries first."""
    return LedgerArchive.objects.order_by("through")


def checks() -> QuerySet[LedgerCheck]:
    """Return the readings, the newest first."""
    return LedgerCheck.objects.order_by("-asked_at", "-id")
