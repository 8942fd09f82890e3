"""What pages, commands and the API show of deployments and rollbacks."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from releases.core import steps
from releases.core.states import APPROVED, STAGED
from releases.models import Operation, Release, Watch
from sensequant.lib.errors import NotAllowed


def operations() -> QuerySet[Operation]:
    """Return every attempt, the newest first."""
    return Operation.objects.select_related("release", "away_from").prefetch_related("steps")


def of(release: Release) -> QuerySet[Operation]:
    """Return what brought a release into force, back, or out of it, the newest first."""
    return operations().filter(Q(release=release) | Q(away_from=release))


def emergencies() -> QuerySet[Operation]:
    """Return the rollbacks one person made alone, reviewed or waiting for it, the newest first."""
    return operations().filter(review_by__isnull=False)


def deployable() -> Release:
    """Return the newest release that may be deployed; NotAllowed when none is approved."""
    row = Release.objects.filter(state__in=(APPROVED, STAGED)).exclude(envelope_sha256="").order_by("-seq").first()
    if row is None:
        raise NotAllowed("no approved release has a manifest", fix="have one signed, then: make release-manifest")
    return row


def watch_of(release: Release) -> Watch | None:
    """Return a release's newest watch."""
    return Watch.objects.filter(release=release).first()


def told(row: Operation) -> dict[str, Any]:
    """Return one attempt for JSON."""
    watch = watch_of(row.release) if row.kind == steps.DEPLOY else None
    return {
        "id": row.pk, "kind": row.kind, "release_id": row.release.release_id, "state": row.state, "by": row.by,
        "away_from": row.away_from.release_id if row.away_from else None, "reason": row.reason,
        "override": row.override, "started_at": row.started_at, "finished_at": row.finished_at, "error": row.error,
        "steps": [{"step": each.step, "at": each.at, "told": each.told} for each in row.steps.all()],
        "review_by": row.review_by, "reviewed_by": row.reviewed_by, "reviewed_at": row.reviewed_at,
        "review": row.review,
        "watched_until": watch.ends_at if watch else None,
    }  # fmt: skip
