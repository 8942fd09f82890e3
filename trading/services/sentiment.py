"""The registry of providers of news: who is asked in what order, what their words come to, and who is passed over.

A provider whose score is fresh is not asked. One that fails is passed over: its circuit opens after too many failures,
and the weights of those that answered add up to one. When nobody answers, what they last said is the last resort, ever
less sure, for six hours; then there is no score, and the desk trades as if there were no news.
"""

from __future__ import annotations

import datetime as dt
import functools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sensequant.lib import measures
from sensequant.lib.logs import get_logger
from trading.adapters.news.errors import Barred, ProviderError
from trading.core.breakers import Circuit, Rule
from trading.core.hybrid import Part, Score, aged, average
from trading.core.news import Answer, Provider, Question
from trading.core.provider_health import USUAL, Health, Limits
from trading.core.score_cache import Entry, ScoreCache
from trading.core.token_bucket import per_minute
from trading.services.sentiment_gates import Clock, Gate
from trading.services.sentiment_keeping import HORIZON, Call, Ledger

BACKOFF: Final = (1.0, 2.0, 4.0)  # seconds between attempts after transient errors
ATTEMPTS: Final = 1 + len(BACKOFF)
TTL: Final = 3_600.0
LAST_RESORT: Final = 6 * 3_600.0  # seconds a score may be used when nobody answers
log = get_logger("sentiment")


class Stopping(Exception):
    """The process is stopping; nothing more is asked."""


@dataclass(frozen=True, slots=True)
class Source:
    """A registered provider: its share in the average, its place in the order, and how long (s) its word is fresh."""

    name: str
    provider: Provider
    weight: float
    priority: int
    ttl: float


@dataclass(slots=True)
class _Heard:
    """How one question went: whether anybody was asked and answered, and whether another thread is still asking."""

    asked: bool = False
    answered: bool = False
    waiting: bool = False


