"""The audit trail of alerts: entries chained by their hashes, so that none can be changed unseen.

Entry n's digest is SHA-256 over its own content and the digest of entry n-1 (a hash chain). Appending is serialised by
the unique column ``previous``: two writers that saw the same last entry cannot both succeed; the second tries again.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from monitoring.models import AuditEntry, Episode
from trading.core import chain
from trading.core.chain import Break, Link, Start

GENESIS = "0" * 64
TRIES = 20


def append(what: str, *, by: str, at: dt.datetime, episode: Episode | None = None, **detail: Any) -> AuditEntry:
    """Write one entry; call it inside the transaction that does what it tells of."""
    told = _plain(json.loads(json.dumps(detail, default=str)))
    for left in reversed(range(TRIES)):
        last = AuditEntry.objects.order_by("-id").values_list("digest", flat=True).first() or GENESIS
        row = AuditEntry(at=at, episode=episode, what=what, by=by, detail=told, previous=last)
        row.digest = chain.digest(_text(row))
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            if not left:
                raise
        else:
            return row
    raise AssertionError("unreachable")


def breaks(anchors: Mapping[int, str] | None = None) -> list[Break]:
    """Return every place where the trail is not what was written, the oldest first.

    ``anchors`` are digests by number that were kept outside the database: they tell of a tail that was cut off.
    """
    rows = AuditEntry.objects.order_by("id").iterator()
    links = (Link(row.pk, row.previous, _text(row), row.digest) for row in rows)
    return chain.check(links, anchors or {}, chain="of alerts", start=Start(0, GENESIS), gapless=False)


def head() -> tuple[int, str]:
    """Return number and digest of the newest entry; 0 and nothing when there is none."""
    return AuditEntry.objects.order_by("-id").values_list("id", "digest").first() or (0, "")


def _plain(value: Any) -> Any:
    """Return JSON values that every database gives back as they were: whole floats as integers, no NaN."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return None if not math.isfinite(value) else int(value) if value.is_integer() else value
    return value


def _text(row: AuditEntry) -> str:
    """Return what is digested of an entry: its content and the digest of the one before."""
    told = {
        "at": row.at.astimezone(dt.UTC).isoformat(), "episode": row.episode_id, "what": row.what, "by": row.by,
        "detail": row.detail, "previous": row.previous,
    }  # fmt: skip
    return json.dumps(told, sort_keys=True, separators=(",", ":"))
