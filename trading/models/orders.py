"""Signals, the orders they became, and what happened to those; history is appended, never edited."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast, Round
from django.db.models.lookups import Exact

from trading.core.orders import Status
from trading.models.engine import EngineRun


def _units(name: str) -> Cast:
    """Return a price column in whole units of 1e-4 rupee."""
    return Cast(Round(F(name) * 10_000), models.BigIntegerField())


DIRECTIONS = [("LONG", "LONG"), ("SHORT", "SHORT"), ("FLAT", "FLAT")]
SIDES = [("BUY", "BUY"), ("SELL", "SELL")]
PURPOSES = [("entry", "entry"), ("exit", "exit")]


class Signal(models.Model):
    """What a strategy said about one bar, why, and what spoke against acting on it."""

    run = models.ForeignKey(EngineRun, on_delete=models.CASCADE, related_name="signals")
    at = models.DateTimeField(help_text="start of the bar")
    symbol = models.CharField(max_length=32)
    strategy = models.CharField(max_length=32)
    direction = models.CharField(max_length=5, choices=DIRECTIONS)
    confidence = models.FloatField(help_text="0 … 1, after sentiment")
    price = models.DecimalField(max_digits=14, decimal_places=4, help_text="close of the bar, ₹")
    sentiment = models.FloatField(null=True, blank=True)
    reason = models.CharField(max_length=300)
    objections = models.JSONField(default=list, help_text="empty when it was acted on")
    features = models.JSONField(default=dict)
    model_version = models.CharField(max_length=64, blank=True, help_text="the student that scored it")
    model_confidence = models.FloatField(null=True, blank=True, help_text="0 … 1, the chance the student gave it")

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["run", "-at", "-id"], name="signal_newest"),
            models.Index(fields=["symbol", "-at"], name="signal_symbol"),
            models.Index(fields=["-at", "-id"], name="signal_moment"),
            models.Index(fields=["strategy", "-at", "-id"], name="signal_strategy"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "symbol", "strategy", "at"], name="signal_once"),
            models.CheckConstraint(condition=Q(confidence__gte=0, confidence__lte=1), name="signal_confidence_bounds"),
        ]

    def __str__(self) -> str:
        """Return direction and symbol."""
        return f"{self.direction} {self.symbol}"


class Order(models.Model):
    """One order, from its intent to its end."""

    run = models.ForeignKey(EngineRun, on_delete=models.CASCADE, related_name="orders")
    key = models.CharField(max_length=120, unique=True, help_text="the decision: run, strategy, symbol, purpose, bar")
    number = models.PositiveIntegerField(help_text="counts the run's orders")
    symbol = models.CharField(max_length=32)
    strategy = models.CharField(max_length=32)
    side = models.CharField(max_length=4, choices=SIDES)
    purpose = models.CharField(max_length=5, choices=PURPOSES)
    reason = models.CharField(max_length=300, blank=True)
    quantity = models.PositiveIntegerField()
    filled = models.PositiveIntegerField(default=0)
    price = models.DecimalField(max_digits=14, decimal_places=4, help_text="what it was sized at, ₹")
    limit_price = models.DecimalField(
        max_digits=14, decimal_places=4, null=True, blank=True, help_text="₹, as sent to the broker"
    )
    tick = models.DecimalField(
        max_digits=8, decimal_places=4, null=True, blank=True, help_text="₹, the share's price step when it was sent"
    )
    status = models.CharField(max_length=10, choices=[(s.value, s.value) for s in Status], default=Status.WORKING)
    created_at = models.DateTimeField(help_text="market time: end of the deciding bar")
    broker_order_id = models.CharField(max_length=40, null=True, blank=True, unique=True)
    fence = models.PositiveBigIntegerField(null=True, blank=True, help_text="token of the lease it was sent under")
    sent_at = models.DateTimeField(null=True, blank=True)
    absences = models.PositiveSmallIntegerField(default=0, help_text="clean reads of the broker's book without it")

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["run", "-created_at", "-id"], name="order_newest"),
            models.Index(fields=["symbol", "-created_at"], name="order_symbol"),
            models.Index(fields=["-created_at", "-id"], name="order_moment"),
            models.Index(fields=["strategy", "-created_at", "-id"], name="order_strategy"),
            models.Index(fields=["status", "-created_at", "-id"], name="order_status"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "number"], name="order_number_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="order_quantity_positive"),
            models.CheckConstraint(condition=Q(filled__lte=F("quantity")), name="order_not_overfilled"),
            models.CheckConstraint(condition=Q(price__gt=0), name="order_price_positive"),
            models.CheckConstraint(
                condition=Q(limit_price=None) | Q(limit_price__gt=0), name="order_limit_price_positive"
            ),
            models.CheckConstraint(
                condition=Q(limit_price=None) | Q(tick__isnull=False, tick__gt=0), name="order_limit_price_has_a_tick"
            ),
            models.CheckConstraint(
                condition=Q(limit_price=None) | Q(Exact(_units("limit_price") % _units("tick"), 0)),
                name="order_limit_price_on_tick",
            ),
        ]

    def __str__(self) -> str:
        """Return side, quantity and symbol."""
        return f"{self.side} {self.quantity} {self.symbol}"


class OrderEvent(models.Model):
    """One step of an order's life; the outbox of whoever cares."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events")
    old = models.CharField(max_length=10, blank=True)
    new = models.CharField(max_length=10)
    at = models.DateTimeField(help_text="market time")
    note = models.CharField(max_length=300, blank=True)
    handled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["id"], condition=Q(handled_at=None), name="order_event_unhandled")
        ]

    def __str__(self) -> str:
        """Return the step."""
        return f"{self.old or 'new'} → {self.new}"


class Fill(models.Model):
    """Shares that changed hands, and what that cost."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="fills")
    number = models.PositiveIntegerField(help_text="counts the order's fills")
    at = models.DateTimeField(help_text="market time")
    quantity = models.PositiveIntegerField()
    price = models.DecimalField(max_digits=14, decimal_places=4)
    charges = models.DecimalField(max_digits=14, decimal_places=4, help_text="₹, all levies and brokerage")
    broker_trade_id = models.CharField(
        max_length=60, null=True, blank=True, unique=True, help_text="day and number at the exchange"
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["order", "number"], name="fill_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="fill_quantity_positive"),
            models.CheckConstraint(condition=Q(price__gt=0), name="fill_price_positive"),
        ]

    def __str__(self) -> str:
        """Return quantity and price."""
        return f"{self.quantity} @ {self.price}"
