"""The ledger's rows: what one entry says, word for word as it is digested, and what its digests are of."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from trading.core.chain import Link

NAME: Final = "ledger"
LENGTHS: Final[Mapping[str, int]] = {
    "actor": 150, "ip": 45, "session": 64, "request_id": 64, "action": 120, "object": 120, "reason": 500,
}  # fmt: skip
COLUMNS: Final = (
    "seq", "at", "recorded_at", "actor", "ip", "session", "request_id", "action", "object", "reason", "kind", "source",
    "content", "before_sha", "after_sha", "previous", "digest",
)  # fmt: skip


class Entry(NamedTuple):
    """One entry, whole; ``content`` is the canonical JSON of what its source said."""

    seq: int
    at: dt.datetime
    recorded_at: dt.datetime
    actor: str
    ip: str
    session: str
    request_id: str
    action: str
    object: str
    reason: str
    kind: str
    source: int
    content: str
    before_sha: str
    after_sha: str
    previous: str
    digest: str


def sha(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(content: Mapping[str, Any]) -> str:
    """Return what a source said as the one text that is kept; control characters become visible escapes."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def clean(name: str, text: str) -> str:
    """Return ``text`` as a column takes it on every database: printable and not too long."""
    return "".join(c if c.isprintable() else " " for c in text)[: LENGTHS[name]]


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")


def text(entry: Entry) -> str:
    """Return everything an entry says as it is digested: its place is given by the entry before it."""
    return json.dumps(
        (
            _utc(entry.at), _utc(entry.recorded_at), entry.actor, entry.ip, entry.session, entry.request_id,
            entry.action, entry.object, entry.reason, entry.kind, entry.source, entry.content, entry.before_sha,
            entry.after_sha, entry.previous,
        ),
        ensure_ascii=False, separators=(",", ":"),
    )  # fmt: skip


def sealed(entry: Entry) -> Entry:
    """Return an entry with its digests."""
    whole = entry._replace(after_sha=sha(entry.content))
    return whole._replace(digest=sha(text(whole)))


def link(entry: Entry) -> Link:
    """Return an entry as the chain reads it; a content that is not what was digested breaks it too."""
    said = entry if sha(entry.content) == entry.after_sha else entry._replace(after_sha="")
    return Link(entry.seq, entry.previous, text(said), entry.digest)


def as_line(entry: Entry) -> str:
    """Return an entry as one line of an archive."""
    told = entry._asdict() | {"at": _utc(entry.at), "recorded_at": _utc(entry.recorded_at)}
    return json.dumps(told, ensure_ascii=True, separators=(",", ":"))


def from_line(line: str) -> Entry:
    """Return the entry of an archive's line; ValueError when it is none."""
    told = json.loads(line)
    if not isinstance(told, dict) or set(told) != set(COLUMNS):
        raise ValueError("a line of the archive is no entry of the ledger")
    moments = {name: dt.datetime.fromisoformat(told[name]) for name in ("at", "recorded_at")}
    return Entry(**{**told, **moments})


class Head(NamedTuple):
    """Where the trails stood at one moment: the ledger's newest entry, and the newest of the alert trail."""

    at: dt.datetime
    seq: int
    digest: str
    alerts: int
    alerts_digest: str
    before: str  # SHA-256 of the head before, as it was signed

    def as_json(self) -> str:
        """Return the text that is signed."""
        return canonical({
            "schema": "sensequant.ledger-head.v1", "at": _utc(self.at), "before": self.before,
            "ledger": {"seq": self.seq, "sha256": self.digest},
            "alert_trail": {"id": self.alerts, "sha256": self.alerts_digest},
        })  # fmt: skip


def head(text: str) -> Head:
    """Return the head a signed text tells of; ValueError when it tells of none."""
    try:
        told = json.loads(text)
        at, ledger, alerts = dt.datetime.fromisoformat(told["at"]), told["ledger"], told["alert_trail"]
        return Head(at, int(ledger["seq"]), str(ledger["sha256"]), int(alerts["id"]), str(alerts["sha256"]),
                    str(told["before"]))  # fmt: skip
    except (KeyError, TypeError) as error:
        raise ValueError(f"it is no head of the ledger: {error}") from None
