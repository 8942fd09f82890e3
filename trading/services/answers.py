"""Repeating a write with the same ``Idempotency-Key`` gives the first answer and does nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser

from sensequant.lib.errors import NotAllowed, SenseQuantError
from trading.models.answers import StoredAnswer

KEPT = dt.timedelta(hours=24)


class KeyReused(SenseQuantError):
    """The key belongs to another request."""

    code: ClassVar[str] = "key_reused"
    status: ClassVar[int] = 409


def begin(*, user: AbstractBaseUser, key: str, fingerprint: str, at: dt.datetime) -> tuple[StoredAnswer, bool]:
    """Return the row of ``key`` and whether it is fresh: then the caller does the work and must ``finish`` it.

    Raises NotAllowed while the first request is still running and KeyReused when it was another request.
    """
    StoredAnswer.objects.filter(created_at__lt=at - KEPT).delete()
    row, fresh = StoredAnswer.objects.get_or_create(
        user_id=user.pk, key=key, defaults={"fingerprint": fingerprint, "created_at": at}
    )
    if fresh:
        return row, True
    if row.fingerprint != fingerprint:
        raise KeyReused(f"Idempotency-Key {key!r} was used for another request", fix="give every request its own key")
    if row.status is None:
        raise NotAllowed(
            f"the first request with Idempotency-Key {key!r} has not been answered",
            fix="wait and repeat; if it never ends, look at what it did before you use a new key",
        )
    return row, False


def finish(row: StoredAnswer, *, status: int, headers: Mapping[str, str], body: str) -> None:
    """Keep what the first request was answered; one the desk failed at may be tried again with the same key."""
    if status >= 500:
        row.delete()
        return
    row.status, row.headers, row.body = status, dict(headers), body
    row.save(update_fields=["status", "headers", "body"])
