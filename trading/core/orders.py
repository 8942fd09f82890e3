"""The life of an order, as a table: which status may follow which."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where an order stands."""

    WORKING = "working"
    PARTIAL = "partial"
    FILLED = "filled"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


NEXT: dict[Status, frozenset[Status]] = {
    Status.WORKING: frozenset(Status) - {Status.WORKING},
    Status.PARTIAL: frozenset({Status.PARTIAL, Status.FILLED, Status.EXPIRED, Status.CANCELLED}),
    Status.CANCELLED: frozenset({Status.FILLED, Status.PARTIAL}),  # a fill can cross a cancel on the wire
    Status.FILLED: frozenset(),
    Status.EXPIRED: frozenset(),
    Status.REJECTED: frozenset(),
}
OPEN = frozenset({Status.WORKING, Status.PARTIAL})


def may_become(old: Status, new: Status) -> bool:
    """Say whether an order in status ``old`` may move to ``new``."""
    return new in NEXT[old]
