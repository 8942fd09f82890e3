"""What the news say: each symbol's score with what it is made of, and how the providers do."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from sensequant.lib.clock import now
from trading.api.auth import TRADE
from trading.api.fields import SYMBOL, AskedMoment, Moment, Number
from trading.api.paging import Page, Paging, paged
from trading.models import SentimentScore
from trading.selectors import sentiment as selected
from trading.services import sentiment_status
from trading.services.sentiment_status import Standing

router = Router(tags=["sentiment"])
Symbol = Annotated[str, Path(pattern=SYMBOL, description="NSE symbol.", example="DEMOBANK")]


class PartOut(Schema):
    """One provider's word."""

    provider: str = Field(description="Provider.", examples=["newsapi"])
    value: float = Field(description="-1 (bearish) to 1 (bullish).", examples=[0.45])
    confidence: float = Field(description="0 to 1.", examples=[0.8])
    weight: float = Field(description="Its weight; those of the providers that answered count.", examples=[0.6])
    at: Moment = Field(description="When it was so.")


class ItemOut(Schema):
    """One headline or post, as it was found and scored."""

    id: int = Field(description="Number of the item.", examples=[4711])
    provider: str = Field(description="Where it was found.", examples=["newsapi"])
    symbol: str = Field(description="NSE symbol it was found for.", examples=["RELIANCE"])
    title: str = Field(description="Headline; empty for a post.", examples=["Reliance profit beats every estimate"])
    text: str = Field(description="What stands below the headline, or the post.", examples=["Quarterly profit rose."])
    url: str = Field(description="Where it can be read; may be empty.", examples=["https://example.com/a"])
    outlet: str = Field(description="Who published it.", examples=["Example Times"])
    published_at: Moment = Field(description="When it was published.")
    fetched_at: Moment = Field(description="When the desk first knew it; before that it changes nothing.")
    text_hash: str = Field(description="SHA-256 of its words.", examples=["9f86d081"])
    weight: float = Field(description="How much it counts: relevance and engagement.", examples=[1.0])
    value: float = Field(description="-1 to 1.", examples=[0.6])
    confidence: float = Field(description="0 to 1.", examples=[0.7])
    scorer: str = Field(description="Name and version of what scored it.", examples=["lexicon-1"])


class NewsStandingOut(Schema):
    """How the news of a symbol stand."""

    symbol: str = Field(description="NSE symbol.", examples=["RELIANCE"])
    value: Number = Field(description="-1 (bearish) to 1 (bullish); null is neutral.", examples=[0.518])
    confidence: float = Field(description="0 to 1.", examples=[0.85])
    source: str = Field(description="A provider, or hybrid[…] for several.", examples=["hybrid[newsapi,twitter]"])
    at: Moment = Field(description="When it was so.")
    stale: bool = Field(description="No provider answered: what they last said.", examples=[False])
    reason: str = Field(description="Why there is no value, or an old one; may be empty.", examples=["no news"])
    providers: list[PartOut] = Field(validation_alias="parts", description="What it is made of.")
    items: list[ItemOut] = Field(description="The newest items that were known, newest first.")


class ScoreOut(Schema):
    """The newest score of one symbol."""

    id: int = Field(description="Number of the score.", examples=[17])
    symbol: str = Field(description="NSE symbol.", examples=["RELIANCE"])
    at: Moment = Field(description="When it was made.")
    value: Number = Field(description="-1 to 1; null is neutral.", examples=[0.518])
    confidence: float = Field(description="0 to 1.", examples=[0.85])
    source: str = Field(description="Who said it.", examples=["hybrid[newsapi,twitter]"])
    reason: str = Field(description="Why there is no value; may be empty.", examples=[""])


