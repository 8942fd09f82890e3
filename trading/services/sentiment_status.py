"""How the news stand: what the page and the API show of providers, scores and headlines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from sensequant.lib.clock import IST
from sensequant.lib.errors import NotFound
from trading.core import demo
from trading.core.hybrid import Score
from trading.models import EngineRun, Instrument, NewsItem, SentimentScore
from trading.selectors import sentiment as selected
from trading.services import calendar as calendars
from trading.services import markets, sentiment_sources
from trading.services.news_history import SETTLED
from trading.services.sentiment import Registry
from trading.services.sentiment_gates import Clock
from trading.services.sentiment_keeping import HORIZON, made_again
from trading.services.sentiment_models import active_scorer
from trading.services.sentiment_refresh import followed

SHOWN: Final = 50
NO_TIME: Final = dt.timedelta()
HOWTO: Final = {
    "newsapi": "set SENTIMENT_ENABLE_NEWSAPI=true and SENTIMENT_NEWSAPI_API_KEY",
    "twitter": "set SENTIMENT_ENABLE_TWITTER=true and SENTIMENT_TWITTER_BEARER_TOKEN",
    "stub": "name it in SENTIMENT_PROVIDER_FALLBACK_ORDER; it makes calm scores up",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How the news of one symbol stand at a moment: the score in force, and the items that were known then."""

    symbol: str
    at: dt.datetime
    value: float | None
    confidence: float
    source: str
    stale: bool
    reason: str
    parts: list[dict[str, Any]]
    items: list[NewsItem]


def health(*, clock: Clock) -> dict[str, Any]:
    """Return how every provider does, off ones included, the cache, and how many calls failed within the hour."""
    registry, at = sentiment_sources.desk_registry(clock), clock()
    registry.tidy()
    states = registry.get_provider_health()
    providers = {
        each.name: {"enabled": True, "weight": each.weight, "ttl_seconds": each.ttl, "fix": "", **states[each.name]}
        for each in registry.sources
    }
    off = {name: {"enabled": False, "fix": fix} for name, fix in HOWTO.items() if name not in providers}
    failures = selected.failures_since(at - dt.timedelta(hours=1))
    return {
        "status": word(states), "providers": providers, "off": off, "fallback_order": registry.fallback_order,
        "scorer": active_scorer().version, "failures_last_hour": failures,
        "failures_alert": settings.DESK.monitoring_max_sentiment_failures, "cache": cache(registry, states),
        "troubles": [f"{each.message}: {each.fix}" for each in selected.troubles()],
    }  # fmt: skip


def word(states: dict[str, dict[str, Any]]) -> str:
    """Return how all providers together do: off, ok, degraded or down."""
    if not states:
        return "off"
    failing = [each for each in states.values() if each["consecutive_failures"]]
    return "ok" if not failing else "down" if len(failing) == len(states) else "degraded"


def cache(registry: Registry, states: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the sizes of this process's cache, and the looks into it of every process since the beginning."""
    hits, misses = (sum(each[name] for each in states.values()) for name in ("cache_hits", "cache_misses"))
    return {
        "entries": len(registry.cache), "most": registry.cache.size, "evictions": registry.cache.evictions,
        "hits": hits, "misses": misses, "hit_rate": round(100.0 * hits / (hits + misses), 2) if hits + misses else 0.0,
    }  # fmt: skip


def standing(symbol: str, *, clock: Clock) -> Standing:
    """Return how the news of ``symbol`` stand now; providers whose word is no longer fresh are asked, once each.

    NotFound for a symbol the desk knows nothing of.
    """
    known(symbol)
    registry = sentiment_sources.desk_registry(clock)
    score = registry.get_sentiment(symbol, attempts=1) if registry.sources else None
    at = clock()
    if score is None:
        return _kept(symbol, at)
    return _fresh(symbol, score, at)


def refreshed(symbol: str, *, clock: Clock) -> Standing:
    """Return how the news of ``symbol`` stand after every provider was asked, fresh or not."""
    known(symbol)
    registry = sentiment_sources.desk_registry(clock)
    score = registry.get_sentiment(symbol, attempts=1, force=True) if registry.sources else None
    return _fresh(symbol, score, clock()) if score else _kept(symbol, clock())


def standing_at(symbol: str, at: dt.datetime) -> Standing:
    """Return how the news of ``symbol`` stood at a moment, made again from what was known then."""
    known(symbol)
    return _kept(symbol, at, settled=SETTLED)


def known(symbol: str) -> None:
    """Refuse a symbol the desk neither follows nor has ever heard of: NotFound."""
    heard = symbol in followed() or Instrument.objects.filter(symbol=symbol).exists()
    if not heard and selected.score(symbol) is None and not selected.items(symbol).exists():
        raise NotFound(f"the desk follows no {symbol}", fix="name it in SYMBOLS, or see /api/v1/symbols")


def _fresh(symbol: str, score: Score, at: dt.datetime) -> Standing:
    parts = [_part(*part) for part in score.parts]
    said = "no provider answers; this was said before" if score.stale else ""
    return Standing(
        symbol, dt.datetime.fromtimestamp(score.at, dt.UTC), score.value, score.confidence, score.source, score.stale,
        said, parts, _items(symbol, at),
    )  # fmt: skip


def _kept(symbol: str, at: dt.datetime, *, settled: dt.timedelta = NO_TIME) -> Standing:
    """Return what was kept by ``at``; with ``settled``, what an engine that looked then would have known."""
    row = selected.score(symbol, at=at - settled)
    if row is None:
        return Standing(symbol, at, None, 0.0, "", False, "nothing was asked yet", [], _items(symbol, at))
    parts = [_part(*part) for part in made_again(row)]
    return Standing(
        symbol, row.at, row.value, row.confidence, row.source, False, row.reason, parts, _items(symbol, at)
    )  # fmt: skip


def _part(name: str, value: float, confidence: float, weight: float, seconds: float) -> dict[str, Any]:
    at = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return {"provider": name, "value": value, "confidence": confidence, "weight": weight, "at": at}


def _items(symbol: str, at: dt.datetime) -> list[NewsItem]:
    return list(selected.items(symbol, known_at=at).filter(published_at__gte=at - HORIZON)[:SHOWN])


def newest() -> list[SentimentScore]:
    """Return the newest score of every symbol."""
    return selected.scores()


def demo_news(run: EngineRun | None) -> Iterator[dict[str, Any]]:
    """Yield the generated market's news of its present and last session, newest first, as the demo desk knows them."""
    if run is None or run.source != markets.DEMO or run.cursor is None:
        return
    calendar, today = calendars.current(), run.cursor.astimezone(IST).date()
    first = calendar.previous_session(today)
    until, found = run.cursor.timestamp() + 60, []
    for symbol in run.plan["wanted"]["symbols"]:
        sessions = calendar.sessions(first, today, demo.instrument(symbol).segment)
        for seconds, value, text in demo.headlines(symbol, sessions, settings.DESK.demo_seed):
            if seconds <= until:
                at = dt.datetime.fromtimestamp(seconds, dt.UTC)
                found.append({"published_at": at, "symbol": symbol, "title": text, "value": value})
    yield from sorted(found, key=lambda row: row["published_at"], reverse=True)
