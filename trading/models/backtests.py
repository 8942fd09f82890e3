"""Backtests that were run, with everything needed to run them again."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

STATUSES = [(s, s) for s in ("queued", "running", "done", "failed", "cancelled")]


class BacktestRun(models.Model):
    """One backtest: what was asked, and what came out."""

    symbols = models.JSONField()
    strategy = models.CharField(max_length=32)
    interval = models.CharField(max_length=10)
    start = models.DateField()
    end = models.DateField()
    source = models.CharField(max_length=20, default="csv")
    directory = models.CharField(max_length=700, blank=True)
    sound_rows = models.BooleanField(default=False, help_text="use files with errors as far as they are sound")
    params = models.JSONField(default=dict, blank=True)
    stress = models.BooleanField(default=False, help_text="also run it anew at dearer charges and slippage")
    capital = models.DecimalField(max_digits=16, decimal_places=2)
    status = models.CharField(max_length=9, choices=STATUSES, default="queued")
    progress = models.FloatField(default=0.0, help_text="0 … 1")
    bars = models.PositiveBigIntegerField(default=0)
    metrics = models.JSONField(default=dict, blank=True)
    equity = models.JSONField(default=list, blank=True, help_text="[[date, ₹], …], one point a session")
    model_version = models.CharField(max_length=64, blank=True, help_text="the student that scored its decisions")
    telemetry = models.JSONField(default=dict, blank=True, help_text="where its traces lie and how accurate they were")
    study = models.JSONField(default=dict, blank=True, help_text="benchmark, months, chances, stress, diagnosis")
    warnings = models.JSONField(default=list, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["status", "id"], name="backtest_run_status")]

    def __str__(self) -> str:
        """Return number, strategy and span."""
        return f"#{self.pk} {self.strategy} {self.start}…{self.end}"


class BacktestTrade(models.Model):
    """One trade of a backtest."""

    run = models.ForeignKey(BacktestRun, on_delete=models.CASCADE, related_name="trades")
    number = models.PositiveIntegerField()
    symbol = models.CharField(max_length=32)
    strategy = models.CharField(max_length=32, blank=True, help_text="whose it is, where several share the account")
    side = models.CharField(max_length=5)
    quantity = models.PositiveIntegerField()
    entry_time = models.DateTimeField()
    entry_price = models.DecimalField(max_digits=14, decimal_places=4)
    exit_time = models.DateTimeField()
    exit_price = models.DecimalField(max_digits=14, decimal_places=4)
    exit_reason = models.CharField(max_length=20)
    gross_pnl = models.DecimalField(max_digits=16, decimal_places=4)
    charges = models.DecimalField(max_digits=14, decimal_places=4)
    net_pnl = models.DecimalField(max_digits=16, decimal_places=4)
    mae = models.FloatField(null=True, blank=True, help_text="furthest against it while held, of the entry price")
    mfe = models.FloatField(null=True, blank=True, help_text="furthest in its favour while held, of the entry price")

    class Meta:
        ordering: ClassVar[list[str]] = ["run", "number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "number"], name="backtest_trade_once")
        ]

    def __str__(self) -> str:
        """Return number and symbol."""
        return f"{self.number} {self.symbol}"
