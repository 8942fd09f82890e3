"""Numbers over time: ten-second samples, and the rollups they are folded into."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from sensequant.lib.stats import Stats


class Numbers(models.Model):
    """What a sample and a rollup have in common."""

    metric = models.CharField(max_length=60)
    at = models.DateTimeField(help_text="where the span begins")
    low = models.FloatField()
    high = models.FloatField()
    total = models.FloatField()
    count = models.PositiveBigIntegerField()
    last = models.FloatField()
    counts = models.JSONField(default=dict, help_text="histogram: bucket of sensequant.lib.sketch to samples")

    class Meta:
        abstract = True

    @property
    def stats(self) -> Stats:
        """Return the numbers."""
        return Stats(self.low, self.high, self.total, self.count, self.last, self.at.timestamp(), dict(self.counts))

    @property
    def avg(self) -> float:
        """Return the mean."""
        return self.total / self.count


class Sample(Numbers):
    """Ten seconds of one metric; several processes may each have written one."""

    rolled = models.BooleanField(default=False, help_text="part of its rollup already")

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["metric", "-at"], name="sample_newest"),
            models.Index(fields=["id"], condition=Q(rolled=False), name="sample_to_roll"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(count__gt=0), name="sample_counts_something"),
        ]

    def __str__(self) -> str:
        """Return the metric and its moment."""
        return f"{self.metric} {self.at:%Y-%m-%d %H:%M:%S} UTC"


class Rollup(Numbers):
    """One span of ``width`` seconds of one metric; a late sample changes it, a repeated run does not."""

    width = models.PositiveIntegerField(help_text="seconds")

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "metric"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["at"], name="rollup_moment")]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["metric", "width", "at"], name="rollup_once"),
            models.CheckConstraint(condition=Q(count__gt=0), name="rollup_counts_something"),
            models.CheckConstraint(condition=Q(low__lte=F("high")), name="rollup_low_is_not_above_high"),
        ]

    def __str__(self) -> str:
        """Return the metric and its span."""
        return f"{self.metric} {self.at:%Y-%m-%d %H:%M} UTC, {self.width} s"
