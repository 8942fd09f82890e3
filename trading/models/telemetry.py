"""What was predicted before anything was known of it, and what came of it: appended, chained, never edited."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.db import models

from sensequant.lib.errors import NotAllowed
from trading.models.engine import EngineRun

KINDS = [("prediction", "prediction"), ("outcome", "outcome")]


class Appended(models.QuerySet["PredictionRecord"]):
    """Rows that can be read and added to."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Refuse: a prediction is never edited."""
        raise NotAllowed("predictions are never edited", fix="append what is new")

    def delete(self) -> NoReturn:
        """Refuse: a prediction is never deleted."""
        raise NotAllowed("predictions are never deleted", fix="leave them; an old run costs nothing")


class PredictionRecord(models.Model):
    """One link of a run's chain: a prediction, or the outcome of an earlier one."""

    run = models.ForeignKey(EngineRun, on_delete=models.PROTECT, related_name="predictions")
    number = models.PositiveIntegerField(help_text="counts the run's links from 1")
    kind = models.CharField(max_length=10, choices=KINDS)
    at = models.DateTimeField(help_text="market time it was known")
    symbol = models.CharField(max_length=32)
    strategy = models.CharField(max_length=32)
    order = models.PositiveIntegerField(help_text="number of the entry order")
    payload = models.TextField(help_text="JSON, as it was digested")
    previous = models.CharField(max_length=64, blank=True, help_text="digest of the link before")
    digest = models.CharField(max_length=64, help_text="SHA-256 of everything above")

    objects = Appended.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["run", "number"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["kind", "-at", "-id"], name="prediction_newest"),
            models.Index(fields=["run", "symbol", "order"], name="prediction_of_order"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "number"], name="prediction_record_once"),
            models.UniqueConstraint(fields=["run", "kind", "order"], name="prediction_scored_once"),
        ]

    def __str__(self) -> str:
        """Return what it is about."""
        return f"{self.run_id}:{self.number} {self.kind} {self.symbol}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Append; NotAllowed for a row that is already there."""
        if not self._state.adding:
            raise NotAllowed("predictions are never edited", fix="append what is new")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: a prediction is never deleted."""
        raise NotAllowed("predictions are never deleted", fix="leave them; an old run costs nothing")
