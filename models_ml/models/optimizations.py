"""Optimisations and every configuration they tried: a ledger that only grows, because luck is counted in it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

RUN_STATUSES = [(s, s) for s in ("queued", "running", "done", "failed", "cancelled")]
TRIAL_STATUSES = [(s, s) for s in ("waiting", "done", "failed")]
WORKERS = [(s, s) for s in ("cores", "fleet")]
ROLES = [(s, s) for s in ("config", "baseline")]


class OptimizationRun(models.Model):
    """One optimisation: what was asked, how far it is, and what it came to."""

    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="windows",
        help_text="the walk-forward this searches a window of",
    )  # fmt: skip
    strategy = models.CharField(max_length=32)
    symbols = models.JSONField()
    interval = models.CharField(max_length=10)
    start = models.DateField()
    end = models.DateField(help_text="included")
    source = models.CharField(max_length=720, help_text="where the bars come from, as the markets service names it")
    sound_rows = models.BooleanField(default=False)
    params = models.JSONField(default=dict, blank=True, help_text="what every configuration and the baseline share")
    capital = models.DecimalField(max_digits=16, decimal_places=2)
    spec = models.JSONField(help_text="space, search, objective, split, purge, constraints, seed, telemetry")
    digest = models.CharField(max_length=64, db_index=True, help_text="SHA-256 of all that was asked")
    market = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the bars of train and validation")
    parts = models.JSONField(default=dict, blank=True, help_text="first and last day of train, validation and test")
    status = models.CharField(max_length=9, choices=RUN_STATUSES, default="queued")
    workers = models.CharField(
        max_length=5, choices=WORKERS, default="cores", db_default="cores",
        help_text="who tries them: the cores of one machine, or every Celery worker",
    )  # fmt: skip
    total = models.PositiveIntegerField(default=0, help_text="configurations to try")
    progress = models.FloatField(default=0.0, help_text="0 … 1")
    owner = models.CharField(max_length=80, blank=True, help_text="host and process that runs it")
    seen_at = models.DateTimeField(null=True, blank=True, help_text="when that process last told of itself")
    output_dir = models.CharField(max_length=700, blank=True)
    result = models.JSONField(default=dict, blank=True, help_text="baseline, best, honesty, sensitivity")
    test = models.JSONField(default=dict, blank=True, help_text="the one look at the test days")
    test_touched_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["status", "id"], name="optimization_status")]

    def __str__(self) -> str:
        """Return number, strategy and span."""
        return f"#{self.pk} {self.strategy} {self.start}…{self.end}"


class Trial(models.Model):
    """One configuration that was tried."""

    run = models.ForeignKey(OptimizationRun, on_delete=models.PROTECT, related_name="trials")
    number = models.PositiveIntegerField(help_text="its place in the search; 0 is the baseline")
    role = models.CharField(max_length=8, choices=ROLES, default="config")
    digest = models.CharField(max_length=64, help_text="SHA-256 of strategy, interval and every effective parameter")
    params = models.JSONField()
    status = models.CharField(max_length=7, choices=TRIAL_STATUSES, default="waiting")
    score = models.FloatField(null=True, blank=True, help_text="the objective on the training days")
    feasible = models.BooleanField(default=False, help_text="meets the constraints")
    metrics = models.JSONField(default=dict, blank=True, help_text="on the training days")
    validation = models.JSONField(default=dict, blank=True, help_text="on the validation days")
    returns = models.BinaryField(
        default=bytes, help_text="daily returns, train then validation: float64, little-endian"
    )
    rank = models.PositiveIntegerField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["run", "number"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["run", "rank"], name="trial_rank")]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "number"], name="trial_number_once"),
            models.UniqueConstraint(fields=["run", "role", "digest"], name="trial_config_once"),
        ]

    def __str__(self) -> str:
        """Return its name in the artifacts."""
        return self.config_id

    @property
    def config_id(self) -> str:
        """Return the name the artifacts give it: ``baseline`` or ``config_0001``."""
        return "baseline" if self.role == "baseline" else f"config_{self.number:04d}"
