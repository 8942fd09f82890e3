"""Which student scores the desk's decisions, which others score beside it, and what they said."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from trading.models.engine import EngineRun

ROLES = [(role, role) for role in ("champion", "challenger")]


class ActiveModel(models.Model):
    """One student in one role from ``since`` to ``until``; the open champion's word counts, challengers only speak.

    A champion that was switched off by rule stays in place, disabled, until a person enables it or another follows.
    """

    role = models.CharField(max_length=10, choices=ROLES)
    version = models.CharField(max_length=64)
    folder = models.CharField(max_length=700, help_text="where its files lie; absolute, or under SENSEQUANT_HOME")
    digest = models.CharField(max_length=64, help_text="SHA-256 of its manifest; compared whenever it is loaded")
    evidence = models.CharField(max_length=64, blank=True, help_text="digest of what was signed for it")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    by = models.CharField(max_length=150)
    reason = models.CharField(max_length=300)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["role"], condition=Q(until=None, role="champion"), name="active_model_one_champion"
            ),
            models.UniqueConstraint(fields=["role", "version"], condition=Q(until=None), name="active_model_once"),
            models.CheckConstraint(
                condition=~Q(role="champion") | ~Q(evidence=""), name="active_model_champion_has_evidence"
            ),
            models.CheckConstraint(condition=Q(until=None) | Q(until__gte=F("since")), name="active_model_ends_later"),
            models.CheckConstraint(
                condition=Q(disabled_at=None) | ~Q(disabled_reason=""), name="active_model_disabled_for_a_reason"
            ),
        ]

    def __str__(self) -> str:
        """Return role and version."""
        return f"{self.role} {self.version}"


class ModelScore(models.Model):
    """What one student said of one decision, acted upon or not: the chance it gave the strategy's direction."""

    run = models.ForeignKey(EngineRun, on_delete=models.CASCADE, related_name="scores")
    model = models.ForeignKey(ActiveModel, on_delete=models.CASCADE, related_name="scores")
    at = models.DateTimeField(help_text="start of the bar")
    symbol = models.CharField(max_length=32)
    strategy = models.CharField(max_length=32)
    direction = models.CharField(max_length=5, choices=[("LONG", "LONG"), ("SHORT", "SHORT")])
    chance = models.FloatField(help_text="0 … 1, that the direction pays")
    threshold = models.FloatField(help_text="from which chance on the decision would have been acted upon")
    outcome = models.FloatField(null=True, blank=True, help_text="net return of the trade; null: not known yet")
    inputs = models.JSONField(default=list, help_text="the feature row it was given; null where unknown")

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["model", "-at"], name="model_score_newest"),
            models.Index(fields=["at"], condition=Q(outcome=None), name="model_score_unsettled"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "model", "symbol", "at"], name="model_score_once"),
            models.CheckConstraint(condition=Q(chance__gte=0, chance__lte=1), name="model_score_chance_bounds"),
        ]

    def __str__(self) -> str:
        """Return symbol, direction and chance."""
        return f"{self.direction} {self.symbol} {self.chance:.3f}"
