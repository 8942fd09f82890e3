"""How one provider of news is doing: its breaker, its bucket and its counts, and the moves every request makes.

The same functions run over a dictionary in memory and over rows that processes share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from trading.core import breakers, token_bucket
from trading.core.breakers import Breaker, Circuit, Rule
from trading.core.token_bucket import Bucket, Level

SMOOTHING: Final = 0.2  # of the newest latency in the average
USUAL: Final = Rule()
UNTRIED: Final = Breaker()
LONGEST_PAUSE: Final = 3_600.0  # seconds a provider may keep us waiting by Retry-After


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds the requests to one provider."""

    bucket: Bucket
    rule: Rule = USUAL


class Health(NamedTuple):
    """One provider's state; moments are seconds UTC, 0 for never, ``latency_ms`` a running average."""

    level: Level
    breaker: Breaker = UNTRIED
    paused_until: float = 0.0
    requests: int = 0
    successes: int = 0
    failures: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    latency_ms: float = 0.0
    last_success: float = 0.0
    last_failure: float = 0.0
    last_error: str = ""
    openings: int = 0

    @property
    def success_rate(self) -> float:
        """Return the share of calls that were answered, in per cent; 100 before the first."""
        done = self.successes + self.failures
        return 100.0 * self.successes / done if done else 100.0

    @property
    def error_rate(self) -> float:
        """Return the share of calls that failed, in per cent."""
        return 100.0 - self.success_rate

    @property
    def hit_rate(self) -> float:
        """Return the share of looks into the cache that found something, in per cent; 0 before the first."""
        looks = self.cache_hits + self.cache_misses
        return 100.0 * self.cache_hits / looks if looks else 0.0

    @property
    def healthy(self) -> bool:
        """Say whether requests go through."""
        return self.breaker.state is Circuit.CLOSED


def fresh(limits: Limits, now: float) -> Health:
    """Return the health of a provider that was never asked."""
    return Health(token_bucket.full(limits.bucket, now))


def admit(health: Health, limits: Limits, now: float) -> tuple[Health, str]:
    """Return the health and why nothing may be asked now; an empty text when it may."""
    if now < health.paused_until <= now + LONGEST_PAUSE:
        return health, "it asked us to wait"
    breaker, passes = breakers.admit(health.breaker, limits.rule, now)
    return health._replace(breaker=breaker), "" if passes else f"its circuit is {breaker.state}"


def spend(health: Health, limits: Limits, now: float) -> tuple[Health, float]:
    """Return the health after one request, or as it is with the seconds until the bucket lets one through."""
    level, wait = token_bucket.take(limits.bucket, health.level, now)
    return health._replace(level=level, requests=health.requests + (0 if wait else 1)), wait


def succeeded(health: Health, now: float, latency_ms: float) -> Health:
    """Return the health after an answer."""
    mean = health.latency_ms + SMOOTHING * (latency_ms - health.latency_ms) if health.successes else latency_ms
    return health._replace(
        breaker=breakers.succeeded(health.breaker), paused_until=0.0, successes=health.successes + 1,
        latency_ms=mean, last_success=now,
    )  # fmt: skip


def failed(health: Health, limits: Limits, now: float, error: str, *, pause: float = 0.0) -> Health:
    """Return the health after a failure; ``pause`` is how many seconds the provider asked us to wait."""
    breaker = breakers.failed(health.breaker, limits.rule, now)
    opened = breaker.state is Circuit.OPEN and health.breaker.state is not Circuit.OPEN
    return health._replace(
        breaker=breaker, failures=health.failures + 1, last_failure=now, last_error=error,
        openings=health.openings + opened, paused_until=now + min(pause, LONGEST_PAUSE) if pause > 0.0 else 0.0,
    )  # fmt: skip


def released(health: Health) -> Health:
    """Return the health after a request that was not made after all: a probe's place is free again."""
    if health.breaker.state is Circuit.HALF_OPEN:
        return health._replace(breaker=health.breaker._replace(until=0.0))
    return health
