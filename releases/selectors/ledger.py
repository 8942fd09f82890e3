"""What pages and the API show of the ledger."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import F, QuerySet

from releases.models import LedgerArchive, LedgerCheck, LedgerEntry, LedgerHead
from trading.selectors.rest import span

NEAR: Final = 20_000
"""Entries behind the newest one in which a common word fills its first pages."""
FILLED: Final = 200
"""Entries that fill two pages: a word with as many among the newest is read from the newest down."""


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


class Rare(QuerySet[LedgerEntry]):
    """Entries whose words are rare among the newest: the index of the word finds their numbers, then come the rows.

    PostgreSQL takes matches to be spread evenly, and would read every entry from the newest down to the first match.
    """

    def __getitem__(self, key: Any) -> Any:
        """Return a stretch of an ordered list by its numbers; anything else as it is."""
        if not isinstance(key, slice) or not self.query.order_by or self.query.values_select:
            return super().__getitem__(key)
        found = self.order_by((F("seq") + 0).desc()).values_list("seq", flat=True)
        return LedgerEntry.objects.filter(seq__in=list(found[key])).order_by("-seq")


def entries(asked: Asked) -> QuerySet[LedgerEntry]:
    """Return the entries that match, the newest first; BadInput for days in the wrong order."""
    rows, words = LedgerEntry.objects.order_by("-seq"), [asked.actor, asked.action, asked.object]
    for name, word in zip(("actor", "action", "object"), words, strict=True):
        if word.strip():
            rows = rows.filter(**{f"{name}__startswith": word.strip()})
    since, until = span(asked.start, asked.end)
    if since:
        rows = rows.filter(at__gte=since)
    rows = rows.filter(at__lt=until) if until else rows
    return Rare(LedgerEntry, rows.query) if any(map(str.strip, words)) and _rare(rows) else rows


def _rare(rows: QuerySet[LedgerEntry]) -> bool:
    """Say whether the newest entries would not fill a page."""
    newest = LedgerEntry.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
    return rows.order_by().filter(seq__gt=newest - NEAR)[:FILLED].count() < FILLED


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
