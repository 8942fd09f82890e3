"""How Breeze says no, and what each no means to the desk.

    Unavailable
      ├─ Busy            429 or "Limit exceed": later, never at once
      ├─ Transient       no connection, a time-out, 5xx, an unreadable answer, to a question that moves no money
      ├─ OutcomeUnknown  the same to an order verb: it may have been carried out; only the book can tell
      └─ BudgetSpent     our own budget denied the call; nothing was sent
    NotAllowed
      ├─ SessionLost     expired, revoked, replaced by a later login, or never made
      ├─ Refused         a clean, structured no: nothing was done
      └─ NotSent         the send deadline had passed; nothing was sent
    BadInput             the broker does not know what was asked for (400, 404)

Nothing here is retried by the client; whoever asked decides, and only for questions that move no money.
"""

from __future__ import annotations

from typing import ClassVar

from sensequant.lib.errors import NotAllowed, Unavailable


class Busy(Unavailable):
    """The broker says we call too often."""

    code = "broker_busy"


class Transient(Unavailable):
    """A question got no readable answer; asking again may help."""

    code = "broker_unreachable"


class OutcomeUnknown(Unavailable):
    """An order request got no readable answer; it may have been carried out and is never sent again."""

    code = "outcome_unknown"


class BudgetSpent(Unavailable):
    """Our own budget denied the call; ``retry_after`` is in seconds."""

    code = "budget_spent"
    status: ClassVar[int] = 429

    def __init__(self, message: str, *, retry_after: float, fix: str = "") -> None:
        super().__init__(message, fix=fix, retry_after=retry_after)
        self.retry_after = retry_after


class SessionLost(NotAllowed):
    """The broker no longer knows today's session."""

    code = "session_lost"


class Refused(NotAllowed):
    """The broker said no, in so many words; nothing was done."""

    code = "broker_refused"


class NotSent(NotAllowed):
    """The moment to send had passed; nothing was sent."""

    code = "not_sent"
