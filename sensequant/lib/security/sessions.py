"""How long a session lives, and what ends it early: idleness, the day, a changed privilege, a changed second factor."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session

BEGAN, SEEN = "began", "seen"
A_MINUTE = 60.0


def begin(session: SessionBase, *, at: dt.datetime) -> None:
    """Note when a session began."""
    session[BEGAN] = session[SEEN] = at.timestamp()


def alive(session: SessionBase, *, at: dt.datetime) -> bool:
    """Say whether a session is neither older than its day nor idle for too long."""
    began, seen = session.get(BEGAN), session.get(SEEN)
    if began is None or seen is None:
        return False
    day, idle = settings.SESSION_COOKIE_AGE, settings.DESK.session_idle_minutes * A_MINUTE
    return bool(at.timestamp() - began < day and at.timestamp() - seen < idle)


def touch(session: SessionBase, *, at: dt.datetime) -> None:
    """Note that somebody is there, once a minute."""
    if at.timestamp() - session[SEEN] >= A_MINUTE:
        session[SEEN] = at.timestamp()


def end_all(user: Any, *, but: str = "", at: dt.datetime) -> int:
    """End every session of ``user`` except the one called ``but``; return how many there were."""
    mine = [
        row.pk
        for row in Session.objects.filter(expire_date__gt=at).exclude(session_key=but)
        if row.get_decoded().get("_auth_user_id") == str(user.pk)
    ]
    Session.objects.filter(pk__in=mine).delete()
    return len(mine)
