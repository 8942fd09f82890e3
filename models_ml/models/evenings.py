"""What was learned after each session: the review of its trades, and how the students did."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

OUTCOMES = [(o, o) for o in ("running", "proposed", "unchanged", "rolled-back", "failed")]


class Evening(models.Model):
    """One evening: what the teacher's rules found, what their held-out week said, and what was proposed."""

    date = models.DateField()
    strategy = models.CharField(max_length=32)
    outcome = models.CharField(max_length=11, choices=OUTCOMES, default="running")
    changes = models.JSONField(default=list, help_text="each rule: parameter, before, after, trades, evidence")
    params_changed = models.JSONField(default=dict)
    validation = models.JSONField(default=dict, help_text="the held-out week under the changed parameters")
    why = models.CharField(max_length=400, blank=True)
    proposal = models.ForeignKey(
        "trading.StrategyConfig", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    retraining = models.JSONField(default=dict, help_text="whether one was due and what came of it")
    students = models.JSONField(default=list, help_text="what was found of each student in place")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-date", "strategy"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["date", "strategy"], name="evening_once")
        ]

    def __str__(self) -> str:
        """Return date, strategy and outcome."""
        return f"{self.date} {self.strategy} {self.outcome}"
