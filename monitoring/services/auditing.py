"""The audit trail of alerts: entries chained by their hashes, so that none can be changed unseen.

Entry n's digest is SHA-256 over its own content and the digest of entry n-1 (a hash chain). Appending is serialised by
the unique column ``previous``: two writers that saw the same last entry cannot both succeed; the second tries again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Iterator
from typing import Any

from django.db import IntegrityError, transaction

from monitoring.models import AuditEntry, Episode

GENESIS = "0" * 64
TRIES = 20


def append(what: str, *, by: str, at: dt.datetime, episode: Episode | None = None, **detail: Any) -> AuditEntry:
    """Write one entry; call it inside the transaction that does what it tells of."""
    told = _plain(json.loads(json.dumps(detail, default=str)))
    for left in reversed(range(TRIES)):
        last = AuditEntry.objects.order_by("-id").values_list("digest", flat=True).first() or GENESIS
        row = AuditEntry(at=at, episode=episode, what=what, by=by, detail=told, previous=last)
        row.digest = _digest(row)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            if not left:
                raise
        else:
            return row
    raise AssertionError("unreachable")


def breaks() -> Iterator[tuple[int, str]]:
    """Yield number and reason of every entry that is not what was written, the oldest first."""
    before = GENESIS
    for row in AuditEntry.objects.order_by("id").iterator():
        if row.previous != before:
            yield row.pk, "an entry before it is missing or was changed"
        if row.digest != _digest(row):
            yield row.pk, "its content was changed"
        before = row.digest


def _plain(value: Any) -> Any:
    """Return JSON values that every database gives back as they were: whole floats as integers, no NaN."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return None if not math.isfinite(value) else int(value) if value.is_integer() else value
    return value


def _digest(row: AuditEntry) -> str:
    told = {
        "at": row.at.astimezone(dt.UTC).isoformat(), "episode": row.episode_id, "what": row.what, "by": row.by,
        "detail": row.detail, "previous": row.previous,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
