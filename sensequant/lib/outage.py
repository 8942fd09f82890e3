"""A server that is away: told from a bug, said once, asked again ever more slowly, and said once when it is back.

PostgreSQL and Redis are restarted now and then, and nobody who waits for them has done anything wrong. What they were
doing was not done: whoever catches one of these errors does it again, or says that he could not.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator

from django.db import InterfaceError, OperationalError, connection

from sensequant.lib.logs import Log

FIRST, LONGEST = 0.25, 5.0  # seconds between two looks: the wait doubles from the first to the longest
# SQLSTATE: no connection, shutting down or starting up, no room. A deadlock or a lock that took too long is none.
AWAY = ("08", "57P", "53300")
LIBRARIES = {"redis.exceptions": ("ConnectionError", "TimeoutError"), "kombu.exceptions": ("OperationalError",)}


def is_away(error: BaseException) -> bool:
    """Say whether ``error`` means that the database is not there, rather than that it refused something."""
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, OperationalError):
        return False
    if "sqlstate" not in dir(error.__cause__):  # SQLite is a file: it is never away
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or str(state).startswith(AWAY)


def is_outage(error: BaseException | None) -> bool:
    """Say whether ``error``, or what it came of, means that the database or Redis is not there."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if is_away(error) or isinstance(error, tuple(_theirs())):
            return True
        error = error.__cause__ or error.__context__
    return False


def _theirs() -> Iterator[type[BaseException]]:
    """Yield the errors of libraries that are loaded: an error cannot be of one that is not."""
    for module, names in LIBRARIES.items():
        if (known := sys.modules.get(module)) is not None:
            yield from (getattr(known, name) for name in names)


class Outage:
    """How one process gets over a server's absence."""

    def __init__(self, what: str, log: Log) -> None:
        """Wait for ``what``, such as "the database"."""
        self.what, self.log = what, log
        self.since: float | None = None  # monotonic second at which it was first missed
        self.until = float("-inf")  # monotonic second before which it need not be asked again
        self.pause = FIRST
        self.said = ""  # how it was missed the last time

    def away(self, error: BaseException) -> float:
        """Let go of the database's connection, say once that it is away, and return how many seconds to wait."""
        connection.close()
        return self.noted(error)

    def noted(self, error: BaseException) -> float:
        """Say once that it is away and return how many seconds to wait; no connection is touched."""
        self.said = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
        if self.since is None:
            self.since = time.monotonic()
            self.log.warning("a server is away; it is waited for", what=self.what, error=self.said)
        pause, self.pause = self.pause, min(LONGEST, 2 * self.pause)
        self.until = time.monotonic() + pause
        return pause

    def resting(self) -> bool:
        """Say whether it was missed a moment ago, so that who can do without it does not ask again yet."""
        return time.monotonic() < self.until

    def back(self) -> None:
        """Say once that it is back, if it was away."""
        if self.since is not None:
            self.log.warning("a server is back", what=self.what, seconds=round(time.monotonic() - self.since, 1))
        self.since, self.pause, self.until = None, FIRST, float("-inf")


def wait(outage: Outage, error: BaseException, stop: threading.Event) -> bool:
    """Wait until the database answers again; False when ``stop`` was set before."""
    while not stop.wait(outage.away(error)):
        try:
            connection.ensure_connection()
        except (OperationalError, InterfaceError) as again:
            error = again
        else:
            outage.back()
            return True
    return False
