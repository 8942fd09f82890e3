"""The engine's own memory: each run, what it was told to do, and each lane's state, so a crash loses nothing."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

MODES = [("replay", "replay"), ("dry-run", "dry-run"), ("live", "live")]
STATES = [(s, s) for s in ("starting", "running", "suspended", "finished", "stopped", "failed")]


class EngineRun(models.Model):
    """One run of the engine over one set of symbols and strategies."""

    name = models.SlugField(max_length=40, help_text="a run of the same name is continued after a restart")
    mode = models.CharField(max_length=8, choices=MODES)
    label = models.CharField(max_length=40, blank=True, help_text="e.g. DEMO")
    source = models.CharField(max_length=700, help_text="where its bars come from")
    interval = models.CharField(max_length=10)
    strategy = models.CharField(max_length=32)
    plan = models.JSONField(help_text="symbols, parameters, dates: everything needed to run it again")
    capital = models.DecimalField(max_digits=16, decimal_places=2)
    state = models.CharField(max_length=9, choices=STATES, default="starting")
    speed = models.FloatField(default=60.0, help_text="market seconds per second; 0 = as fast as it goes")
    entries_paused = models.BooleanField(default=False)
    held = models.BooleanField(default=False, help_text="replay stands still")
    stop_requested = models.BooleanField(default=False)
    current = models.BooleanField(default=True, help_text="false once a later run of the same name has begun")
    cursor = models.DateTimeField(null=True, blank=True, help_text="start of the last recorded bar")
    numbers = models.JSONField(default=dict, blank=True, help_text="the account's and all lanes' numbers at the cursor")
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    latency = models.JSONField(default=dict, blank=True, help_text="histogram of bar-to-intent times, microseconds")
    bars = models.PositiveBigIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["name"], condition=Q(current=True), name="engine_run_one_current"),
            models.CheckConstraint(condition=Q(speed__gte=0), name="engine_run_speed_not_negative"),
        ]

    def __str__(self) -> str:
        """Return name, number and mode."""
        return f"{self.name} #{self.pk} ({self.mode})"


class ExposureBook(models.Model):
    """What the shards of one account have in the market together; its row is the lock they take turns by."""

    account = models.SlugField(max_length=40, unique=True)
    turns = models.PositiveBigIntegerField(default=0, help_text="moments decided under this row's lock")

    def __str__(self) -> str:
        """Return the account."""
        return self.account


class ShardExposure(models.Model):
    """What one shard has in the market: positions at their last price and waiting entries, rupees."""

    book = models.ForeignKey(ExposureBook, on_delete=models.CASCADE, related_name="shards")
    shard = models.SlugField(max_length=40)
    exposure = models.FloatField(default=0.0)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["book", "shard"], name="shard_exposure_once")
        ]

    def __str__(self) -> str:
        """Return account and shard."""
        return f"{self.book}: {self.shard} {self.exposure:,.0f}"


class LaneState(models.Model):
    """One symbol's lane: what its indicators remembered when the session began, and whether it still trades."""

    run = models.ForeignKey(EngineRun, on_delete=models.CASCADE, related_name="lanes")
    number = models.PositiveIntegerField()
    symbol = models.CharField(max_length=32)
    memory = models.JSONField(default=list)
    bars = models.PositiveBigIntegerField(default=0, help_text="bars that memory has seen")
    halted = models.CharField(max_length=200, blank=True, help_text="why this lane no longer trades")

    class Meta:
        ordering: ClassVar[list[str]] = ["run", "number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "number"], name="lane_state_once")
        ]

    def __str__(self) -> str:
        """Return run and symbol."""
        return f"{self.run_id}:{self.symbol}"
