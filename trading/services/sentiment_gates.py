"""Who may ask which provider of news now: its circuit breaker and its ration, in memory or in rows processes share."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from django.db import transaction
from django.db.models import F

from sensequant.lib.clock import ist
from sensequant.lib.logs import get_logger
from trading.adapters.news.errors import Barred, ProviderError, Rationed
from trading.core import provider_health
from trading.core.breakers import Breaker, Circuit
from trading.core.provider_health import Health, Limits
from trading.core.token_bucket import Level
from trading.models.sentiment import NewsProvider

T = TypeVar("T")
Clock = Callable[[], dt.datetime]
Move = Callable[[Health, Limits, float], tuple[Health, T]]
log = get_logger("sentiment")


class Store(Protocol):
    """Where the health of providers is kept; ``change`` is one step nobody else comes between."""

    def change(self, name: str, limits: Limits, now: float, move: Move[T]) -> T:
        """Replace the health of ``name`` by what ``move`` makes of it and return what it says besides."""
        ...

    def look(self, names: Mapping[str, Limits], now: float) -> dict[str, Health]:
        """Return the health of every provider of ``names``."""
        ...


class Memory:
    """Health in this process alone."""

    def __init__(self) -> None:
        """Begin with nobody asked yet."""
        self._known: dict[str, Health] = {}
        self._turn = threading.Lock()

    def change(self, name: str, limits: Limits, now: float, move: Move[T]) -> T:
        """Do as ``Store`` says."""
        with self._turn:
            self._known[name], told = move(self._known.get(name) or provider_health.fresh(limits, now), limits, now)
        return told

    def look(self, names: Mapping[str, Limits], now: float) -> dict[str, Health]:
        """Do as ``Store`` says."""
        return {name: self._known.get(name) or provider_health.fresh(limits, now) for name, limits in names.items()}


class Rows:
    """Health in the database, for every process of the desk; never used inside a transaction."""

    def change(self, name: str, limits: Limits, now: float, move: Move[T]) -> T:
        """Do as ``Store`` says: the row is locked by an update that changes nothing, on SQLite and PostgreSQL alike."""
        with transaction.atomic(durable=True):
            mine = NewsProvider.objects.filter(name=name)
            if not mine.update(requests=F("requests")):
                first = _row(NewsProvider(name=name), provider_health.fresh(limits, now))
                NewsProvider.objects.bulk_create([first], ignore_conflicts=True)
                mine.update(requests=F("requests"))
            row = mine.get()
            health, told = move(_health(row), limits, now)
            _row(row, health).save()
        return told

    def look(self, names: Mapping[str, Limits], now: float) -> dict[str, Health]:
        """Do as ``Store`` says."""
        known = {row.name: _health(row) for row in NewsProvider.objects.filter(name__in=list(names))}
        return {name: known.get(name) or provider_health.fresh(limits, now) for name, limits in names.items()}


class Gate:
    """The providers' health and the moves every call makes on it; ``clock`` gives the present moment."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        """Keep what happens in ``store``."""
        self.store, self.clock = store, clock
        self.limits: dict[str, Limits] = {}

    def admit(self, name: str) -> bool:
        """Return whether the call is the probe of a half-open circuit; Barred when nothing may be asked now."""

        def move(health: Health, limits: Limits, now: float) -> tuple[Health, tuple[str, bool, float]]:
            after, why = provider_health.admit(health, limits, now)
            until = max(after.paused_until, after.breaker.until)
            return after, (why, after.breaker.state is Circuit.HALF_OPEN, until)

        why, probing, until = self._change(name, move)
        if why:
            at = dt.datetime.fromtimestamp(until, dt.UTC)
            raise Barred(name, f"{why} until {ist(at):%H:%M:%S} IST", retry_after=until - self.clock().timestamp())
        return probing

    def spend(self, name: str) -> None:
        """Take one request out of the ration; Rationed when it is spent."""
        wait = self._change(name, provider_health.spend)
        if wait:
            limit = self.limits[name].bucket.capacity
            raise Rationed(name, f"our ration of {limit:.0f} requests a minute is spent", retry_after=wait)

    def succeeded(self, name: str, latency_ms: float) -> None:
        """Take note of an answer."""

        def move(health: Health, _: Limits, now: float) -> tuple[Health, bool]:
            after = provider_health.succeeded(health, now, latency_ms)
            return after, health.breaker.state is not after.breaker.state

        if self._change(name, move):
            log.info("circuit closed", provider=name)

    def failed(self, name: str, error: ProviderError) -> None:
        """Take note of a failure; an error that is not the provider's frees a probe's place and nothing more."""

        def move(health: Health, limits: Limits, now: float) -> tuple[Health, Health | None]:
            if not error.failure:
                return provider_health.released(health), None
            after = provider_health.failed(health, limits, now, str(error)[:300], pause=error.retry_after)
            opened = after.breaker.state is Circuit.OPEN and health.breaker.state is not Circuit.OPEN
            return after, after if opened else None

        opened = self._change(name, move)
        if opened:
            until = ist(dt.datetime.fromtimestamp(opened.breaker.until, dt.UTC))
            log.warning(
                "Circuit breaker OPEN", provider=name, failures=opened.breaker.failures, error=str(error),
                cooldown_until=f"{until:%H:%M}",
            )  # fmt: skip

    def release(self, name: str) -> None:
        """Take note that a call was given up; a probe's place is free again."""
        self._change(name, lambda health, _, __: (provider_health.released(health), None))

    def count(self, found: Mapping[str, tuple[int, int]]) -> None:
        """Add looks into the cache: hits and misses by provider."""
        for name, (hits, misses) in found.items():
            if name in self.limits and (hits or misses):
                self._change(name, _counting(hits, misses))

    def health(self) -> dict[str, Health]:
        """Return the health of every provider."""
        return self.store.look(self.limits, self.clock().timestamp())

    def _change(self, name: str, move: Move[T]) -> T:
        return self.store.change(name, self.limits[name], self.clock().timestamp(), move)


def _counting(hits: int, misses: int) -> Move[None]:
    def move(health: Health, _: Limits, __: float) -> tuple[Health, None]:
        seen = health._replace(cache_hits=health.cache_hits + hits, cache_misses=health.cache_misses + misses)
        return seen, None

    return move


def _health(row: NewsProvider) -> Health:
    return Health(
        Level(row.tokens, row.refilled_at), Breaker(Circuit(row.circuit), row.failures_in_row, row.until),
        row.paused_until, row.requests, row.successes, row.failures, row.cache_hits, row.cache_misses, row.latency_ms,
        _seconds(row.last_success_at), _seconds(row.last_failure_at), row.last_error, row.openings,
    )  # fmt: skip


def _row(row: NewsProvider, health: Health) -> NewsProvider:
    row.tokens, row.refilled_at = health.level
    row.circuit, row.failures_in_row, row.until = health.breaker
    row.paused_until, row.requests = health.paused_until, health.requests
    row.successes, row.failures, row.openings = health.successes, health.failures, health.openings
    row.cache_hits, row.cache_misses, row.latency_ms = health.cache_hits, health.cache_misses, health.latency_ms
    row.last_success_at, row.last_failure_at = _moment(health.last_success), _moment(health.last_failure)
    row.last_error = health.last_error
    return row


def _seconds(at: dt.datetime | None) -> float:
    return at.timestamp() if at else 0.0


def _moment(seconds: float) -> dt.datetime | None:
    return dt.datetime.fromtimestamp(seconds, dt.UTC) if seconds else None
