"""How far each series was fetched, every fetching, and the bars that were made from ticks."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from trading.models.bars import INTERVAL_CHOICES

ORIGINS = [(s, s) for s in ("ticks", "partial", "history", "empty")]


class FetchState(models.Model):
    """How far one series is fetched. A row whose seal does not fit its words is not believed, and made anew."""

    symbol = models.CharField(max_length=32)
    interval = models.CharField(max_length=10, choices=INTERVAL_CHOICES)
    body = models.TextField(help_text="JSON: ranges fetched, last bar, when")
    seal = models.CharField(max_length=64, help_text="SHA-256 of the body")
    updated_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["symbol", "interval"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["symbol", "interval"], name="fetch_state_once")
        ]

    def __str__(self) -> str:
        """Return the series."""
        return f"{self.symbol} {self.interval}"


class FetchRun(models.Model):
    """One fetching: what was asked, how far it came, and what came of each symbol."""

    asked = models.JSONField()
    state = models.CharField(
        max_length=9, choices=[(s, s) for s in ("running", "done", "partial", "failed", "stopped")]
    )
    progress = models.FloatField(default=0.0, help_text="0 … 1")
    results = models.JSONField(default=dict, blank=True, help_text="per symbol")
    error = models.TextField(blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        """Return number and state."""
        return f"#{self.pk} {self.state}"


class StreamBar(models.Model):
    """One bar of a live session as the desk decided on it, and where it came from."""

    symbol = models.CharField(max_length=32)
    interval = models.CharField(max_length=10, choices=INTERVAL_CHOICES)
    start = models.DateTimeField()
    open = models.DecimalField(max_digits=14, decimal_places=4)
    high = models.DecimalField(max_digits=14, decimal_places=4)
    low = models.DecimalField(max_digits=14, decimal_places=4)
    close = models.DecimalField(max_digits=14, decimal_places=4)
    volume = models.PositiveBigIntegerField(null=True, blank=True, help_text="null when it is not known")
    origin = models.CharField(max_length=8, choices=ORIGINS, help_text="ticks; or history where the stream had a gap")
    ticks = models.PositiveIntegerField(default=0)
    late = models.PositiveIntegerField(default=0, help_text="ticks that came after it was closed")

    class Meta:
        ordering: ClassVar[list[str]] = ["symbol", "interval", "start"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["symbol", "interval", "start"], name="stream_bar_once"),
            models.CheckConstraint(
                condition=Q(low__gt=0, low__lte=F("open"), high__gte=F("close")) & Q(high__gte=F("low")),
                name="stream_bar_prices_in_order",
            ),
        ]

    def __str__(self) -> str:
        """Return symbol and start."""
        return f"{self.symbol} {self.start}"
