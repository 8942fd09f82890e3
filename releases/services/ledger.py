"""The ledger takes in what happened: from rows that are only added, each exactly once, into one chain.

Upper layers pull: whatever was done was committed by its own service, and this finds it within seconds, whoever runs it
and however many at a time. A row whose transaction became visible later than younger ones is found too: what is asked
for is never "newer than the last", but "not yet in the ledger".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from models_ml.selectors import history as of_models
from monitoring.selectors import history as of_monitoring
from releases.core import ledger as core
from releases.core.ledger import Entry
from releases.models import LedgerArchive, LedgerEntry
from releases.selectors import history as of_releases
from sensequant.lib import crash
from sensequant.lib.history import Kind, Told
from sensequant.lib.logs import get_logger
from trading.core.chain import Start
from trading.selectors import history as of_trading

KINDS: Final = {each.name: each for part in (of_trading, of_models, of_monitoring, of_releases) for each in part.KINDS}
BATCH: Final = 2_000  # entries of one transaction
NEAR: Final = 500  # rows behind the newest that every look goes through again; the sweep goes through all
TRIES: Final = 20
TURN: Final = 0x5E_4E_0E_09  # of PostgreSQL's advisory lock: one process appends at a time
ASKED: Final = 500  # objects of one question
NEWEST: Final = (
    "WITH asked(name) AS (VALUES {rows}) SELECT name, (SELECT e.after_sha FROM "  # noqa: S608 - our own table
    f"{LedgerEntry._meta.db_table} e WHERE e.object = asked.name ORDER BY e.seq DESC LIMIT 1) FROM asked"
)
log = get_logger("ledger")


class New(NamedTuple):
    """One row that is not in the ledger yet."""

    kind: str
    source: int
    told: Told


def pull(*, at: dt.datetime, whole: bool = False) -> int:
    """Take in whatever happened since, and return how many entries that made; ``whole`` looks at every source row."""
    taken = 0
    while found := _new(whole=whole):
        taken += _append(found, at)
    return taken


def start() -> Start:
    """Return what stands before the first entry that is still a row: the end of the last archive."""
    last = LedgerArchive.objects.order_by("-through").first()
    return Start(last.through, last.digest) if last else Start()


def head() -> Start:
    """Return number and digest of the newest entry."""
    newest = LedgerEntry.objects.order_by("-seq").values_list("seq", "digest").first()
    return Start(*newest) if newest else start()


def waiting() -> int:
    """Return how many source rows are not in the ledger yet."""
    archives = list(LedgerArchive.objects.all())
    return sum(_missing(kind, archives, whole=True).count() for kind in KINDS.values())


def _new(*, whole: bool) -> list[New]:
    """Return at most a batch of rows that are not in the ledger, in the order in which they happened."""
    archives = list(LedgerArchive.objects.all())
    found = [
        New(kind.name, row.pk, kind.tell(row))
        for kind in KINDS.values()
        for row in _missing(kind, archives, whole=whole).order_by("pk")[:BATCH]
    ]
    return sorted(found, key=lambda each: (each.told.at, each.kind, each.source))[:BATCH]


def missing(kind: Kind) -> QuerySet[Any]:
    """Return the rows of a kind that are not in the ledger, archives not considered."""
    return kind.rows().filter(~Exists(LedgerEntry.objects.filter(kind=kind.name, source=OuterRef("pk"))))


def _missing(kind: Kind, archives: Iterable[LedgerArchive], *, whole: bool) -> QuerySet[Any]:
    rows = missing(kind)
    for archive in archives:
        if kind.name in archive.taken:
            below, others = archive.taken[kind.name]
            rows = rows.filter(pk__gt=below).exclude(pk__in=others)
    if kind.few or whole:
        return rows
    newest = LedgerEntry.objects.filter(kind=kind.name).aggregate(newest=Max("source"))["newest"] or 0
    return rows.filter(pk__gt=newest - NEAR)


def _append(found: list[New], at: dt.datetime) -> int:
    """Append what is still missing, in one transaction; whoever else appends meanwhile waits or is taken note of."""
    for left in reversed(range(TRIES)):
        try:
            with transaction.atomic():
                _take_turn()
                entries = _entries(_still_missing(found), at)
                LedgerEntry.objects.bulk_create([LedgerEntry(**each._asdict()) for each in entries])
                crash.point("ledger-appended")
        except IntegrityError:
            if not left:
                raise
        else:
            crash.point("ledger-committed")
            return len(entries)
    raise AssertionError("unreachable")


def _take_turn() -> None:
    """Let one transaction append at a time; SQLite's have taken turns at BEGIN already."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])


def _still_missing(found: list[New]) -> list[New]:
    known: set[tuple[str, int]] = set()
    for kind in {each.kind for each in found}:
        mine = [each.source for each in found if each.kind == kind]
        # the range spares planners from reading every entry of the kind
        near = LedgerEntry.objects.filter(kind=kind, source__range=(min(mine), max(mine)))
        rows = near.filter(source__in=mine).values_list("source", flat=True)
        known |= {(kind, source) for source in rows}
    return [each for each in found if (each.kind, each.source) not in known]


def _entries(found: list[New], at: dt.datetime) -> list[Entry]:
    number, previous = head()
    latest = _latest({core.clean("object", each.told.object) for each in found})
    entries = []
    for number, each in enumerate(found, number + 1):  # noqa: B020 - it counts on from where the chain ends
        told = each.told
        words = {name: core.clean(name, getattr(told, name)) for name in core.LENGTHS}
        entry = core.sealed(Entry(
            seq=number, at=told.at, recorded_at=at, kind=each.kind, source=each.source,
            content=core.canonical(told.content), before_sha=latest.get(words["object"], ""), after_sha="",
            previous=previous, digest="", **words,
        ))  # fmt: skip
        latest[entry.object], previous = entry.after_sha, entry.digest
        entries.append(entry)
    return entries


def _latest(objects: set[str]) -> dict[str, str]:
    """Return what the newest entry about each object has for its content: one look into the index an object."""
    found, wanted = {}, sorted(objects)
    with connection.cursor() as cursor:
        for k in range(0, len(wanted), ASKED):
            names = wanted[k : k + ASKED]
            cursor.execute(NEWEST.format(rows=", ".join(["(%s)"] * len(names))), names)
            found.update({name: sha for name, sha in cursor.fetchall() if sha is not None})
    return found
