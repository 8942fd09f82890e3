"""Who asks, while a request is being answered: address, session and number of the request, for the records.

The door says it once (a middleware); whoever writes a record reads it. Outside a request nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


def _nobody() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Caller:
    """One request's origin; ``session`` is a digest, never the key; ``user`` is asked only when somebody needs it."""

    ip: str = ""
    session: str = ""
    request_id: str = ""
    user: Callable[[], str] = _nobody


NOBODY = Caller()
_current: ContextVar[Caller] = ContextVar("caller", default=NOBODY)


def current() -> Caller:
    """Return who asks now."""
    return _current.get()


@contextmanager
def asking(who: Caller) -> Iterator[None]:
    """Let ``who`` be the one who asks."""
    token = _current.set(who)
    try:
        yield
    finally:
        _current.reset(token)
