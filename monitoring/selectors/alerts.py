"""Alerts as pages, commands and the API ask for them."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, QuerySet

from monitoring.models import AuditEntry, Episode, Look, Notification, Silence


def listed(*, severity: str = "", since: dt.datetime | None = None, open_only: bool = False) -> QuerySet[Episode]:
    """Return episodes that fired, the newest first: those still open, and those that were since ``since``."""
    rows = Episode.objects.select_related("silenced_by").filter(fired_at__isnull=False)
    if severity:
        rows = rows.filter(severity=severity)
    if open_only:
        rows = rows.exclude(status="resolved")
    elif since is not None:
        rows = rows.filter(Q(resolved_at=None) | Q(fired_at__gte=since) | Q(resolved_at__gte=since))
    return rows


def silences() -> QuerySet[Silence]:
    """Return every silence, the newest first."""
    return Silence.objects.all()


def trail() -> QuerySet[AuditEntry]:
    """Return the audit trail, the newest first."""
    return AuditEntry.objects.select_related("episode")


def messages() -> QuerySet[Notification]:
    """Return every message, the newest first."""
    return Notification.objects.select_related("episode")


def fired(since: dt.datetime, until: dt.datetime) -> QuerySet[Episode]:
    """Return the episodes that fired within a span, the oldest first."""
    return Episode.objects.filter(fired_at__gt=since, fired_at__lte=until).order_by("fired_at", "id")


def watched(since: dt.datetime) -> bool:
    """Say whether anybody has looked at the desk after ``since``: without, that nothing fired means nothing."""
    return Look.objects.filter(name="monitor", at__gt=since).exists()
