"""Call budgets as arithmetic: token buckets for short windows, a tally for the day, a share of each kept for exits.

A bucket that holds ``capacity`` tokens and gains ``rate`` a second lets at most ``capacity + rate * T`` calls through
in any T seconds. The shapes made here keep that below ``limit + 1`` for T = ``window``, so no window of that length,
wherever it begins, sees more than ``limit`` calls.

Who asks decides how many tokens must be left: EXIT may take the last one, ENTRY leaves what is kept for exits, HISTORY
leaves half of what entries may take at once too, so that a long download in the background stops nobody from trading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trading.core.errors import Invalid

EXIT, ENTRY, HISTORY = "exit", "entry", "history"
SLACK: Final = 0.99  # calls are whole: limit + 0.99 never makes another one
HAIR: Final = 1e-9  # less than this is rounding
JITTER: Final = 5.0  # seconds by which clock readings of threads may cross; more is a clock put right
HISTORY_SHARE: Final = 0.8  # of a day's ordinary calls


@dataclass(frozen=True, slots=True)
class Bucket:
    """At most ``limit`` calls in any ``window`` seconds; ``kept`` tokens are for exits alone."""

    limit: int
    window: float
    capacity: float
    rate: float
    kept: float

    def left_by(self, who: str) -> float:
        """Return how many tokens a call of ``who`` must leave in the bucket."""
        if who == EXIT:
            return 0.0
        spare = self.capacity - self.kept
        return self.kept + (min(spare / 2, spare - 1.0) if who == HISTORY else 0.0)


@dataclass(frozen=True, slots=True)
class Level:
    """Tokens in a bucket at ``at`` (seconds)."""

    tokens: float
    at: float


def bucket(limit: int, window: float, *, reserved: float, at_once: float) -> Bucket:
    """Return the bucket of ``limit`` calls a ``window`` (seconds) with the share ``reserved`` kept for exits.

    ``at_once`` is the share of the rest that may be used in one burst; the more, the slower the bucket fills. Raise
    Invalid for a limit below 1, no window, or a share that leaves nothing.
    """
    if limit < 1 or window <= 0 or not 0 <= reserved <= 0.95 or not 0 < at_once <= 0.9:
        raise Invalid(f"no bucket of {limit} calls in {window} s with shares of {reserved} and {at_once}")
    kept = reserved * limit
    capacity = kept + max(1.0, (limit - kept) * at_once)
    return Bucket(limit, window, capacity, (limit + SLACK - capacity) / window, kept)


def full(shape: Bucket, at: float) -> Level:
    """Return a bucket nobody has used."""
    return Level(shape.capacity, at)


def refill(shape: Bucket, level: Level, now: float) -> Level:
    """Return the level at ``now``. A clock put back gives nothing, and the bucket fills from there."""
    gone = now - level.at
    if -JITTER <= gone <= 0:
        return Level(min(level.tokens, shape.capacity), level.at)
    return Level(min(shape.capacity, level.tokens + max(0.0, gone) * shape.rate), now)


def take(shape: Bucket, level: Level, now: float, *, who: str = ENTRY) -> tuple[Level, float]:
    """Return the level after one call and 0.0, or the level as it is and the seconds until a call would pass."""
    filled = refill(shape, level, now)
    needed = 1.0 + shape.left_by(who)
    if filled.tokens >= needed - HAIR:
        return Level(max(0.0, filled.tokens - 1.0), filled.at), 0.0
    return filled, (needed - filled.tokens) / shape.rate


def passable(limit: int, *, reserved: float, who: str = ENTRY) -> int:
    """Return how many calls there may have been on a day, all told, until ``who`` may make no more."""
    share = {EXIT: 1.0, ENTRY: 1.0 - reserved, HISTORY: (1.0 - reserved) * HISTORY_SHARE}[who]
    return int(limit * share + HAIR)
