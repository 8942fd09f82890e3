"""What can be traded, under which names it was known when, and what its issuer did to it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from trading.core.calendar import SEGMENTS

ACTIONS = [(s, s) for s in ("split", "bonus", "rights", "dividend", "demerger")]


class Instrument(models.Model):
    """One listed share, as the desk trades it."""

    symbol = models.CharField(max_length=32, unique=True, help_text="NSE symbol")
    name = models.CharField(max_length=120, blank=True)
    series = models.CharField(max_length=4, default="EQ")
    segment = models.CharField(max_length=16, choices=[(s, s) for s in SEGMENTS], default="equity")
    tick = models.DecimalField(max_digits=8, decimal_places=2, default="0.05", help_text="₹, by the month-end close")
    tick_close = models.DecimalField(
        max_digits=14, decimal_places=4, null=True, blank=True, help_text="₹, the month-end close the tick follows from"
    )
    tick_since = models.DateField(null=True, blank=True, help_text="first day the tick holds for")
    lot = models.PositiveIntegerField(default=1)
    isin = models.CharField(max_length=12, blank=True)
    isec_code = models.CharField(max_length=16, blank=True, help_text="Breeze short name")
    token = models.CharField(max_length=16, blank=True, help_text="exchange token")
    is_demo = models.BooleanField(default=False, help_text="an invented share of the demo market")

    class Meta:
        ordering: ClassVar[list[str]] = ["symbol"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(tick__gt=0), name="instrument_tick_positive"),
            models.CheckConstraint(condition=Q(lot__gt=0), name="instrument_lot_positive"),
        ]

    def __str__(self) -> str:
        """Return the symbol."""
        return self.symbol


class Listing(models.Model):
    """The names one share went by over a stretch of days; ``until`` is the last day, null while it holds."""

    symbol = models.CharField(max_length=32, help_text="NSE symbol")
    isec_code = models.CharField(max_length=16, help_text="Breeze short name")
    token = models.CharField(max_length=16, help_text="exchange token")
    isin = models.CharField(max_length=12, blank=True)
    series = models.CharField(max_length=4)
    company = models.CharField(max_length=120, blank=True)
    face_value = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    since = models.DateField(help_text="first day it was seen so in the master")
    until = models.DateField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["symbol", "-since"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["isec_code"], name="listing_isec"),
            models.Index(fields=["token"], name="listing_token"),
            models.Index(fields=["isin"], name="listing_isin"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["symbol", "series"], condition=Q(until=None), name="listing_one_current"),
            models.CheckConstraint(condition=Q(until=None) | Q(until__gte=F("since")), name="listing_days_in_order"),
        ]

    def __str__(self) -> str:
        """Return symbol, series and code."""
        return f"{self.symbol} {self.series} ({self.isec_code})"


class MasterFile(models.Model):
    """One reading of the broker's security master: what it held, and what was refused by name."""

    read_at = models.DateTimeField()
    day = models.DateField(help_text="IST day it was read for")
    source = models.CharField(max_length=300)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the archive")
    rows = models.PositiveIntegerField()
    usable = models.PositiveIntegerField()
    refused = models.JSONField(default=list, help_text="[[symbol, why], …]")

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        """Return day and size."""
        return f"{self.day}: {self.usable} of {self.rows}"


class CorporateAction(models.Model):
    """What an issuer did to its shares on a day; bars before ``ex_date`` are adjusted by it when they are read."""

    symbol = models.CharField(max_length=32, help_text="NSE symbol")
    kind = models.CharField(max_length=10, choices=ACTIONS)
    ex_date = models.DateField()
    known_on = models.DateField(help_text="day it was known; bars read as of an earlier day do not see it")
    price_factor = models.DecimalField(max_digits=18, decimal_places=12, help_text="prices before are multiplied by it")
    volume_factor = models.DecimalField(max_digits=18, decimal_places=12, help_text="volumes before, likewise")
    terms = models.CharField(max_length=120, blank=True, help_text="as announced, e.g. bonus 1:1")
    source = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["symbol", "ex_date"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["symbol", "kind", "ex_date"], name="corporate_action_once"),
            models.CheckConstraint(
                condition=Q(price_factor__gt=0, volume_factor__gt=0), name="corporate_action_factors_positive"
            ),
        ]

    def __str__(self) -> str:
        """Return symbol, kind and day."""
        return f"{self.symbol} {self.kind} {self.ex_date}"
