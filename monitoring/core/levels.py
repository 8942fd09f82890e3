"""How bad something is, in order."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """INFO, WARNING, CRITICAL, as the document names them."""

    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"

    @property
    def rank(self) -> int:
        """Return 0, 1 or 2: the greater the worse."""
        return ORDER.index(self)


ORDER: tuple[Severity, ...] = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)


def worse(one: Severity, other: Severity) -> bool:
    """Say whether ``one`` is worse than ``other``."""
    return one.rank > other.rank
