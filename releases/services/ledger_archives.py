"""What is older than five years moves from the table into sealed files, the whole beginning of the chain at a time.

A file is written, seen onto the disk and read back before its rows go; the row that tells of it and their deletion are
one transaction. The chain that remains begins after the file's last digest, and a reading goes through the files first.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction

from releases.core import ledger as core
from releases.core.ledger import COLUMNS, Entry
from releases.models import LedgerArchive, LedgerEntry
from releases.services import ledger
from sensequant.lib import crash, paths
from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from sensequant.lib.logs import get_logger
from trading.core.chain import Walk

FOLDER: Final = "release/ledger"
log = get_logger("ledger")


def edge(*, at: dt.datetime) -> dt.datetime:
    """Return the moment before which entries may leave the table."""
    return at - dt.timedelta(days=settings.DESK.ledger_keep_days)


def archive(*, by: str, at: dt.datetime) -> LedgerArchive | None:
    """Move the entries older than LEDGER_KEEP_DAYS into a file; None without any, NotAllowed when the chain breaks."""
    ledger.pull(at=at, whole=True)
    begin = ledger.start()
    fresh = LedgerEntry.objects.filter(recorded_at__gte=edge(at=at)).order_by("seq").values_list("seq", flat=True)
    newest = ledger.head().number
    through = (fresh.first() or newest + 1) - 1
    if through <= begin.number:
        return None
    rows = LedgerEntry.objects.filter(seq__lte=through)
    walk = Walk(core.NAME, begin)
    place = f"{FOLDER}/ledger_{begin.number + 1:012d}_{through:012d}.jsonl.gz"
    digest = _write(paths.resolve(place), rows.order_by("seq").values_list(*COLUMNS).iterator(), walk)
    crash.point("ledger-archive-filed")
    with transaction.atomic():
        row = LedgerArchive.objects.create(
            at=at, by=by, first=begin.number + 1, through=through, digest=walk.head, path=place, sha256=digest,
            taken=_taken(through),
        )  # fmt: skip
        rows.delete()
    log.info("ledger archived", first=row.first, through=through, path=place)
    return row


def entries(archive: LedgerArchive) -> Iterator[Entry]:
    """Yield the entries of an archive; NotFound or BadInput when it is not the file that was sealed."""
    file = paths.resolve(archive.path)
    if not file.exists():
        raise NotFound(f"the file {archive.path} is missing", fix="restore it from a backup")
    if _sha(file) != archive.sha256:
        raise BadInput(f"the file {archive.path} was changed", fix="restore it from a backup")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield core.from_line(line)


def _write(file: Path, rows: Iterator[tuple[object, ...]], walk: Walk) -> str:
    """Write entries into a sealed file and return its SHA-256; the chain must hold, or nothing leaves the table."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    with fresh.open("wb") as handle:
        with gzip.GzipFile("", "wb", fileobj=handle, mtime=0) as packed:
            for values in rows:
                entry = Entry(*values)  # type: ignore[arg-type]
                walk.step(core.link(entry))
                packed.write(f"{core.as_line(entry)}\n".encode())
        handle.flush()
        os.fsync(handle.fileno())
    if broken := walk.breaks():
        fresh.unlink()
        raise NotAllowed(f"entry {broken[0].number} breaks the chain: {broken[0].why}", fix="manage.py verify_ledger")
    with gzip.open(fresh, "rb") as lines:
        count = sum(1 for _ in lines)
    if count != walk.count:
        raise BadInput(f"{fresh} was not written whole", fix="look at the disk")
    fresh.replace(file)
    file.chmod(0o440)
    return _sha(file)


def _sha(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _taken(through: int) -> dict[str, tuple[int, list[int]]]:
    """Return which sources the archived entries hold: by kind the number up to which all of them, and the others."""
    found: dict[str, tuple[int, list[int]]] = {}
    old, young = LedgerEntry.objects.filter(seq__lte=through), LedgerEntry.objects.filter(seq__gt=through)
    for kind in old.order_by().values_list("kind", flat=True).distinct():
        numbers = old.filter(kind=kind).order_by("source").values_list("source", flat=True)
        later = young.filter(kind=kind).order_by("source").values_list("source", flat=True).first()
        below = 0 if ledger.KINDS[kind].few else numbers.last() or 0
        if later is not None:
            below = min(below, later - 1)
        found[kind] = (below, [each for each in numbers if each > below])
    return found
