"""News as they were found and scored, what came of each call, what was believed when, and daily snapshots."""

from __future__ import annotations

from django.contrib import admin

from trading.admin.base import Record
from trading.models import NewsCall, NewsItem, NewsProvider, SentimentScore, SnapshotFetch


@admin.register(NewsItem)
class NewsItemAdmin(Record):
    """One headline or post."""

    list_display = ("published_at", "fetched_at", "symbol", "provider", "title", "value", "confidence", "scorer")
    list_filter = ("provider", "scorer")
    search_fields = ("symbol", "title", "text", "outlet", "text_hash")
    date_hierarchy = "published_at"


@admin.register(NewsProvider)
class NewsProviderAdmin(Record):
    """One provider's state."""

    list_display = (
        "name", "circuit", "failures_in_row", "successes", "failures", "latency_ms", "last_success_at", "last_error",
    )  # fmt: skip
    list_filter = ("circuit",)
    search_fields = ("name", "last_error")


@admin.register(NewsCall)
class NewsCallAdmin(Record):
    """One question to a provider."""

    list_display = (
        "at",
        "provider",
        "symbol",
        "purpose",
        "outcome",
        "kind",
        "items",
        "attempts",
        "latency_ms",
        "error",
    )
    list_filter = ("outcome", "provider", "purpose", "kind")
    search_fields = ("symbol", "error", "digest")
    date_hierarchy = "at"


@admin.register(SentimentScore)
class SentimentScoreAdmin(Record):
    """What was believed of a symbol from a moment on."""

    list_display = ("at", "symbol", "value", "confidence", "source", "reason")
    list_filter = ("source",)
    search_fields = ("symbol", "source", "reason")
    date_hierarchy = "at"


@admin.register(SnapshotFetch)
class SnapshotFetchAdmin(Record):
    """One daily snapshot as it was fetched."""

    list_display = ("day", "symbol", "score", "confidence", "providers", "complete", "fetched_at", "path")
    list_filter = ("complete",)
    search_fields = ("symbol", "path")
    date_hierarchy = "day"
