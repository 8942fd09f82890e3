"""What stops trading until a person lets it go on, and what the broker's books and ours disagree about."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from trading.models.engine import EngineRun

KINDS = [(k, k) for k in ("kill", "breaker", "release")]
VERBS = [(v, v) for v in ("cancel-all", "square-off")]
COMMAND_STATES = [(s, s) for s in ("requested", "taken", "lapsed")]
ACTIONS = [(a, a) for a in ("stop-entries", "square-off")]


class Halt(models.Model):
    """A stop that outlives every restart: the kill switch, a breaker that tripped, or a release that is put in place or
    did not hold what it promised. One of a kind is open at a time.

    Stopping needs one person; going on needs another one, and a reason.
    """

    kind = models.CharField(max_length=8, choices=KINDS)
    action = models.CharField(max_length=12, choices=ACTIONS, default="stop-entries")
    reason = models.CharField(max_length=300)
    engaged_by = models.CharField(max_length=150)
    engaged_at = models.DateTimeField()
    run = models.ForeignKey(EngineRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="halts")
    released_by = models.CharField(max_length=150, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    release_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["kind"], condition=Q(released_at=None), name="halt_one_open_of_a_kind"),
            models.CheckConstraint(
                condition=Q(released_at=None) | (~Q(released_by="") & ~Q(release_reason="")),
                name="halt_released_by_somebody_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        """Return kind and reason."""
        return f"{self.kind}: {self.reason}"


class Command(models.Model):
    """Something an operator told a running engine to do at once, and what it did it to.

    The key comes with the form, so that sending it twice is doing it once. What was not taken within a minute never is.
    """

    key = models.UUIDField(unique=True)
    run = models.ForeignKey(EngineRun, on_delete=models.CASCADE, related_name="commands")
    verb = models.CharField(max_length=10, choices=VERBS)
    state = models.CharField(max_length=9, choices=COMMAND_STATES, default="requested")
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True, blank=True)
    legs = models.JSONField(default=list, help_text="what it was done to: orders and positions")

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["run"], condition=Q(state="requested"), name="command_waiting")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=~Q(state="taken") | Q(taken_at__isnull=False), name="command_taken_at_a_moment"
            )
        ]

    def __str__(self) -> str:
        """Return number and verb."""
        return f"#{self.pk} {self.verb}"


class Difference(models.Model):
    """One thing the broker's books and ours disagree about; entries wait until it is gone or a person accepts it."""

    run = models.ForeignKey(EngineRun, on_delete=models.CASCADE, related_name="differences")
    symbol = models.CharField(max_length=32)
    ours = models.IntegerField(help_text="shares by our fills")
    theirs = models.IntegerField(help_text="shares by the broker's books")
    detail = models.CharField(max_length=400, blank=True)
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.CharField(max_length=150, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "symbol"], condition=Q(gone_at=None), name="difference_open_once"),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | (~Q(accepted_by="") & ~Q(reason="")),
                name="difference_accepted_by_somebody_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        """Return the symbol and both numbers."""
        return f"{self.symbol}: ours {self.ours}, theirs {self.theirs}"
