"""What is remembered of releases."""

from __future__ import annotations

from releases.models import triggers as triggers
from releases.models.audit import Audit
from releases.models.grants import RoleGrant
from releases.models.ledger import Happening, LedgerArchive, LedgerCheck, LedgerEntry, LedgerHead
from releases.models.operation import Operation, OperationStep
from releases.models.release import Release, ReleaseEvent
from releases.models.sign_offs import ReleaseSignOff, SigningKey
from releases.models.waivers import FlagWaiver
from releases.models.watch import Watch, WatchCheck

__all__ = [
    "Audit", "FlagWaiver", "Happening", "LedgerArchive", "LedgerCheck", "LedgerEntry", "LedgerHead", "Operation",
    "OperationStep", "Release", "ReleaseEvent", "ReleaseSignOff", "RoleGrant", "SigningKey", "Watch", "WatchCheck",
]  # fmt: skip
