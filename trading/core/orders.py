"""The life of an order, as a table: which status may follow which."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where an order stands.

    Paper orders begin WORKING. An order for a broker begins NEW; SENDING means that it may be on the wire; UNKNOWN
    means that no clean answer came, so it counts as exposure and is settled by reading the broker's book, never by
    sending it again; NOT_PLACED means that clean readings of the book did not show it.
    """

    NEW = "new"
    SENDING = "sending"
    UNKNOWN = "unknown"
    WORKING = "working"
    PARTIAL = "partial"
    FILLED = "filled"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    NOT_PLACED = "not_placed"


SEEN = frozenset({
    Status.WORKING, Status.PARTIAL, Status.FILLED, Status.EXPIRED, Status.CANCELLED, Status.REJECTED,
})  # fmt: skip
"""What a broker's book can show of an order."""

NEXT: dict[Status, frozenset[Status]] = {
    Status.NEW: frozenset({Status.SENDING, Status.CANCELLED}),  # cancelled: never sent, e.g. its moment had passed
    Status.SENDING: SEEN | {Status.UNKNOWN},
    Status.UNKNOWN: SEEN | {Status.NOT_PLACED},
    Status.WORKING: frozenset({Status.PARTIAL, Status.FILLED, Status.EXPIRED, Status.CANCELLED, Status.REJECTED}),
    Status.PARTIAL: frozenset({Status.PARTIAL, Status.FILLED, Status.EXPIRED, Status.CANCELLED}),
    Status.CANCELLED: frozenset({Status.FILLED, Status.PARTIAL}),  # a fill can cross a cancel on the wire
    Status.NOT_PLACED: SEEN,  # it turned up late: the broker's word counts
    Status.FILLED: frozenset(),
    Status.EXPIRED: frozenset(),
    Status.REJECTED: frozenset(),
}
OPEN = frozenset({Status.NEW, Status.SENDING, Status.UNKNOWN, Status.WORKING, Status.PARTIAL})


def may_become(old: Status, new: Status) -> bool:
    """Say whether an order in status ``old`` may move to ``new``."""
    return new in NEXT[old]
