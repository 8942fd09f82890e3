"""Messages into the outbox, in the transaction of what they tell of."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import F

from monitoring.core.notices import OVER
from monitoring.core.rules import Rule
from monitoring.models import Episode, Notification
from monitoring.services import auditing, channels
from sensequant.lib.clock import IST


def put(rule: Rule, row: Episode, reason: str, *, at: dt.datetime) -> int:
    """Queue one message per channel about an episode and note that it was told; return how many.

    What is over is told to whoever was told that it fired.
    """
    seen = set(row.notifications.values_list("channel", flat=True)) if reason == OVER else set()
    wanted = [name for name in channels.ALL if name in seen] if seen else [*channels.of(row.severity)]
    body = told(rule, row, reason, at=at)
    Notification.objects.bulk_create([_row(rule, row, reason, name, body, at) for name in wanted])
    auditing.append("told", by="monitoring", at=at, episode=row, reason=reason, channels=wanted)
    row.told, row.told_at, row.told_severity, row.kept_quiet = row.told + 1, at, row.severity, 0
    row.ack_ended = row.silence_ended = ""
    row.inhibition_ended = False
    row.save(update_fields=[
        "told", "told_at", "told_severity", "kept_quiet", "ack_ended", "silence_ended", "inhibition_ended",
    ])  # fmt: skip
    return len(wanted)


def say(key: str, what: str, message: str, *, severity: str = "INFO", at: dt.datetime, **context: Any) -> list[str]:
    """Queue a message that is no alert, once per ``key``, and return the channels it goes to."""
    wanted = [*channels.of(severity)]
    body = {
        "timestamp": at.astimezone(IST).isoformat(), "severity": severity, "rule": what, "message": message,
        "context": context, "acknowledged": False,
    }  # fmt: skip
    rows = [
        Notification(
            key=f"{key}-{name}"[:80], channel=name, reason="first", severity=severity, body=body, made_at=at, due_at=at
        )
        for name in wanted
    ]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    return wanted


def _row(
    rule: Rule, row: Episode, reason: str, name: str, body: dict[str, Any], at: dt.datetime
) -> Notification:  # fmt: skip
    return Notification(
        key=f"alert-{row.pk}-{row.told + 1}-{name}", episode=row, number=row.told + 1, channel=name,
        reason=reason[:400], severity=row.severity, urgent=rule.never_suppress or row.severity == "CRITICAL", body=body,
        made_at=at, due_at=at,
    )  # fmt: skip


def told(rule: Rule, row: Episode, reason: str, *, at: dt.datetime) -> dict[str, Any]:
    """Return the message as JSON: the document's six keys, and ours."""
    return {
        "timestamp": at.astimezone(IST).isoformat(),
        "severity": row.severity,
        "rule": f"{row.rule}_{row.group}" if row.rule == "performance_degradation" else row.rule,
        "message": row.message,
        "context": row.context,
        "acknowledged": row.acked_at is not None,
        "group": row.group,
        "episode": row.pk,
        "status": row.status,
        "reason": reason,
        "value": row.value,
        "threshold": row.threshold,
        "since": row.since.astimezone(IST).isoformat(),
        "kept_quiet": row.kept_quiet,
        "flapping": row.flapping,
        "runbook": rule.runbook.format_map(_Known(row.context)),
    }


class _Known(dict[str, Any]):
    """The context, with nothing for what it does not have."""

    def __missing__(self, key: str) -> str:
        return ""


def merged(digest: Notification, rows: list[Notification]) -> int:
    """Mark messages as told by a digest and return how many that were."""
    return Notification.objects.filter(pk__in=[row.pk for row in rows], state="waiting").update(
        state="merged", stands_in_for=digest, attempts=F("attempts")
    )
