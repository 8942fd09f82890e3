"""What is remembered of the news: items, scores, calls, and what is wrong with the providers now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import Max, QuerySet

from trading.models import Condition, NewsCall, NewsItem, SentimentScore

CODES = ("sentiment-down", "sentiment-failures-high")


def items(symbol: str = "", provider: str = "", *, known_at: dt.datetime | None = None) -> QuerySet[NewsItem]:
    """Return items, the newest first; only those of a symbol or provider, or known at a moment, when asked."""
    rows = NewsItem.objects.all()
    if symbol:
        rows = rows.filter(symbol=symbol)
    if provider:
        rows = rows.filter(provider=provider)
    if known_at:
        rows = rows.filter(fetched_at__lte=known_at, published_at__lte=known_at)
    return rows.order_by("-published_at", "-id")


def scores(symbols: Sequence[str] = ()) -> list[SentimentScore]:
    """Return each symbol's newest score, by symbol."""
    rows = SentimentScore.objects.filter(symbol__in=symbols) if symbols else SentimentScore.objects.all()
    newest = [row["newest"] for row in rows.order_by().values("symbol").annotate(newest=Max("id"))]
    return list(SentimentScore.objects.filter(pk__in=newest).order_by("symbol"))


def score(symbol: str, *, at: dt.datetime | None = None) -> SentimentScore | None:
    """Return a symbol's newest score, or the one in force at a moment."""
    rows = SentimentScore.objects.filter(symbol=symbol)
    return (rows.filter(at__lte=at) if at else rows).first()


def newest_score() -> int:
    """Return the number of the newest score of any symbol; 0 before the first."""
    return SentimentScore.objects.aggregate(newest=Max("id"))["newest"] or 0


def symbols() -> list[str]:
    """Return every symbol there are items of."""
    return list(NewsItem.objects.order_by("symbol").values_list("symbol", flat=True).distinct())


def failed_calls(most: int = 10) -> list[NewsCall]:
    """Return the newest calls that failed."""
    return list(NewsCall.objects.filter(outcome="failed")[:most])


def failures_since(since: dt.datetime) -> int:
    """Return how many calls to providers failed since a moment: what the rule of sentiment failures counts."""
    return NewsCall.objects.filter(outcome="failed", at__gte=since).count()


def troubles() -> list[Condition]:
    """Return what is wrong with the providers of news now."""
    return list(Condition.objects.filter(code__in=CODES, until=None))
