"""How often a provider may be asked: a bucket of tokens that fills up again steadily, as arithmetic."""

from __future__ import annotations

from typing import Final, NamedTuple

from trading.core.errors import Invalid

HAIR: Final = 1e-9  # less than this is rounding


class Bucket(NamedTuple):
    """At most ``capacity`` requests at once, ``rate`` more a second."""

    capacity: float
    rate: float


class Level(NamedTuple):
    """Tokens in a bucket at ``at`` (seconds)."""

    tokens: float
    at: float


def per_minute(limit: int) -> Bucket:
    """Return the bucket of ``limit`` requests a minute; Invalid below 1."""
    if limit < 1:
        raise Invalid(f"a limit of {limit} requests a minute cannot be used: give at least 1")
    return Bucket(float(limit), limit / 60.0)


def full(bucket: Bucket, at: float) -> Level:
    """Return a bucket nobody has used."""
    return Level(bucket.capacity, at)


def refill(bucket: Bucket, level: Level, now: float) -> Level:
    """Return the level at ``now``; a clock put back gives nothing, and the bucket fills from there."""
    gained = max(0.0, now - level.at) * bucket.rate
    return Level(min(bucket.capacity, level.tokens + gained), now)


def take(bucket: Bucket, level: Level, now: float) -> tuple[Level, float]:
    """Return the level after one request and 0.0, or the level as it is and the seconds until one would pass."""
    filled = refill(bucket, level, now)
    if filled.tokens >= 1.0 - HAIR:
        return Level(max(0.0, filled.tokens - 1.0), now), 0.0
    return filled, (1.0 - filled.tokens) / bucket.rate
