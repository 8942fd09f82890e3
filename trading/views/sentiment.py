"""The Sentiment page: how the providers of news do, what is believed of each symbol, and the headlines behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sensequant.lib.clock import now
from trading.models import NewsItem
from trading.selectors import live
from trading.selectors import sentiment as selected
from trading.services import sentiment_status
from trading.views import columns
from trading.views.tables import paged

DEMO_SHOWN = 20
PROVIDERS = ("newsapi", "twitter")


@require_safe
@login_required
def sentiment_page(request: HttpRequest) -> HttpResponse:
    """Show providers, scores and headlines; headlines narrow by symbol and provider."""
    health = sentiment_status.health(clock=now)
    symbol, provider = request.GET.get("symbol", "").strip().upper(), request.GET.get("provider", "")
    provider = provider if provider in PROVIDERS else ""
    page = paged(request, selected.items(symbol.replace("\x00", ""), provider))
    context: dict[str, Any] = {
        "health": health,
        "providers": list(_providers(health)),
        "scores": sentiment_status.newest(),
        "page": page,
        "items": list(_items(page.object_list)),
        "calls": selected.failed_calls(),
        "demo": list(sentiment_status.demo_news(live.current_run()))[:DEMO_SHOWN],
        "symbol": symbol,
        "provider": provider,
        "known": selected.symbols(),
        "choices": PROVIDERS,
        "columns": {
            "providers": columns.SENTIMENT_PROVIDERS,
            "scores": columns.SENTIMENT_SCORES,
            "items": columns.SENTIMENT_ITEMS,
            "calls": columns.SENTIMENT_CALLS,
            "demo": columns.DEMO_NEWS,
        },
    }
    return render(request, "trading/sentiment.html", context)


def _providers(health: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row for every provider; one that is off says how to switch it on."""
    for name, each in health["providers"].items():
        until = each["until"] or each["paused_until"]
        yield {"name": name, **each, "until": until if until and until > now() else None}
    for name, each in health["off"].items():
        yield {"name": name, "circuit": "off", "last_error": each["fix"]}


def _items(rows: Iterable[NewsItem]) -> Iterator[dict[str, Any]]:
    for row in rows:
        cells = {column.key: getattr(row, column.key, None) for column in columns.SENTIMENT_ITEMS}
        yield {**cells, "headline": row.title or row.text, "url": row.url, "text": row.text if row.title else ""}
