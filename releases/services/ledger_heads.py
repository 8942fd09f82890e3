"""Where the trails stand, signed every hour and sent to where the database cannot reach.

A head names the newest entry of the ledger and of the alert trail, and the head before it. It goes into a file that
only grows, into a row, and through monitoring's channels to whoever keeps its messages: a chain that was cut off or
written anew as a whole disagrees with every copy of it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from django.db import transaction

from monitoring.services import auditing, outbox
from releases.core import ledger as core
from releases.core.ledger import Head
from releases.models import LedgerHead
from releases.services import ledger
from sensequant.lib import crash, dsse, lines, paths, release_keys
from sensequant.lib.errors import BadInput, SenseQuantError
from sensequant.lib.logs import get_logger

KIND: Final = "application/vnd.sensequant.ledger-head+json"
FILE: Final = "data/state/ledger_heads.jsonl"
EVERY: Final = dt.timedelta(hours=1)
log = get_logger("ledger")


@dataclass(slots=True)
class Kept:
    """What was kept outside the database: digests by number of both trails, and what is wrong with the copies."""

    ledger: dict[int, str] = field(default_factory=dict)
    alerts: dict[int, str] = field(default_factory=dict)
    digests: set[str] = field(default_factory=set)  # of the heads
    heads: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, told: Head, digest: str) -> None:
        """Take a head in whose signature holds."""
        self.heads += 1
        self.digests.add(digest)
        for trail, number, what in (
            (self.ledger, told.seq, told.digest), (self.alerts, told.alerts, told.alerts_digest),
        ):  # fmt: skip
            if number and trail.setdefault(number, what) != what:
                self.wrong.append(f"two signed heads say different things of entry {number}")


def path() -> Path:
    """Return the file of heads."""
    return paths.resolve(FILE)


def due(*, at: dt.datetime) -> bool:
    """Say whether an hour has passed since the last head and something has happened in it."""
    last = LedgerHead.objects.first()
    if last is None:
        return ledger.head().number > 0
    return at - last.at >= EVERY and (last.seq, last.alerts) != (ledger.head().number, auditing.head()[0])


def sign(*, at: dt.datetime) -> LedgerHead:
    """Take in everything, sign where the trails stand, and send it out; file first, so that no row is without it."""
    ledger.pull(at=at, whole=True)
    last = LedgerHead.objects.first()
    stands, (alerts, alerts_digest) = ledger.head(), auditing.head()
    text = Head(
        at, stands.number, stands.digest, alerts, alerts_digest, last.sha256 if last else ""
    ).as_json()  # fmt: skip
    envelope = dsse.sign(KIND, text.encode(), [release_keys.private()]).decode()
    digest = core.sha(text)
    lines.append(path(), json.dumps({"sha256": digest, "envelope": envelope}))
    crash.point("ledger-head-filed")
    with transaction.atomic():
        row = LedgerHead.objects.create(
            at=at, seq=stands.number, digest=stands.digest, alerts=alerts, alerts_digest=alerts_digest,
            envelope=envelope, sha256=digest,
        )  # fmt: skip
        told = f"The ledger stands at entry {row.seq} ({row.digest[:16]}…), the alert trail at {alerts}."
        outbox.say(f"ledger-head-{digest[:24]}", "ledger_head", told, at=at, envelope=json.loads(envelope),
                   seq=row.seq, digest=row.digest, alerts=alerts, alerts_digest=alerts_digest)  # fmt: skip
    log.info("ledger head signed", seq=row.seq, digest=row.digest, alerts=alerts)
    return row


def kept(extra: Path | None = None, *, public: bytes | None = None) -> Kept:
    """Return what the file of heads, the rows and a copy kept elsewhere (``extra``) say of both trails."""
    found = Kept()
    key = public or _public(found)
    for place in filter(None, (path(), extra)):
        for number, envelope in _filed(place, found):
            _read(envelope, f"line {number} of {place.name}", key, found)
    filed = set(found.digests)
    for row in LedgerHead.objects.order_by("id").iterator():
        _read(row.envelope, f"head {row.pk}", key, found)
        if row.sha256 not in filed:
            found.wrong.append(f"head {row.pk}, of entry {row.seq}, is not in {path().name}")
    return found


def _public(found: Kept) -> bytes:
    try:
        return release_keys.public()
    except SenseQuantError as error:
        if LedgerHead.objects.exists() or path().exists():
            found.wrong.append(f"signed heads cannot be checked: {error}")
        return b""


def _filed(place: Path, found: Kept) -> Iterator[tuple[int, str]]:
    try:
        text = place.read_text(encoding="utf-8")
    except FileNotFoundError:
        if place != path():
            raise BadInput(f"there is no file {place}", fix="name a copy of ledger_heads.jsonl") from None
        return
    for number, line in enumerate(text.splitlines(), 1):
        try:
            if line.strip():
                yield number, str(json.loads(line)["envelope"])
        except (ValueError, KeyError, TypeError):
            found.wrong.append(f"line {number} of {place.name} cannot be read")


def _read(envelope: str, where: str, key: bytes, found: Kept) -> None:
    if not key:
        return
    try:
        text = dsse.opened(envelope.encode(), KIND, [key]).decode()
        found.add(core.head(text), core.sha(text))
    except (SenseQuantError, ValueError) as error:
        found.wrong.append(f"{where}: {error}")
