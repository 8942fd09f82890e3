"""Episodes of rules, what happened to each, silences, and what an operator has set differently about a rule."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from monitoring.core.episodes import FIRING, PENDING, RESOLVED
from monitoring.core.levels import ORDER

STATUSES = [(s, s) for s in (PENDING, FIRING, RESOLVED)]
SEVERITIES = [(s.value, s.value) for s in ORDER]


class Silence(models.Model):
    """Quiet about some alerts for a while; they are still seen, recorded and acted upon."""

    rule = models.CharField(max_length=100, default="*", help_text="pattern")
    group = models.CharField(max_length=100, default="*", help_text="pattern")
    most = models.CharField(max_length=8, choices=SEVERITIES, default="CRITICAL", help_text="worst it keeps quiet")
    reason = models.CharField(max_length=300)
    by = models.CharField(max_length=150)
    made_at = models.DateTimeField()
    until = models.DateTimeField()
    matched_at = models.DateTimeField(null=True, blank=True, help_text="when it last kept something quiet")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)
    ended_why = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(until__gt=models.F("made_at")), name="silence_ends_after_it_begins"),
            models.CheckConstraint(condition=~Q(reason="") & ~Q(by=""), name="silence_has_a_reason_and_an_owner"),
        ]

    def __str__(self) -> str:
        """Return what it keeps quiet and until when."""
        return f"{self.rule}:{self.group} until {self.until:%Y-%m-%d %H:%M} UTC"


class Episode(models.Model):
    """One stretch of one rule holding for one group."""

    rule = models.CharField(max_length=40)
    group = models.CharField(max_length=100, blank=True, help_text="symbol, order, metric, engine …")
    status = models.CharField(max_length=8, choices=STATUSES)
    severity = models.CharField(max_length=8, choices=SEVERITIES)
    since = models.DateTimeField(help_text="when it began to hold")
    held_at = models.DateTimeField(help_text="last look at which it held")
    fired_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    value = models.FloatField(null=True, blank=True)
    threshold = models.FloatField(default=0.0)
    message = models.CharField(max_length=500, blank=True)
    context = models.JSONField(default=dict, blank=True)
    no_data = models.BooleanField(default=False)
    error = models.CharField(max_length=300, blank=True)
    flapping = models.BooleanField(default=False)
    inhibited_by = models.CharField(max_length=140, blank=True)
    inhibition_ended = models.BooleanField(default=False)
    silenced_by = models.ForeignKey(Silence, on_delete=models.SET_NULL, null=True, blank=True, related_name="quiet")
    silence_ended = models.CharField(max_length=300, blank=True, help_text="since the last message")
    acked_by = models.CharField(max_length=150, blank=True)
    acked_at = models.DateTimeField(null=True, blank=True)
    ack_reason = models.CharField(max_length=300, blank=True)
    ack_until = models.DateTimeField(null=True, blank=True)
    ack_ended = models.CharField(max_length=300, blank=True, help_text="since the last message")
    told_at = models.DateTimeField(null=True, blank=True, help_text="last message about it")
    told_severity = models.CharField(max_length=8, blank=True)
    told = models.PositiveIntegerField(default=0, help_text="messages about it so far")
    kept_quiet = models.PositiveIntegerField(default=0, help_text="looks since the last message that said nothing")
    acted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["rule", "group", "-fired_at"], name="episode_history"),
            models.Index(fields=["-fired_at"], name="episode_newest"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["rule", "group"], condition=~Q(status=RESOLVED), name="episode_one_open"),
            models.CheckConstraint(
                condition=Q(acked_at=None) | (~Q(acked_by="") & ~Q(ack_reason="") & Q(ack_until__isnull=False)),
                name="episode_acked_by_somebody_for_a_reason_for_a_while",
            ),
        ]

    def __str__(self) -> str:
        """Return rule and group."""
        return self.name

    @property
    def name(self) -> str:
        """Return how screens call it."""
        return f"{self.rule}:{self.group}" if self.group else self.rule

    @property
    def is_open(self) -> bool:
        """Say whether it is not over."""
        return self.status != RESOLVED


class AuditEntry(models.Model):
    """One thing that happened to an alert or a silence: appended, chained by its hash, never edited."""

    at = models.DateTimeField(db_index=True)
    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, null=True, blank=True, related_name="entries")
    what = models.CharField(max_length=40)
    by = models.CharField(max_length=150)
    detail = models.JSONField(default=dict)
    previous = models.CharField(max_length=64, unique=True, help_text="hash of the entry before")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of this entry and the one before")

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        verbose_name_plural: ClassVar[str] = "audit entries"

    def __str__(self) -> str:
        """Return what happened."""
        return f"{self.what} by {self.by}"


class RuleSetting(models.Model):
    """What an operator has set differently about a rule; empty means as shipped."""

    rule = models.CharField(max_length=40, unique=True)
    enabled = models.BooleanField(default=True)
    threshold = models.FloatField(null=True, blank=True)
    hold_for = models.FloatField(null=True, blank=True, help_text="seconds")
    keep_for = models.FloatField(null=True, blank=True, help_text="seconds")
    window = models.FloatField(null=True, blank=True, help_text="seconds")
    repeat = models.FloatField(null=True, blank=True, help_text="seconds")
    by = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        """Return the rule."""
        return self.rule


class Report(models.Model):
    """What an app above reports to be watched (a release's watch, an audit): it counts until it is out of date."""

    measure = models.CharField(max_length=40)
    group = models.CharField(max_length=100, blank=True)
    value = models.FloatField()
    context = models.JSONField(default=dict)
    at = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True, help_text="out of date from here on; never when empty")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["measure", "group"], name="report_newest_only"),
        ]

    def __str__(self) -> str:
        """Return measure and group."""
        return f"{self.measure} {self.group}".rstrip()


class Look(models.Model):
    """The monitor's own heartbeat: when somebody last looked, how long it took, what it could not read."""

    name = models.CharField(max_length=20, unique=True, default="monitor")
    at = models.DateTimeField()
    seconds = models.FloatField(default=0.0)
    holder = models.CharField(max_length=120, blank=True)
    errors = models.JSONField(default=list)
    chain_at = models.DateTimeField(null=True, blank=True, help_text="when the trails were last read whole")
    chain = models.JSONField(default=dict, help_text="what was wrong then: trail to its breaks")
    archived_at = models.DateTimeField(null=True, blank=True)
    pinged_at = models.DateTimeField(null=True, blank=True, help_text="last answer of the dead man's address")
    ping_error = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        """Return its name."""
        return self.name
