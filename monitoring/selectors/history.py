"""What happened to alerts, silences and rules, for whoever keeps a history of it."""

from __future__ import annotations

from monitoring.models import AuditEntry
from sensequant.lib.history import Kept, Kind, Told, values


def _entry(row: AuditEntry) -> Told:
    about = f"alert {row.episode_id}" if row.episode_id else str(row.detail.get("rule") or "alerts")
    told = {"episode": row.episode_id, **values(row, "at", "what", "by", "detail", "previous", "digest")}
    return Told(row.at, row.by, row.what, about, told, str(row.detail.get("reason", "")))


KINDS = (Kind("alert trail", AuditEntry.objects.all, _entry),)
KEPT = (Kept(AuditEntry),)
