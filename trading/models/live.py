"""What the pages show, as the engine last published it: one row per topic, replaced whole."""

from __future__ import annotations

from django.db import models


class Snapshot(models.Model):
    """The newest state of one topic. A reader with an older version, or another epoch, takes this one whole."""

    topic = models.CharField(max_length=40, primary_key=True)
    epoch = models.CharField(max_length=32, help_text="changes when the publisher starts anew")
    version = models.PositiveBigIntegerField()
    body = models.JSONField()
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        """Return topic and version."""
        return f"{self.topic} v{self.version}"
