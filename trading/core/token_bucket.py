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


def take(bucket: Bucket, level: Level, now: float) -> tuple[Level, float]:
    """Return the level after one request and 0.0, or the level at ``now`` and the seconds until one would pass.

    A clock put back gives nothing, and the bucket fills from there.
    """
    capacity, rate = bucket
    tokens, at = level
    tokens = min(capacity, tokens + max(0.0, now - at) * rate)
    if tokens >= 1.0 - HAIR:
        return Level(max(0.0, tokens - 1.0), now), 0.0
    return Level(tokens, now), (1.0 - tokens) / rate
