"""Orders as the pages ask for them: a run's, newest first, with what they were filled at."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, QuerySet

from sensequant.lib.clock import IST
from trading.models import EngineRun, Fill, Order, OrderEvent, Signal


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader filters by; empty means all."""

    run: int | None = None
    symbol: str = ""
    strategy: str = ""
    side: str = ""
    status: str = ""
    day: dt.date | None = None

    def where(self, moment: str, **named: str) -> dict[str, Any]:
        """Return the filter as field lookups: ``moment`` names the time field, ``named`` the fields that differ."""
        found: dict[str, Any] = {named.get(name, name): value for name, value in self._words() if value}
        if self.run is not None:
            found["run_id"] = self.run
        if self.day is not None:
            begins = dt.datetime.combine(self.day, dt.time(), IST)
            found |= {f"{moment}__gte": begins, f"{moment}__lt": begins + dt.timedelta(days=1)}
        return found

    def _words(self) -> list[tuple[str, str]]:
        said = [("symbol", self.symbol), ("strategy", self.strategy), ("side", self.side), ("status", self.status)]
        return [(name, value.upper() if name in ("symbol", "side") else value) for name, value in said]


def runs(most: int = 30) -> QuerySet[EngineRun]:
    """Return the newest runs, for a reader to choose from."""
    return EngineRun.objects.order_by("-id")[:most]


def run(wanted: str) -> EngineRun | None:
    """Return the run of that number; None when it is none, or there is no such run."""
    return EngineRun.objects.filter(pk=int(wanted)).first() if wanted.isdigit() and len(wanted) < 10 else None


def orders(asked: Asked) -> QuerySet[Order]:
    """Return the orders asked for, each with its fills."""
    return Order.objects.filter(**asked.where("created_at")).prefetch_related("fills")


def average(order: Order) -> Decimal | None:
    """Return the mean price of an order's fills; None without any."""
    fills = list(order.fills.all())
    shares = sum(fill.quantity for fill in fills)
    return sum((fill.price * fill.quantity for fill in fills), Decimal(0)) / shares if shares else None


def charges(order: Order) -> Decimal | None:
    """Return what an order's fills cost; None without any."""
    fills = list(order.fills.all())
    return sum((fill.charges for fill in fills), Decimal(0)) if fills else None


def order(pk: int) -> Order | None:
    """Return one order with its fills and the steps of its life; None when there is no such order."""
    steps = Prefetch("events", OrderEvent.objects.order_by("id"))
    fills = Prefetch("fills", Fill.objects.order_by("id"))
    return Order.objects.select_related("run").prefetch_related(steps, fills).filter(pk=pk).first()


def signal_of(order: Order) -> Signal | None:
    """Return the signal that led to ``order``: the newest of its symbol and strategy before it; None for a stop."""
    before = Signal.objects.filter(
        run_id=order.run_id, symbol=order.symbol, strategy=order.strategy, at__lte=order.created_at, objections=[]
    )
    return before.first() if order.purpose == "entry" else None


def signals(asked: Asked) -> QuerySet[Signal]:
    """Return the signals asked for; status ``acted`` or ``declined`` tells those acted on from the others."""
    wanted = replace(asked, status="")
    found = Signal.objects.filter(**wanted.where("at", side="direction"))
    if asked.status == "acted":
        return found.filter(objections=[])
    return found.exclude(objections=[]) if asked.status == "declined" else found
