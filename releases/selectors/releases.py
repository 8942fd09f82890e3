"""What pages and the API show of releases."""

from __future__ import annotations

from django.db.models import QuerySet

from releases.models import Release


def releases() -> QuerySet[Release]:
    """Return every release, the newest first, with who made it and its audit."""
    return Release.objects.select_related("author", "audit", "previous")
