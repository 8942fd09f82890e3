"""Reading the whole ledger: every entry, every archive, every signed head, and every source row behind an entry."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from monitoring.services import auditing, facts
from releases.core import ledger as core
from releases.core.ledger import COLUMNS, Entry
from releases.models import LedgerArchive, LedgerCheck, LedgerEntry, triggers
from releases.services import ledger, ledger_archives, ledger_heads
from sensequant.lib.errors import SenseQuantError
from trading.core.chain import Break, Walk

CHUNK: Final = 900  # source rows asked for at a time
SMALL: Final = 50_000  # entries that are read while somebody waits
TOLD: Final = 200  # breaks that are told
GROUP: Final = "of the ledger"
SOURCE, HEAD, GUARD, ARCHIVE = "source", "head", "guard", "archive"


@dataclass(slots=True)
class Result:
    """What one reading found; a break of number 0 is about no entry."""

    entries: int = 0
    archived: int = 0
    sources: int = 0
    heads: int = 0
    waiting: int = 0
    last: int = 0
    digest: str = ""
    seconds: float = 0.0
    breaks: list[Break] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Say whether nothing is wrong."""
        return not self.breaks

    def as_json(self) -> dict[str, Any]:
        """Return it as pages, the API and the command tell it; the seq of a break comes first."""
        told = {name: getattr(self, name) for name in ("entries", "archived", "sources", "heads", "waiting", "last",
                                                       "digest")}  # fmt: skip
        breaks = [{"seq": each.number, "what": each.what, "why": each.why, "trail": each.chain} for each in self.breaks]
        return {"sound": self.sound, **told, "seconds": round(self.seconds, 3), "broken": len(breaks),
                "breaks": breaks[:TOLD]}  # fmt: skip


def verify(*, heads: Path | None = None, public: bytes | None = None, sources: bool = True) -> Result:
    """Read everything and say what is wrong; ``heads`` is a copy of the signed heads kept elsewhere."""
    begun, found = time.monotonic(), Result()
    kept = ledger_heads.kept(heads, public=public)
    found.heads = kept.heads
    walk = Walk(core.NAME, anchors=kept.ledger)
    for archive in LedgerArchive.objects.order_by("through"):
        _archive(archive, walk, found, sources=sources)
    _entries(walk, found, sources=sources)
    found.breaks += walk.breaks()
    found.breaks += auditing.breaks(kept.alerts)
    found.breaks += [Break(core.NAME, 0, why, HEAD) for why in kept.wrong]
    found.breaks += [Break(core.NAME, 0, f"the database no longer guards a table: {name} is missing", GUARD)
                     for name in triggers.missing()]  # fmt: skip
    found.breaks.sort(key=lambda each: (each.chain != core.NAME, not each.number, each.number))
    found.entries, found.last, found.digest = walk.count, walk.number, walk.head
    found.waiting = ledger.waiting()
    found.seconds = time.monotonic() - begun
    return found


def _archive(archive: LedgerArchive, walk: Walk, found: Result, *, sources: bool) -> None:
    """Go through an archive's entries; one that cannot be read is told of, and the chain goes on after it."""
    try:
        for chunk in _chunks(ledger_archives.entries(archive)):
            for entry in chunk:
                walk.step(core.link(entry))
            found.archived += len(chunk)
            if sources:
                _compare(chunk, found, gone=True)
    except (SenseQuantError, ValueError) as error:
        found.breaks.append(Break(core.NAME, archive.first, f"archive {archive}: {error}", ARCHIVE))
    if (walk.number, walk.head) != (archive.through, archive.digest):
        why = f"archive {archive} does not end with the entry it was sealed with"
        found.breaks.append(Break(core.NAME, archive.through, why, ARCHIVE))
        walk.pass_over(archive.through, archive.digest)


def _entries(walk: Walk, found: Result, *, sources: bool) -> None:
    rows = LedgerEntry.objects.order_by("seq").values_list(*COLUMNS).iterator(chunk_size=5_000)
    for chunk in _chunks(Entry(*row) for row in rows):
        for entry in chunk:
            walk.step(core.link(entry))
        if sources:
            _compare(chunk, found)


def _chunks(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    chunk: list[Entry] = []
    for entry in entries:
        chunk.append(entry)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _compare(chunk: list[Entry], found: Result, *, gone: bool = False) -> None:
    """Compare entries with the rows they were made of; rows of archived entries may be ``gone`` by now."""
    for name in {each.kind for each in chunk}:
        mine = {each.source: each for each in chunk if each.kind == name}
        kind = ledger.KINDS.get(name)
        if kind is None:
            continue  # of a later version, or an earlier one
        for row in kind.rows().filter(pk__in=[*mine]):
            found.sources += 1
            entry = mine.pop(row.pk)
            if core.sha(core.canonical(kind.tell(row).content)) != core.sha(entry.content):
                why = f"its source, {name} {row.pk}, no longer says the same"
                found.breaks.append(Break(core.NAME, entry.seq, why, SOURCE))
        if not gone:
            found.breaks += [
                Break(core.NAME, entry.seq, f"its source, {name} {source}, is missing", SOURCE)
                for source, entry in mine.items()
            ]


def ask(*, by: str, at: dt.datetime) -> LedgerCheck:
    """Read the ledger for somebody who waits; a long one is left to the process that keeps it."""
    row = LedgerCheck.objects.create(asked_at=at, by=by)
    return carry_out(row, at=at) if ledger.head().number <= SMALL else row


def carry_out(row: LedgerCheck, *, at: dt.datetime) -> LedgerCheck:
    """Read the ledger, keep what came of it on the row, and tell monitoring."""
    ledger.pull(at=at)
    found = verify()
    row.done_at, row.seconds, row.sound, row.result = at, found.seconds, found.sound, found.as_json()
    row.save(update_fields=["done_at", "seconds", "sound", "result"])
    report(found, at=at)
    return row


def report(found: Result, *, at: dt.datetime) -> None:
    """Tell monitoring what a reading found, nothing included."""
    told = "; ".join(f"entry {each.number}: {each.why}" for each in found.breaks[:3])
    facts.report("chain_breaks", float(len(found.breaks)), at=at, group=GROUP, told=told or "sound")
