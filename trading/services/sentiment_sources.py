"""The desk's registry, made from the settings once per process, and the names its symbols are known by."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

from django.conf import settings

from trading.adapters.news.newsapi import NewsApi
from trading.adapters.news.stub import Stub
from trading.adapters.news.twitter import Twitter
from trading.core.breakers import Rule
from trading.core.company_names import names_of
from trading.core.news import Provider
from trading.models.instruments import Instrument
from trading.services import sentiment_gates, sentiment_keeping
from trading.services.sentiment import TTL, Registry
from trading.services.sentiment_gates import Clock, Gate


def newsapi() -> Provider:
    """Return NewsAPI as the settings have it."""
    desk = settings.DESK
    return NewsApi(
        desk.sentiment_newsapi_api_key, desk.sentiment_newsapi_endpoint, timeout=desk.sentiment_provider_timeout,
        rate_limit=desk.sentiment_newsapi_rate_limit,
    )  # fmt: skip


def twitter() -> Provider:
    """Return Twitter as the settings have it."""
    desk = settings.DESK
    return Twitter(
        desk.sentiment_twitter_bearer_token, desk.sentiment_twitter_endpoint, timeout=desk.sentiment_provider_timeout,
        rate_limit=desk.sentiment_twitter_rate_limit,
    )  # fmt: skip


MAKERS: dict[str, Callable[[], Provider]] = {"newsapi": newsapi, "twitter": twitter, "stub": Stub}


def enabled() -> tuple[str, ...]:
    """Return the providers that are switched on, in the order to try; the stub is on when the order names it."""
    desk = settings.DESK
    on = {"newsapi": desk.sentiment_enable_newsapi, "twitter": desk.sentiment_enable_twitter}
    order = tuple(dict.fromkeys(desk.sentiment_provider_fallback_order))
    left_out = tuple(name for name, yes in on.items() if yes and name not in order)
    return tuple(name for name in order if on.get(name, True)) + left_out


def make_registry(
    names: Iterable[str], *, clock: Clock, sleep: Callable[[float], object] = time.sleep, neutral_stub: bool = False
) -> Registry:
    """Return a registry of the providers called ``names``, earliest first, over the desk's rows.

    With ``neutral_stub`` the stub says nothing good or bad, so that nothing made up is learned from.
    """
    desk = settings.DESK
    rule = Rule(desk.sentiment_circuit_breaker_threshold, desk.sentiment_circuit_breaker_cooldown * 60.0)
    gate, ledger = Gate(sentiment_gates.Rows(), clock=clock), sentiment_keeping.Rows()
    registry = Registry(gate, ledger, clock=clock, rule=rule, sleep=sleep, names=company_names)
    makers: dict[str, Callable[[], Provider]] = {**MAKERS, "stub": partial(Stub, 0.0)} if neutral_stub else MAKERS
    for priority, name in enumerate(names):
        weight = desk.sentiment_provider_weights.get(name, 1.0)
        ttl = desk.sentiment_cache_ttl_seconds.get(name, TTL)
        registry.register(name, makers[name](), weight=weight, priority=priority, ttl=ttl)
    return registry


class _Made:
    """The process's registry, and the settings and clock it was made with."""

    registry: Registry | None = None
    by: tuple[object, object] = (None, None)


_turn = threading.Lock()


def desk_registry(clock: Clock) -> Registry:
    """Return the process's registry of every provider that is switched on."""
    with _turn:
        if _Made.registry is None or _Made.by[0] is not settings.DESK or _Made.by[1] is not clock:
            _Made.registry, _Made.by = make_registry(enabled(), clock=clock), (settings.DESK, clock)
        return _Made.registry


def company_names(symbol: str) -> tuple[str, ...]:
    """Return the names ``symbol``'s company goes by, out of the instrument master and of what headlines say."""
    registered = Instrument.objects.filter(symbol=symbol).values_list("name", flat=True).first()
    return names_of(symbol, registered or "")
