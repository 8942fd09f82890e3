"""The numbers of one metric over one span of time as columns of a row; see ``stats``."""

from __future__ import annotations

from django.db import models

from sensequant.lib.stats import Stats


class Numbers(models.Model):
    """What a measure, a sample and a rollup have in common; made from ``Stats`` by ``Stats.columns``."""

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
