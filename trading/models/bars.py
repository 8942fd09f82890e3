"""Which bars the desk has read, what was wrong with them, and every row that was set aside."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from trading.core.bar_report import Severity
from trading.core.bars import INTERVALS

INTERVAL_CHOICES = [(name, name) for name in INTERVALS]
SEVERITY_CHOICES = [(str(severity), str(severity)) for severity in Severity]


class BarSeries(models.Model):
    """One series of bars as last read: where it came from and what it covers; ``first``, ``last`` are bar starts."""

    source = models.CharField(max_length=20, help_text="the feed it came through, e.g. csv")
    symbol = models.CharField(max_length=32)
    interval = models.CharField(max_length=10, choices=INTERVAL_CHOICES)
    path = models.CharField(max_length=700, help_text="the file, or the folder of files")
    rows = models.PositiveIntegerField(help_text="usable bars")
    first = models.DateTimeField(null=True, blank=True)
    last = models.DateTimeField(null=True, blank=True)
    digest = models.CharField(max_length=64, help_text="SHA-256 over the files")
    verdict = models.CharField(max_length=10)
    refreshed_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["symbol", "interval"]
        verbose_name_plural = "bar series"
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["symbol", "interval"], name="bar_series_symbol")]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["source", "symbol", "interval", "path"], name="bar_series_once"),
            models.CheckConstraint(
                condition=Q(first=None, last=None) | Q(first__lte=F("last")), name="bar_series_first_before_last"
            ),
            models.CheckConstraint(condition=Q(interval__in=list(INTERVALS)), name="bar_series_known_interval"),
        ]

    def __str__(self) -> str:
        """Return the symbol, the interval and the size."""
        return f"{self.symbol} {self.interval} ({self.rows} bars)"


class BarReport(models.Model):
    """One finding in one state of a file; ``number`` counts findings of the same rule."""

    file = models.CharField(max_length=700)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file as it was")
    interval = models.CharField(max_length=10)
    rule = models.CharField(max_length=40)
    number = models.PositiveSmallIntegerField(default=0)
    severity = models.CharField(max_length=12, choices=SEVERITY_CHOICES)
    count = models.PositiveIntegerField()
    message = models.TextField()
    fix = models.TextField(blank=True)
    examples = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at", "file", "id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["file", "digest"], name="bar_report_file"),
            models.Index(fields=["severity", "-created_at"], name="bar_report_severity"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["file", "digest", "interval", "rule", "number"], name="bar_report_once"),
            models.CheckConstraint(
                condition=Q(severity__in=[str(severity) for severity in Severity]), name="bar_report_known_severity"
            ),
        ]

    def __str__(self) -> str:
        """Return the file and what was found."""
        return f"{self.file}: {self.message}"


class QuarantinedRow(models.Model):
    """One row that was set aside, word for word."""

    report = models.ForeignKey(BarReport, on_delete=models.CASCADE, related_name="rows")
    file = models.CharField(max_length=700)
    line = models.PositiveIntegerField(help_text="counted from 1, the header included")
    raw = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["report", "file", "line"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["report", "file", "line"], name="quarantined_row_once")
        ]

    def __str__(self) -> str:
        """Return where the row stands."""
        return f"{self.file}:{self.line}"