class Registry:
    """Providers under one roof; safe to share between threads.

    ``clock`` gives the present moment, ``sleep`` waits between attempts (it may raise ``Stopping``), ``names`` returns
    the names a symbol's company goes by.
    """

    def __init__(
        self, gate: Gate, ledger: Ledger, *, clock: Clock, rule: Rule = USUAL, cache: ScoreCache | None = None,
        sleep: Callable[[float], object] = time.sleep, names: Callable[[str], tuple[str, ...]] = lambda _: (),
    ) -> None:  # fmt: skip
        """Begin without providers."""
        self.gate, self.ledger, self.clock, self.rule = gate, ledger, clock, rule
        self.cache = cache or ScoreCache()
        self.sleep, self.names = sleep, names
        self.sources: tuple[Source, ...] = ()
        self._busy: set[tuple[str, str]] = set()
        self._turn = threading.Lock()

    def register(
        self, name: str, provider: Provider, *, weight: float = 1.0, priority: int = 0, ttl: float = TTL
    ) -> None:
        """Add a provider, or replace the one of that name; a lower ``priority`` is asked earlier."""
        self.gate.limits[name] = Limits(per_minute(provider.metadata.rate_limit_per_minute), self.rule)
        others = [each for each in self.sources if each.name != name]
        self.sources = tuple(sorted([*others, Source(name, provider, weight, priority, ttl)], key=lambda s: s.priority))

    def unregister(self, name: str) -> None:
        """Take a provider away; nothing happens when there is none of that name."""
        self.sources = tuple(each for each in self.sources if each.name != name)
        self.gate.limits.pop(name, None)

    @property
    def fallback_order(self) -> list[str]:
        """Return the names in the order they are asked."""
        return [each.name for each in self.sources]

    def get_sentiment(
        self, symbol: str, *, use_weighted_average: bool = True, attempts: int = ATTEMPTS, force: bool = False
    ) -> Score | None:
        """Return the score of ``symbol``; None when there is no news, or nobody answers and nothing is left to use.

        With ``use_weighted_average`` false it is that of the first provider that has one. ``attempts`` is how often a
        provider is asked at most in the face of transient errors; ``force`` asks even those whose score is fresh.
        """
        now = self.clock().timestamp()
        parts: list[Part] = []
        heard = _Heard()
        for source in self.sources:
            entry = None if force else self._at_hand(source, symbol, now)
            if entry is None:
                entry = self._ask(source, symbol, attempts, heard)
            heard.answered = heard.answered or entry is not None
            if entry and entry.part:
                parts.append(entry.part._replace(weight=source.weight))
                if not use_weighted_average:
                    break
        return self._concluded(symbol, parts, heard)

    def _concluded(self, symbol: str, parts: Sequence[Part], heard: _Heard) -> Score | None:
        """Return what the parts come to, and keep it when somebody was asked for it and nobody else is asking."""
        if not heard.asked and parts:
            return _at_hand(tuple(parts))
        at = self.clock()
        score = average(parts, at.timestamp())
        if score is None and not heard.answered and self.sources:
            score = self._last_resort(symbol, at)
            if score is not None:
                return score
        if heard.asked and not heard.waiting:
            reason = "" if score else "no news" if heard.answered else "no provider answers"
            self.ledger.conclude(symbol, score, at=at, reason=reason)
        return score

    def _at_hand(self, source: Source, symbol: str, now: float) -> Entry | None:
        """Return what is fresh: in this process, or in what another one was told."""
        entry = self.cache.get(source.name, symbol, now)
        if entry is None:
            since = dt.datetime.fromtimestamp(now - source.ttl, dt.UTC)
            found = self.ledger.newest(source.name, symbol, since)
            if found is not None and found.at <= now < found.at + source.ttl:
                entry = found._replace(expires=found.at + source.ttl)
                self.cache.put(source.name, symbol, entry)
        return entry

    def _ask(self, source: Source, symbol: str, attempts: int, heard: _Heard) -> Entry | None:
        """Return what the provider says now; None when it fails or must not be asked, or another thread is asking."""
        key = (source.name, symbol)
        with self._turn:
            if key in self._busy:
                heard.waiting = True
                return None
            self._busy.add(key)
        heard.asked = True
        try:
            return self._called(source, symbol, attempts)
        finally:
            self._busy.discard(key)

    def _called(self, source: Source, symbol: str, attempts: int) -> Entry | None:
        now = self.clock()
        question = Question(symbol, self.names(symbol), now - HORIZON, now, now)
        call = Call(source.provider.metadata, question)
        try:
            call, answer = self.fetch(source.provider, call, attempts)
        except Barred:
            return None  # said when its circuit opened
        except ProviderError as error:
            self.ledger.failed(call, error, at=self.clock())
            log.warning("a provider of news failed", provider=source.name, symbol=symbol, error=str(error))
            return None
        at = self.clock()
        part = self.ledger.keep(call, answer, at=at)
        entry = Entry(part, at.timestamp(), at.timestamp() + source.ttl)
        self.cache.put(source.name, symbol, entry)
        return entry

    def fetch(self, provider: Provider, call: Call, attempts: int = ATTEMPTS) -> tuple[Call, Answer]:
        """Return a provider's answer and the call as it went; Barred or another provider error when there is none.

        Transient errors are met with more attempts, one, two and four seconds apart; a half-open circuit lets one
        attempt through.
        """
        name = provider.metadata.name
        most = 1 if self.gate.admit(name) else max(1, attempts)
        try:
            attempt, elapsed, answer = self._patiently(provider, call.question, most)
        except ProviderError as error:
            self.gate.failed(name, error)
            raise
        except Stopping:
            self.gate.release(name)
            raise
        except Exception as error:
            broken = Broken(name, f"{type(error).__name__}: {error}"[:200])
            self.gate.failed(name, broken)
            log.exception("a provider of news broke", provider=name)
            raise broken from error
        self.gate.succeeded(name, elapsed)
        measures.record("perf_sentiment_api_latency", elapsed)
        return replace(call, attempts=attempt, latency_ms=elapsed), answer

    def _patiently(self, provider: Provider, question: Question, most: int) -> tuple[int, float, Answer]:
        """Return the attempt that was answered, how long it took (ms), and the answer."""
        attempt = 0
        while True:
            attempt += 1
            begun = time.perf_counter()
            try:
                answer = provider.fetch(question, lambda: self.gate.spend(provider.metadata.name))
            except ProviderError as error:
                if not error.transient or attempt >= most:
                    raise
                self.sleep(BACKOFF[min(attempt, len(BACKOFF)) - 1])
            else:
                return attempt, (time.perf_counter() - begun) * 1e3, answer

    def _last_resort(self, symbol: str, at: dt.datetime) -> Score | None:
        """Return what was last said of a symbol, less sure the older it is."""
        now, parts = at.timestamp(), []
        for source in self.sources:
            entry = self.cache.last(source.name, symbol)
            entry = entry or self.ledger.newest(source.name, symbol, at - dt.timedelta(seconds=LAST_RESORT))
            if entry and entry.part and 0.0 <= now - entry.at <= LAST_RESORT:
                parts.append(aged(entry.part, now)._replace(weight=source.weight))
        score = average(parts, now)
        if score is None:
            return None
        oldest = min(part.at for part in parts)
        log.info("no provider answers; an old score is used", symbol=symbol, minutes=round((now - oldest) / 60.0))
        return replace(score, stale=True, metadata={**score.metadata, "stale": True, "age_s": round(now - oldest)})

    def tidy(self) -> None:
        """Write the cache's counts down and drop what nobody can use any more."""
        self.gate.count(self.cache.counted())
        self.cache.cleanup(self.clock().timestamp(), keep=LAST_RESORT)

    def get_provider_health(self) -> dict[str, dict[str, Any]]:
        """Return each provider's state as the document lays it out, in the order they are asked."""
        known = self.gate.health()
        return {each.name: told(known[each.name]) for each in self.sources}


@functools.lru_cache(maxsize=1_024)
def _at_hand(parts: tuple[Part, ...]) -> Score | None:
    """Return the score of parts at hand, as of the newest of them; worked out once for as long as they stay."""
    return average(parts, max((part.at for part in parts), default=0.0))


class Broken(ProviderError):
    """A provider's adapter failed in a way nobody foresaw."""

    code = "provider_broken"


def told(health: Health) -> dict[str, Any]:
    """Return one provider's health as plain values; moments are aware."""
    return {
        "is_healthy": health.healthy, "circuit_breaker_open": health.breaker.state is Circuit.OPEN,
        "circuit": health.breaker.state.value, "until": _moment(health.breaker.until),
        "paused_until": _moment(health.paused_until), "success_rate": round(health.success_rate, 2),
        "error_rate": round(health.error_rate, 2), "avg_latency_ms": round(health.latency_ms, 1),
        "consecutive_failures": health.breaker.failures, "total_requests": health.requests,
        "successful_requests": health.successes, "failed_requests": health.failures,
        "cache_hits": health.cache_hits, "cache_misses": health.cache_misses,
        "cache_hit_rate": round(health.hit_rate, 2), "last_success": _moment(health.last_success),
        "last_failure": _moment(health.last_failure), "last_error": health.last_error or None,
        "times_opened": health.openings, "requests_left": int(health.level.tokens),
    }  # fmt: skip


def _moment(seconds: float) -> dt.datetime | None:
    return dt.datetime.fromtimestamp(seconds, dt.UTC) if seconds else None
