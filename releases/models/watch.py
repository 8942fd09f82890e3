"""The watch over a fresh release, and every check it made."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.db import models
from django.db.models import Q

from sensequant.lib.errors import NotAllowed

STATES = [(s, s) for s in ("watching", "held", "reduced", "passed", "ended")]
WORDS = [(w, w) for w in ("success", "failure", "inconclusive", "idle")]
ACTIONS = [(a, a) for a in ("none", "hold", "reduce", "rollback")]
OPEN = ("watching", "held", "reduced")


class Watch(models.Model):
    """One release under heightened watch: ``passed`` is back to normal, ``ended`` is rolled back or superseded."""

    release = models.ForeignKey("releases.Release", on_delete=models.PROTECT, related_name="watches")
    epoch = models.PositiveBigIntegerField(help_text="of the pointer while it is watched")
    state = models.CharField(max_length=8, choices=STATES, default="watching")
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="the earliest end; two full sessions must be over, too")
    finished_at = models.DateTimeField(null=True, blank=True)
    finished_by = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        verbose_name_plural = "watches"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["epoch"], name="watch_one_of_an_epoch"),
            models.CheckConstraint(
                condition=Q(state__in=OPEN) | Q(finished_at__isnull=False), name="watch_finished_has_a_moment"
            ),
        ]

    def __str__(self) -> str:
        """Return the release and the state."""
        return f"{self.release_id} {self.state}"


class WatchCheck(models.Model):
    """One check: a verdict a measure, and what followed."""

    watch = models.ForeignKey(Watch, on_delete=models.PROTECT, related_name="checks")
    at = models.DateTimeField()
    word = models.CharField(max_length=12, choices=WORDS)
    action = models.CharField(max_length=8, choices=ACTIONS)
    verdicts = models.JSONField(default=list)
    told = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        """Return moment and word."""
        return f"{self.at:%Y-%m-%d %H:%M} {self.word}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Append; NotAllowed for a row that is already there."""
        if not self._state.adding:
            raise NotAllowed("a check is never edited", fix="check again")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: a check is never deleted."""
        raise NotAllowed("a check is never deleted", fix="leave it")
