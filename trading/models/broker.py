"""The broker's side of the desk: the sealed session, the call budget, what trading with money was armed with."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

SESSION_STATES = [(s, s) for s in ("active", "expired", "refused", "revoked")]


class BrokerSession(models.Model):
    """Today's login at a broker; the token is sealed and never shown."""

    account = models.SlugField(max_length=40, unique=True, default="breeze")
    sealed = models.TextField(blank=True, help_text="the tokens, encrypted; empty once they are worth nothing")
    login_user = models.CharField(max_length=80, blank=True, help_text="the broker's user id")
    state = models.CharField(max_length=7, choices=SESSION_STATES, default="active")
    note = models.CharField(max_length=300, blank=True, help_text="why it is no longer active")
    version = models.PositiveIntegerField(default=1, help_text="grows with every login")
    obtained_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="the next midnight IST")
    obtained_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("obtained_at")), name="broker_session_expires_later")
        ]

    def __str__(self) -> str:
        """Return account and state, never the token."""
        return f"{self.account} {self.state} until {self.expires_at:%Y-%m-%d %H:%M} UTC"


class CallBudget(models.Model):
    """One token bucket of calls to a broker, shared by every process."""

    name = models.SlugField(max_length=40, unique=True, help_text="minute, day or orders")
    tokens = models.FloatField(help_text="calls left at ``refilled_at``")
    refilled_at = models.FloatField(help_text="seconds since the epoch, UTC")
    day = models.DateField(null=True, blank=True, help_text="IST day a daily budget belongs to")
    used = models.PositiveIntegerField(default=0, help_text="calls let through on ``day``")
    denied = models.PositiveIntegerField(default=0, help_text="calls denied on ``day``")

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(tokens__gte=0), name="call_budget_never_negative")
        ]

    def __str__(self) -> str:
        """Return the name and what is left."""
        return f"{self.name}: {self.tokens:.0f} left"


class Condition(models.Model):
    """Something that is wrong now, or was: one row from the moment it began to the moment it ended."""

    code = models.SlugField(max_length=40, help_text="e.g. feed-stale, session-expired, stream-down")
    subject = models.CharField(max_length=60, blank=True, help_text="the symbol or order it is about")
    level = models.CharField(max_length=4, choices=[(s, s) for s in ("info", "warn", "bad")])
    message = models.CharField(max_length=400)
    fix = models.CharField(max_length=300, blank=True)
    since = models.DateTimeField(db_index=True)
    seen_at = models.DateTimeField(help_text="last time it still held")
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["code", "subject"], condition=Q(until=None), name="condition_open_once")
        ]

    def __str__(self) -> str:
        """Return what is wrong."""
        return f"{self.code} {self.subject}".rstrip()


class BrokerMessage(models.Model):
    """What a broker said, word for word with secrets hidden, and what it was answered to."""

    at = models.DateTimeField(db_index=True)
    source = models.CharField(max_length=12, help_text="rest, stream or reconcile")
    verb = models.CharField(max_length=40)
    order = models.ForeignKey("trading.Order", on_delete=models.SET_NULL, null=True, related_name="messages")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the payload")
    payload = models.JSONField()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        """Return source and verb."""
        return f"{self.source} {self.verb}"


class LiveArming(models.Model):
    """A named person's consent to trade with money, given while seeing what a round trip costs."""

    account = models.SlugField(max_length=40, default="breeze")
    armed_by = models.CharField(max_length=150)
    armed_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="the next midnight IST")
    disarmed_at = models.DateTimeField(null=True, blank=True)
    disarmed_by = models.CharField(max_length=150, blank=True)
    plan = models.CharField(max_length=40, help_text="charge plan in force")
    shown = models.JSONField(help_text="the round trip that was shown and accepted")

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        """Return who armed it until when."""
        return f"{self.account} armed by {self.armed_by}"


class Lease(models.Model):
    """Who may do what only one may do at a time; the token grows with every change of holder."""

    name = models.CharField(max_length=60, unique=True)
    holder = models.CharField(max_length=120)
    token = models.PositiveBigIntegerField(default=1)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        """Return name, holder and token."""
        return f"{self.name}: {self.holder} ({self.token})"
