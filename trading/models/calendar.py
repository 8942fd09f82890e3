"""What the exchange announced after this version was made: days that differ from the shipped calendar."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q


class CalendarOverride(models.Model):
    """One day as a later circular has it: closed, or open (without times: in the hours usual on that date)."""

    date = models.DateField(unique=True)
    closed = models.BooleanField(default=False)
    open_time = models.TimeField(null=True, blank=True, help_text="IST; leave both times empty for the usual hours")
    close_time = models.TimeField(null=True, blank=True, help_text="IST; the end of continuous trading")
    name = models.CharField(max_length=80, blank=True, help_text="the holiday or the session, e.g. Muhurat")
    note = models.TextField(blank=True, help_text="the circular's number and date")
    completes_year = models.BooleanField(
        default=False, help_text="the exchange's list for this date's year is now entered in full"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=150, blank=True, help_text="user name")

    objects: ClassVar[models.Manager[CalendarOverride]] = models.Manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["date"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(closed=False) | Q(open_time=None, close_time=None),
                name="calendar_override_closed_has_no_times",
                violation_error_message="A closed day has no trading times.",
            ),
            models.CheckConstraint(
                condition=Q(open_time=None, close_time=None)
                | Q(open_time__isnull=False, close_time__isnull=False, close_time__gt=F("open_time")),
                name="calendar_override_times_in_order",
                violation_error_message="Give both times, the closing time after the opening time, or neither.",
            ),
        ]

    def __str__(self) -> str:
        """Return the day and what becomes of it."""
        if self.closed:
            return f"{self.date} closed {self.name}".rstrip()
        timed = self.open_time and self.close_time
        hours = f"{self.open_time:%H:%M}-{self.close_time:%H:%M}" if timed else "usual hours"
        return f"{self.date} {hours} {self.name}".rstrip()