class ProviderOut(Schema):
    """How one provider does; one that is off has no figures."""

    enabled: bool = Field(description="It is switched on.", examples=[True])
    fix: str = Field(description="How to switch it on; empty when it is.", examples=[""])
    weight: Number = Field(default=None, description="Its weight in the average.", examples=[0.6])
    ttl_seconds: Number = Field(default=None, description="How long its word is fresh.", examples=[1800])
    is_healthy: bool | None = Field(default=None, description="Requests go through.", examples=[True])
    circuit_breaker_open: bool | None = Field(default=None, description="It is passed over.", examples=[False])
    circuit: str | None = Field(default=None, description="closed, open or half-open.", examples=["closed"])
    until: Moment | None = Field(default=None, description="When an open circuit is tried again.")
    paused_until: Moment | None = Field(default=None, description="It asked us to wait until then.")
    success_rate: Number = Field(default=None, description="Share of calls answered, %.", examples=[98.5])
    error_rate: Number = Field(default=None, description="Share of calls that failed, %.", examples=[1.5])
    avg_latency_ms: Number = Field(default=None, description="Running average.", examples=[245.3])
    consecutive_failures: int | None = Field(default=None, description="Failures in a row.", examples=[0])
    total_requests: int | None = Field(default=None, description="HTTP requests made.", examples=[120])
    successful_requests: int | None = Field(default=None, description="Calls answered.", examples=[118])
    failed_requests: int | None = Field(default=None, description="Calls that failed.", examples=[2])
    cache_hits: int | None = Field(default=None, description="Times its word was at hand.", examples=[900])
    cache_misses: int | None = Field(default=None, description="Times it was not.", examples=[120])
    cache_hit_rate: Number = Field(default=None, description="Share of hits, %.", examples=[88.2])
    last_success: Moment | None = Field(default=None, description="When it last answered.")
    last_failure: Moment | None = Field(default=None, description="When it last failed.")
    last_error: str | None = Field(default=None, description="What it last failed of.", examples=[None])
    times_opened: int | None = Field(default=None, description="Times its circuit opened.", examples=[0])
    requests_left: int | None = Field(default=None, description="Requests of this minute's ration left.", examples=[99])


class CacheOut(Schema):
    """How the cache of scores does."""

    entries: int = Field(description="Scores in this process.", examples=[6])
    most: int = Field(description="Most there can be; the least used make room.", examples=[1000])
    evictions: int = Field(description="Scores that made room.", examples=[0])
    hits: int = Field(description="Looks that found a fresh score, of every process.", examples=[900])
    misses: int = Field(description="Looks that did not.", examples=[120])
    hit_rate: float = Field(description="Share of hits, %.", examples=[88.2])


class ProvidersOut(Schema):
    """How the providers of news do."""

    status: str = Field(description="ok; degraded: one fails; down: all do; off: none is on.", examples=["ok"])
    providers: dict[str, ProviderOut] = Field(description="Those switched on, in the order they are asked.")
    off: dict[str, ProviderOut] = Field(description="Those that are not.")
    fallback_order: list[str] = Field(description="The order they are asked in.", examples=[["newsapi", "twitter"]])
    scorer: str = Field(description="What scores new items.", examples=["lexicon-1"])
    failures_last_hour: int = Field(description="Calls that failed within the hour.", examples=[0])
    failures_alert: int = Field(description="From this many on there is an alert.", examples=[5])
    cache: CacheOut = Field(description="The cache of scores.")
    troubles: list[str] = Field(description="What is wrong now, in words.", examples=[[]])


class ItemFilter(Schema):
    """Which items."""

    symbol: str | None = Field(default=None, pattern=SYMBOL, description="NSE symbol.", examples=["RELIANCE"])
    provider: str | None = Field(default=None, pattern="^[a-z]{1,20}$", description="Provider.", examples=["newsapi"])


@router.get("", response=list[ScoreOut], summary="The newest score of every symbol")
def listing(request: HttpRequest) -> list[SentimentScore]:
    """Return what the desk believes of each symbol it has news of, by symbol."""
    return sentiment_status.newest()


@router.get("/health", response=ProvidersOut, summary="How the providers do")
def health(request: HttpRequest) -> dict[str, Any]:
    """Return each provider's circuit, rates, latency and last error, and how the cache does."""
    return sentiment_status.health(clock=now)


@router.get("/items", response=Page[ItemOut], summary="List headlines and posts")
def items(request: HttpRequest, wanted: Query[ItemFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return items with their scores, the newest first."""
    rows: Any = selected.items(wanted.symbol or "", wanted.provider or "")
    return paged(request, rows, paging, ["published_at", "id"])


@router.get("/{symbol}", response=NewsStandingOut, summary="How the news of one symbol stand")
def standing(
    request: HttpRequest,
    symbol: Symbol,
    at: Annotated[AskedMoment | None, Query(description="As of this moment, out of what was known then.")] = None,
) -> Standing:
    """Return the score and what it is made of. Without `at`, providers whose word is no longer fresh are asked once."""
    return sentiment_status.standing_at(symbol, at) if at else sentiment_status.standing(symbol, clock=now)


@router.post("/{symbol}/refresh", response=NewsStandingOut, auth=TRADE, summary="Ask the providers now")
def refresh(request: HttpRequest, symbol: Symbol) -> Standing:
    """Ask every provider whose circuit is not open, fresh or not, and return how the news stand then."""
    return sentiment_status.refreshed(symbol, clock=now)
