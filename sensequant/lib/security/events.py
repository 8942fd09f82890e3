"""Every refusal is told twice: a line in the log and a row that stays."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest

from sensequant.lib import redact
from sensequant.lib.logs import get_logger
from sensequant.lib.security.addresses import address_of
from sensequant.lib.security.models import SecurityEvent

MOST_ROWS = 30  # a minute from one address; what comes above that is in the log alone, so a flood fills no disk
log = get_logger("security")


def note(
    kind: str, *, at: dt.datetime, request: HttpRequest | None = None, who: str = "", address: str = "", **detail: Any
) -> None:  # fmt: skip
    """Keep what was refused (or what changed who may come in); ``who`` and ``address`` default to the request's."""
    user = getattr(request, "user", None)
    told = {
        "who": (who or (user.get_username() if user is not None else ""))[:150],
        "address": (address or (address_of(request) if request is not None else ""))[:45],
        "path": _one_line(request.path if request is not None else "")[:300],
    }
    log.warning(kind, **told, **detail)
    recent = SecurityEvent.objects.filter(kind=kind, at__gt=at - dt.timedelta(minutes=1), address=told["address"])
    if recent.count() < MOST_ROWS:
        SecurityEvent.objects.create(at=at, kind=kind, **told, detail=redact.value(detail))


def counted(kind: str, who: str, *, since: dt.datetime) -> int:
    """Return how often ``kind`` was noted of ``who`` since then."""
    return SecurityEvent.objects.filter(kind=kind, who=who, at__gt=since).count()


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
