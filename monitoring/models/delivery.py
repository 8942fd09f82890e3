"""The outbox: each message to each channel as a row, every try to send it, and how each channel is."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from monitoring.models.alerts import SEVERITIES, Episode

STATES = [(s, s) for s in ("waiting", "sent", "failed", "merged", "withdrawn")]


class Notification(models.Model):
    """One message to one channel. The key is the same at every try, so that a receiver can tell a repetition."""

    key = models.CharField(max_length=80, unique=True)
    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, null=True, related_name="notifications")
    number = models.PositiveIntegerField(default=0, help_text="counts the episode's messages")
    channel = models.CharField(max_length=12)
    reason = models.CharField(max_length=400)
    severity = models.CharField(max_length=8, choices=SEVERITIES)
    urgent = models.BooleanField(default=False, help_text="never waits behind others nor in a digest")
    body = models.JSONField()
    state = models.CharField(max_length=9, choices=STATES, default="waiting")
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    claimed_by = models.CharField(max_length=120, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    provider_id = models.CharField(max_length=200, blank=True, help_text="by which the message can be edited")
    error = models.CharField(max_length=300, blank=True)
    stands_in_for = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="stand_ins",
        help_text="the message whose channel failed for good, or the digest this went into",
    )  # fmt: skip

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="notification_waiting"),
        ]

    def __str__(self) -> str:
        """Return channel and reason."""
        return f"{self.channel}: {self.reason}"


class Attempt(models.Model):
    """One try to send a message."""

    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    ok = models.BooleanField()
    permanent = models.BooleanField(default=False)
    seconds = models.FloatField(default=0.0)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        """Return how it went."""
        return "sent" if self.ok else self.error


class Channel(models.Model):
    """How one channel is: the tokens it has left, and what it said last."""

    name = models.CharField(max_length=12, unique=True)
    tokens = models.FloatField(default=0.0)
    refilled_at = models.FloatField(default=0.0, help_text="seconds UTC")
    sent = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    last_sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        """Return its name."""
        return self.name
