"""How much the ledger has not taken in yet, asked in two statements: the page of the ledger shows it."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from django.db import connection
from django.db.models import F

from releases.models import LedgerArchive, LedgerEntry
from releases.services.ledger import BATCH, KINDS, NEAR, missing

TABLE: Final = LedgerEntry._meta.db_table
Values = tuple[Any, ...]


def waiting_now(most: int = BATCH) -> int:
    """Return how many rows the next look would take in, ``most`` at most: what a page can afford to ask."""
    archives, near = list(LedgerArchive.objects.all()), _newest()
    parts, given = [], []
    for name in KINDS:
        text, values = _asking(name, connection.vendor)
        where, more = _after(near.get(name, 0) - NEAR if name in near else 0, name, archives)
        parts.append(f"(SELECT count(*) FROM (SELECT 1 FROM ({text}) q WHERE {where} LIMIT %s) n)")  # noqa: S608
        given += [*values, *more, most]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {' + '.join(parts)}", given)
        return min(most, int(cursor.fetchone()[0]))


def _after(floor: int, name: str, archives: list[LedgerArchive]) -> tuple[str, list[int]]:
    """Return which of a kind's rows are looked at: those above ``floor`` that no archive has taken."""
    where, given = "q.k > %s", [floor]
    for archive in archives:
        if name in archive.taken:
            below, others = archive.taken[name]
            where += " AND q.k > %s" + (f" AND q.k NOT IN ({', '.join(['%s'] * len(others))})" if others else "")
            given += [below, *others]
    return where, given


def _newest() -> dict[str, int]:
    """Return the newest row the ledger has of each kind of which only the newest are looked at."""
    names = [kind.name for kind in KINDS.values() if not kind.few]
    each = f"(SELECT max(source) FROM {TABLE} WHERE kind = %s)"  # noqa: S608 - our own table
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join([each] * len(names))}", names)
        return {name: found or 0 for name, found in zip(names, cursor.fetchone(), strict=True)}


@cache
def _asking(name: str, vendor: str) -> tuple[str, Values]:
    """Return the statement that finds a kind's rows that are not in the ledger, written once a process."""
    text, given = missing(KINDS[name]).order_by().annotate(k=F("pk")).values("k").query.sql_with_params()
    return str(text), tuple(given)
