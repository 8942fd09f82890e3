"""The news as the desk knew them: every item with its source and moments, what came of each call, and each score."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from trading.core.breakers import Circuit

OUTCOMES = [(s, s) for s in ("ok", "empty", "failed", "skipped")]


class NewsItem(models.Model):
    """One headline or post, as it was found and scored; never changed afterwards."""

    provider = models.CharField(max_length=20)
    symbol = models.CharField(max_length=32)
    title = models.CharField(max_length=500, blank=True)
    text = models.TextField(blank=True)
    url = models.CharField(max_length=1000, blank=True)
    outlet = models.CharField(max_length=160, blank=True, help_text="who published it")
    published_at = models.DateTimeField()
    fetched_at = models.DateTimeField(help_text="before this the desk did not know it")
    text_hash = models.CharField(max_length=64, help_text="SHA-256 of its words")
    weight = models.FloatField(help_text="how much it counts: relevance and engagement")
    value = models.FloatField(help_text="−1 … 1")
    confidence = models.FloatField(help_text="0 … 1")
    scorer = models.CharField(max_length=80, help_text="name and version of what scored it")
    shingles = models.JSONField(default=list, help_text="what near-duplicates are told by")

    class Meta:
        ordering: ClassVar[list[str]] = ["-published_at", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["symbol", "-published_at"], name="news_item_symbol"),
            models.Index(fields=["provider", "symbol", "fetched_at"], name="news_item_known"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["provider", "symbol", "text_hash", "published_at"], name="news_item_once"),
            models.CheckConstraint(condition=Q(value__gte=-1, value__lte=1), name="news_item_value_bounds"),
            models.CheckConstraint(condition=Q(confidence__gte=0, confidence__lte=1), name="news_item_sure_bounds"),
            models.CheckConstraint(condition=Q(weight__gt=0), name="news_item_weight_positive"),
        ]

    def __str__(self) -> str:
        """Return the symbol and the headline."""
        return f"{self.symbol}: {(self.title or self.text)[:80]}"


class NewsProvider(models.Model):
    """One provider's state, shared by every process: its circuit breaker, its ration of requests, its counts."""

    name = models.CharField(max_length=20, unique=True)
    circuit = models.CharField(max_length=9, choices=[(c.value, c.value) for c in Circuit], default=Circuit.CLOSED)
    failures_in_row = models.PositiveIntegerField(default=0)
    until = models.FloatField(default=0.0, help_text="seconds UTC: open until, or the probe's end")
    paused_until = models.FloatField(default=0.0, help_text="seconds UTC: it asked us to wait")
    tokens = models.FloatField(help_text="requests left at ``refilled_at``")
    refilled_at = models.FloatField(help_text="seconds UTC")
    requests = models.PositiveBigIntegerField(default=0)
    successes = models.PositiveBigIntegerField(default=0)
    failures = models.PositiveBigIntegerField(default=0)
    cache_hits = models.PositiveBigIntegerField(default=0)
    cache_misses = models.PositiveBigIntegerField(default=0)
    latency_ms = models.FloatField(default=0.0, help_text="running average")
    openings = models.PositiveIntegerField(default=0, help_text="times its circuit opened")
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(tokens__gte=0), name="news_provider_never_negative")
        ]

    def __str__(self) -> str:
        """Return name and circuit."""
        return f"{self.name}: {self.circuit}"


class NewsCall(models.Model):
    """One question to a provider and what came of it; failures an hour are counted here."""

    at = models.DateTimeField(help_text="when it was over")
    provider = models.CharField(max_length=20)
    symbol = models.CharField(max_length=32)
    purpose = models.CharField(max_length=8, choices=[(s, s) for s in ("live", "snapshot")], default="live")
    outcome = models.CharField(max_length=7, choices=OUTCOMES)
    kind = models.CharField(max_length=30, blank=True, help_text="of the error")
    error = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=1)
    items = models.PositiveIntegerField(default=0)
    unusable = models.PositiveIntegerField(default=0)
    latency_ms = models.FloatField(default=0.0)
    value = models.FloatField(null=True, blank=True)
    confidence = models.FloatField(null=True, blank=True)
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the payload")

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["provider", "symbol", "-at"], name="news_call_newest"),
            models.Index(fields=["outcome", "-at"], name="news_call_outcome"),
        ]

    def __str__(self) -> str:
        """Return provider, symbol and outcome."""
        return f"{self.provider} {self.symbol}: {self.outcome}"


class SentimentScore(models.Model):
    """What the desk believed of a symbol from ``at`` on; no value is neutral. Appended, never changed."""

    symbol = models.CharField(max_length=32)
    at = models.DateTimeField()
    value = models.FloatField(null=True, blank=True, help_text="−1 … 1; none is neutral")
    confidence = models.FloatField(default=0.0, help_text="0 … 1")
    source = models.CharField(max_length=80, blank=True, help_text="who said it")
    parts = models.JSONField(default=list, help_text="[[provider, value, confidence, weight, seconds UTC], …]")
    reason = models.CharField(max_length=200, blank=True, help_text="why there is no value")

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "-id"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["symbol", "-at"], name="sentiment_score_symbol")]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(value=None) | Q(value__gte=-1, value__lte=1), name="sentiment_score_bounds"
            ),
        ]

    def __str__(self) -> str:
        """Return symbol and value."""
        return f"{self.symbol} {'neutral' if self.value is None else format(self.value, '+.2f')}"


class SnapshotFetch(models.Model):
    """One daily snapshot as it was fetched; a newer one of the same day replaces the file, not this row."""

    symbol = models.CharField(max_length=32)
    day = models.DateField(help_text="IST")
    fetched_at = models.DateTimeField(db_index=True)
    complete = models.BooleanField(help_text="fetched after its day was over")
    score = models.FloatField(help_text="−1 … 1")
    confidence = models.FloatField(help_text="0 … 1")
    providers = models.JSONField(default=list)
    metadata = models.JSONField(default=dict)
    path = models.CharField(max_length=700)

    class Meta:
        ordering: ClassVar[list[str]] = ["-fetched_at", "-id"]
        verbose_name_plural = "snapshot fetches"
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["symbol", "-day"], name="snapshot_fetch_day")]

    def __str__(self) -> str:
        """Return symbol and day."""
        return f"{self.symbol} {self.day}"
