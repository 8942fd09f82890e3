"""Numbers a process of the desk took down, ten seconds a row, until monitoring has fetched them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Measure(models.Model):
    """One metric over ten seconds in one process."""

    metric = models.CharField(max_length=60)
    at = models.DateTimeField(help_text="where the ten seconds begin")
    low = models.FloatField()
    high = models.FloatField()
    total = models.FloatField()
    count = models.PositiveBigIntegerField()
    last = models.FloatField()
    counts = models.JSONField(default=dict, help_text="histogram: bucket of sensequant.lib.sketch to samples")

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        """Return the metric and its moment."""
        return f"{self.metric} {self.at:%Y-%m-%d %H:%M:%S} UTC"
