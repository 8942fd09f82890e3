"""What monitoring remembers."""

from __future__ import annotations

from monitoring.models.alerts import AuditEntry, Episode, Look, Report, RuleSetting, Silence
from monitoring.models.delivery import Attempt, Channel, Notification
from monitoring.models.metrics import Rollup, Sample

__all__ = [
    "Attempt", "AuditEntry", "Channel", "Episode", "Look", "Notification", "Report", "Rollup", "RuleSetting", "Sample",
    "Silence",
]  # fmt: skip
