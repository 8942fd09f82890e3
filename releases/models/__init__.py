"""What is remembered of releases."""

from __future__ import annotations

from releases.models import triggers as triggers
from releases.models.audit import Audit
from releases.models.release import Release, ReleaseEvent
from releases.models.sign_offs import ReleaseSignOff, SigningKey

__all__ = ["Audit", "Release", "ReleaseEvent", "ReleaseSignOff", "SigningKey"]
