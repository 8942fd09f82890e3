"""What is held, what was closed, and the account's equity over time."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from trading.models.engine import EngineRun

SIDES = [("LONG", "LONG"), ("SHORT", "SHORT")]


class Position(models.Model):
    """One symbol's open position in a run: the fold of its fills."""

    run = models.ForeignKey(EngineRun, on_delete=models.CASCADE, related_name="positions")
    symbol = models.CharField(max_length=32)
    strategy = models.CharField(max_length=32)
    side = models.CharField(max_length=5, choices=SIDES)
    quantity = models.PositiveIntegerField()
    entry_price = models.DecimalField(max_digits=14, decimal_places=4)
    stop = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    target = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    charges = models.DecimalField(max_digits=14, decimal_places=4, default=0)
    opened_at = models.DateTimeField(help_text="market time")

    class Meta:
        ordering: ClassVar[list[str]] = ["symbol"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "symbol", "strategy"], name="position_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="position_quantity_positive"),
        ]

    def __str__(self) -> str:
        """Return side, quantity and symbol."""
        return f"{self.side} {self.quantity} {self.symbol}"


class Trade(models.Model):
    """A position from flat to flat."""

    run = models.ForeignKey(EngineRun, on_delete=models.CASCADE, related_name="trades")
    symbol = models.CharField(max_length=32)
    strategy = models.CharField(max_length=32)
    side = models.CharField(max_length=5, choices=SIDES)
    quantity = models.PositiveIntegerField()
    entry_time = models.DateTimeField()
    entry_price = models.DecimalField(max_digits=14, decimal_places=4)
    exit_time = models.DateTimeField()
    exit_price = models.DecimalField(max_digits=14, decimal_places=4)
    exit_reason = models.CharField(max_length=20)
    gross_pnl = models.DecimalField(max_digits=16, decimal_places=4)
    charges = models.DecimalField(max_digits=14, decimal_places=4)
    net_pnl = models.DecimalField(max_digits=16, decimal_places=4)
    orders = models.JSONField(default=list, help_text="numbers of its orders")

    class Meta:
        ordering: ClassVar[list[str]] = ["-exit_time", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["run", "-exit_time", "-id"], name="trade_newest"),
            models.Index(fields=["symbol", "-exit_time"], name="trade_symbol"),
            models.Index(fields=["-exit_time", "-id"], name="trade_moment"),
            models.Index(fields=["strategy", "-exit_time", "-id"], name="trade_strategy"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "symbol", "strategy", "exit_time"], name="trade_once")
        ]

    def __str__(self) -> str:
        """Return side, quantity and symbol."""
        return f"{self.side} {self.quantity} {self.symbol}"


class EquityPoint(models.Model):
    """The account's equity at a moment of the market."""

    run = models.ForeignKey(EngineRun, on_delete=models.CASCADE, related_name="equity")
    at = models.DateTimeField()
    equity = models.DecimalField(max_digits=16, decimal_places=4)
    cash = models.DecimalField(max_digits=16, decimal_places=4)
    exposure = models.DecimalField(max_digits=16, decimal_places=4)

    class Meta:
        ordering: ClassVar[list[str]] = ["at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "at"], name="equity_point_once")
        ]

    def __str__(self) -> str:
        """Return moment and equity."""
        return f"{self.at} {self.equity}"
