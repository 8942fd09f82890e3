"""What can be traded."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from trading.core.calendar import SEGMENTS


class Instrument(models.Model):
    """One listed share, as the desk trades it."""

    symbol = models.CharField(max_length=32, unique=True, help_text="NSE symbol")
    name = models.CharField(max_length=120, blank=True)
    series = models.CharField(max_length=4, default="EQ")
    segment = models.CharField(max_length=16, choices=[(s, s) for s in SEGMENTS], default="equity")
    tick = models.DecimalField(max_digits=8, decimal_places=2, default="0.05", help_text="₹, by the month-end close")
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
