"""Keeping quiet on purpose: acknowledgements of one episode, silences over many; both end by themselves.

An acknowledgement ends at its time, when the severity rises, and with its episode. A silence lasts a day at most.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from monitoring.adapters import alertlog
from monitoring.core.episodes import RESOLVED
from monitoring.core.levels import Severity, worse
from monitoring.core.matching import Matcher
from monitoring.core.rules import Rule, split
from monitoring.models import Episode, Silence
from monitoring.services import auditing
from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from sensequant.lib.logs import get_logger

LONGEST = dt.timedelta(hours=24)
IDLE = dt.timedelta(minutes=30)  # a silence that was of use and no longer is ends after this long
BY = "monitoring"
log = get_logger("alerts")


def _reason(text: str) -> str:
    words = " ".join(text.split())
    if not words or len(words) > 300 or "\x00" in words:
        raise BadInput("a reason is missing" if not words else "the reason is too long", fix="say why in a few words")
    return words


def open_episodes(name: str = "") -> list[Episode]:
    """Return the open episodes of a rule (``key``, ``key:group``, ``key_group``), or all; Invalid for no such rule."""
    rows = Episode.objects.exclude(status=RESOLVED).select_related("silenced_by")
    if name:
        rule, group = split(name)
        rows = rows.filter(rule=rule.key)
        if group:
            rows = rows.filter(group=group)
    return list(rows)


def acknowledge(
    name: str, reason: str, *, by: str, at: dt.datetime, ttl: dt.timedelta | None = None
) -> list[Episode]:  # fmt: skip
    """Acknowledge the firing episodes of a rule, or of all with an empty name; they are not told again until it ends.

    NotAllowed when none fires. ``ttl`` is MONITORING_ACK_TTL_SECONDS unless given, and that at most.
    """
    words, most = _reason(reason), dt.timedelta(seconds=settings.DESK.monitoring_ack_ttl_seconds)
    span = most if ttl is None else ttl
    if not dt.timedelta(seconds=60) <= span <= most:
        raise BadInput(f"{span} is not between a minute and {most}", fix="MONITORING_ACK_TTL_SECONDS is the longest")
    rows = [each for each in open_episodes(name) if each.status == "firing"]
    if not rows:
        raise NotAllowed(f"no alert of {name or 'any rule'} fires now", fix="see manage.py monitor alerts list")
    with transaction.atomic():
        for row in rows:
            row.acked_by, row.acked_at, row.ack_reason, row.ack_until = by, at, words, at + span
            row.ack_ended = ""
            row.save(update_fields=["acked_by", "acked_at", "ack_reason", "ack_until", "ack_ended"])
            auditing.append("acknowledged", by=by, at=at, episode=row, reason=words, until=row.ack_until)
            _write_down(row, "acknowledged", by, words, at)
    return rows


def clear(name: str, *, by: str, at: dt.datetime, reason: str = "cleared by hand") -> list[Episode]:
    """End the acknowledgements of a rule, or all; the next look tells of what still fires. NotAllowed without any."""
    rows = [each for each in open_episodes(name) if each.acked_at is not None]
    if not rows:
        raise NotAllowed(f"no alert of {name or 'any rule'} is acknowledged", fix="see manage.py monitor alerts list")
    with transaction.atomic():
        for row in rows:
            _end_ack(row, f"{by} took back {row.acked_by}'s", by=by, at=at, what="acknowledgement cleared", why=reason)
    return rows


def _write_down(row: Episode, what: str, by: str, reason: str, at: dt.datetime) -> None:
    """Append what became of an acknowledgement to ``acknowledgements.jsonl`` once it is so; the rows are the truth."""
    line = {"timestamp": at.astimezone(IST).isoformat(), "rule": row.rule, "group": row.group, "episode": row.pk,
            "event": what, "operator": by, "reason": reason, "until": row.ack_until}  # fmt: skip

    def write() -> None:
        try:
            alertlog.append("acknowledgements.jsonl", line)
        except OSError as error:
            log.warning("the acknowledgement could not be written down", error=str(error))

    transaction.on_commit(write)


def _end_ack(row: Episode, how: str, *, by: str, at: dt.datetime, what: str, why: str = "") -> None:
    _write_down(row, what, by, why or how, at)
    auditing.append(what, by=by, at=at, episode=row, acked_by=row.acked_by, ack_reason=row.ack_reason, why=why)
    row.acked_by, row.acked_at, row.ack_reason, row.ack_until, row.ack_ended = "", None, "", None, how[:300]
    row.save(update_fields=["acked_by", "acked_at", "ack_reason", "ack_until", "ack_ended"])


def expire(rule: Rule, row: Episode, *, at: dt.datetime) -> None:
    """End an acknowledgement whose time is over."""
    if row.ack_until is not None and at >= row.ack_until:
        how = f"{row.acked_by}'s, {row.ack_reason!r}, ran out"
        _end_ack(row, how, by=BY, at=at, what="acknowledgement ran out")


def severity_rose(row: Episode, before: Severity, *, at: dt.datetime) -> None:
    """End an acknowledgement that was given to something less bad."""
    if row.acked_at is not None and worse(Severity(row.severity), before):
        _end_ack(row, f"{row.acked_by}'s was for {before}", by=BY, at=at, what="acknowledgement ended: it got worse")


def silence(
    matcher: Matcher, reason: str, *, until: dt.datetime, by: str, at: dt.datetime
) -> Silence:  # fmt: skip
    """Keep quiet what matches until a moment, a day ahead at most; BadInput without a reason or for longer."""
    words = _reason(reason)
    if not at < until <= at + LONGEST:
        raise BadInput(
            f"{until:%Y-%m-%d %H:%M} UTC is not within the next 24 hours", fix="a silence lasts a day at most"
        )
    with transaction.atomic():
        row = Silence.objects.create(
            rule=matcher.rule, group=matcher.group, most=matcher.most, reason=words, by=by, made_at=at, until=until
        )
        auditing.append(
            "silenced", by=by, at=at, silence=row.pk, rule=row.rule, group=row.group, until=until, why=words
        )
    return row


def end(number: int, *, by: str, at: dt.datetime, reason: str = "ended by hand") -> Silence:
    """End a silence before its time; NotFound or NotAllowed when there is none or it is over."""
    row = Silence.objects.filter(pk=number).first()
    if row is None:
        raise NotFound(f"there is no silence {number}", fix="see manage.py monitor alerts list")
    with transaction.atomic():
        won = Silence.objects.filter(pk=number, ended_at=None, until__gt=at).update(
            ended_at=at, ended_by=by, ended_why=_reason(reason)
        )
        if not won:
            raise NotAllowed(f"silence {number} is over already", fix="nothing to end")
        auditing.append("silence ended", by=by, at=at, silence=number, why=reason)
    row.refresh_from_db()
    return row


def tidy(*, at: dt.datetime) -> int:
    """End the silences that kept something quiet and have had nothing to do since, and return how many those were."""
    idle = Silence.objects.filter(ended_at=None, until__gt=at, matched_at__lte=at - IDLE)
    for row in idle:
        end(row.pk, by=BY, at=at, reason=f"it has kept nothing quiet for {IDLE}")
    return len(idle)


def in_force(*, at: dt.datetime) -> list[Silence]:
    """Return the silences that keep something quiet at ``at``."""
    return list(Silence.objects.filter(Q(ended_at=None), until__gt=at))


def over(quiet: Sequence[Silence], row: Episode) -> Silence | None:
    """Return the silence an episode falls under; None for none."""
    for each in quiet:
        if Matcher(each.rule, each.group, Severity(each.most)).matches(row.rule, row.group, Severity(row.severity)):
            return each
    return None


def how_it_ended(row: Silence, *, at: dt.datetime) -> str:
    """Say how a silence ended, in words for a message."""
    row.refresh_from_db()
    if row.ended_at is not None:
        return f"{row.by}'s ({row.reason}) was ended by {row.ended_by}"
    if row.until <= at:
        return f"{row.by}'s ({row.reason}) ran out"
    return f"{row.by}'s ({row.reason}) does not cover this any more"
