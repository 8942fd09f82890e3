"""What happened in learning that decides trading, for whoever keeps a history of it."""

from __future__ import annotations

from models_ml.models import Promotion, SignOff
from sensequant.lib.history import Kept, Kind, Told, values


def _begun(row: Promotion) -> Told:
    told = values(row, "version", "digest", "baseline_version", "baseline_digest", "checklist_digest",
                  "recommendation", "author", "created_at")  # fmt: skip
    return Told(row.created_at, row.author, f"promotion assessed: {row.recommendation}", f"promotion {row.pk}", told)


def _promoted(row: Promotion) -> Told:
    at = row.promoted_at or row.created_at
    told = values(row, "version", "digest", "promoted_at", "promoted_by")
    return Told(at, row.promoted_by, "promotion carried out", f"promotion {row.pk}", told)


def _signed(row: SignOff) -> Told:
    told = values(row, "role", "username", "author", "decision", "evidence", "note", "at")
    what = f"signed as {row.role}: {row.decision}"
    return Told(row.at, row.username, what, f"promotion {row.promotion_id}", told, row.note)


KINDS = (
    Kind("promotion", Promotion.objects.all, _begun, few=True),
    Kind("promotion carried out", lambda: Promotion.objects.filter(promoted_at__isnull=False), _promoted, few=True),
    Kind("promotion sign-off", SignOff.objects.all, _signed, few=True),
)
KEPT = (Kept(SignOff),)
