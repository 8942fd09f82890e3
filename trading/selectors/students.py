"""Which students are and were in place."""

from __future__ import annotations

from django.db.models import QuerySet

from trading.models import ActiveModel


def champion() -> ActiveModel | None:
    """Return the champion in place, disabled or not; None when there is none."""
    return ActiveModel.objects.filter(role="champion", until=None).first()


def challengers() -> list[ActiveModel]:
    """Return the challengers in place, the oldest first."""
    return list(ActiveModel.objects.filter(role="challenger", until=None).order_by("id"))


def history() -> QuerySet[ActiveModel]:
    """Return every place that was ever taken, the newest first."""
    return ActiveModel.objects.all()
