"""Strategies as people configured them: versioned, never edited once used."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

STATUSES = [("draft", "draft"), ("active", "active"), ("retired", "retired")]


class StrategyConfig(models.Model):
    """One version of one strategy's parameters, its holding rules and its sizing included."""

    strategy = models.CharField(max_length=32, help_text="name in the strategy registry")
    version = models.PositiveIntegerField()
    params = models.JSONField(default=dict, blank=True, help_text="only what differs from the defaults")
    status = models.CharField(max_length=8, choices=STATUSES, default="draft")
    note = models.TextField(blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["strategy", "-version"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["strategy", "version"], name="strategy_config_version_once"),
            models.UniqueConstraint(
                fields=["strategy"], condition=Q(status="active"), name="strategy_config_one_active"
            ),
        ]

    def __str__(self) -> str:
        """Return strategy and version."""
        return f"{self.strategy} v{self.version}"
