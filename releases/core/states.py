"""How a release goes: every state, and which move is legal from where."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

DRAFT, AUDITED, SIGNING, APPROVED, REFUSED = "draft", "audited", "signing", "approved", "refused"
STAGED, ACTIVE, STABLE = "staged", "active", "stable"
SUPERSEDED, ROLLED_BACK, ABORTED = "superseded", "rolled_back", "aborted"

NEXT: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    DRAFT: (AUDITED, ABORTED),
    AUDITED: (SIGNING, REFUSED, ABORTED),
    SIGNING: (AUDITED, APPROVED, REFUSED, ABORTED),
    APPROVED: (AUDITED, SIGNING, STAGED, REFUSED, ABORTED),
    STAGED: (APPROVED, ACTIVE, ABORTED),
    ACTIVE: (STABLE, SUPERSEDED, ROLLED_BACK),
    STABLE: (SUPERSEDED, ROLLED_BACK),
    SUPERSEDED: (ACTIVE, STABLE),
    ROLLED_BACK: (),
    REFUSED: (),
    ABORTED: (),
})  # fmt: skip
"""A superseded release comes back when its successor is rolled back; what was refused or rolled back never does."""

STATES: Final = tuple(NEXT)
SIGNABLE: Final = (AUDITED, SIGNING, APPROVED)
REAUDITABLE: Final = (DRAFT, AUDITED, SIGNING, APPROVED)
SIGNED: Final = (APPROVED, STAGED, ACTIVE, STABLE)
"""What no release is without three signatures that stand."""


def may_move(old: str, new: str) -> bool:
    """Say whether a release in state ``old`` may go to ``new``."""
    return new in NEXT.get(old, ())
