"""What pages and the API show of students in place, candidates and evenings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from models_ml.models import Evening, Promotion
from trading.selectors import students


def standing() -> dict[str, Any]:
    """Return who scores."""
    desk = settings.DESK
    return {
        "enabled": desk.student_model_enabled, "threshold": desk.student_model_confidence_threshold,
        "champion": students.champion(), "challengers": students.challengers(),
    }  # fmt: skip


def promotions() -> QuerySet[Promotion]:
    """Return candidates with their signatures, the newest first."""
    return Promotion.objects.prefetch_related("sign_offs")


def evenings() -> QuerySet[Evening]:
    """Return evenings with their proposals, the newest first."""
    return Evening.objects.select_related("proposal")


def watched() -> list[dict[str, Any]]:
    """Return what the last finished evening found of each student."""
    row = Evening.objects.filter(finished_at__isnull=False).exclude(outcome="failed").first()
    return list(row.students) if row else []
