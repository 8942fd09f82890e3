"""Deployments and rollbacks: every attempt a row, every step it took another."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.db import models
from django.db.models import Q

from sensequant.lib.errors import NotAllowed

KINDS = [("deploy", "deploy"), ("rollback", "rollback")]
STATES = [(s, s) for s in ("running", "done", "failed")]


class Operation(models.Model):
    """One attempt to put a release in force, or to go back to one. Only one is under way at a time."""

    kind = models.CharField(max_length=8, choices=KINDS)
    release = models.ForeignKey("releases.Release", on_delete=models.PROTECT, related_name="operations")
    away_from = models.ForeignKey(
        "releases.Release", on_delete=models.PROTECT, related_name="+", null=True, help_text="what was in force before"
    )
    state = models.CharField(max_length=7, choices=STATES, default="running")
    by = models.CharField(max_length=150)
    reason = models.CharField(max_length=300, blank=True)
    override = models.JSONField(default=dict, blank=True, help_text="what was overridden, by whom and why")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    review_by = models.DateTimeField(null=True, blank=True, help_text="an emergency is reviewed until then")
    reviewed_by = models.CharField(max_length=150, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    review = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="running"), name="operation_one_at_a_time"),
            models.CheckConstraint(condition=~Q(kind="rollback") | ~Q(reason=""), name="operation_back_for_a_reason"),
            models.CheckConstraint(
                condition=Q(reviewed_at=None) | (~Q(reviewed_by="") & ~Q(review="")), name="operation_reviewed_in_words"
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by="") | ~Q(reviewed_by=models.F("by")), name="operation_reviewed_by_another"
            ),
        ]

    def __str__(self) -> str:
        """Return number, kind and release."""
        return f"#{self.pk} {self.kind} of {self.release}"


class OperationStep(models.Model):
    """One step that was taken: its row is written when it is done, and never again."""

    operation = models.ForeignKey(Operation, on_delete=models.PROTECT, related_name="steps")
    step = models.CharField(max_length=10)
    at = models.DateTimeField()
    told = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["operation", "step"], name="operation_step_once")
        ]

    def __str__(self) -> str:
        """Return the step's name."""
        return self.step

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Append; NotAllowed for a row that is already there."""
        if not self._state.adding:
            raise NotAllowed("a step that was taken is never edited", fix="append what is new")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: what was done stays told."""
        raise NotAllowed("a step that was taken is never deleted", fix="leave it")
