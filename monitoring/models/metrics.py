"""Numbers over time: ten-second samples, and the rollups they are folded into."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from sensequant.lib.numbers import Numbers


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
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["at"], name="rollup_moment"),
            models.Index(fields=["metric", "at"], name="rollup_series"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["metric", "width", "at"], name="rollup_once"),
            models.CheckConstraint(condition=Q(count__gt=0), name="rollup_counts_something"),
            models.CheckConstraint(condition=Q(low__lte=F("high")), name="rollup_low_is_not_above_high"),
        ]

    def __str__(self) -> str:
        """Return the metric and its span."""
        return f"{self.metric} {self.at:%Y-%m-%d %H:%M} UTC, {self.width} s"
