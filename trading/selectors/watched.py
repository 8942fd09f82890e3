"""What a release is watched by on the desk's side: its runs, their orders, engines that failed."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from trading.core.orders import OPEN, Status
from trading.models import EngineRun, Order, Position

GOING_ON = ("starting", "running", "suspended")


def strategies() -> set[str]:
    """Return the strategies of the runs that trade or would go on to."""
    rows = EngineRun.objects.filter(current=True, state__in=GOING_ON).order_by()
    return set(rows.values_list("strategy", flat=True).distinct())


def held() -> list[str]:
    """Return what is held or working in runs that are not replays, in words; empty when the desk is flat."""
    mine = Q(run__current=True) & ~Q(run__mode="replay")
    positions = [
        f"{symbol} ({quantity})" for symbol, quantity in Position.objects.filter(mine).values_list("symbol", "quantity")
    ]
    working = Order.objects.filter(mine, status__in=OPEN)
    return positions + [f"order #{number} of {symbol}" for symbol, number in working.values_list("symbol", "number")]


def orders(*, since: dt.datetime) -> tuple[int, int]:
    """Return how many orders were sent to a broker since, and how many of them it refused."""
    rows = Order.objects.filter(run__mode="live", created_at__gte=since)
    return rows.count(), rows.filter(status=Status.REJECTED).count()


def failed_engines(*, since: dt.datetime) -> list[str]:
    """Return engines that failed since, with what they said."""
    rows = EngineRun.objects.filter(state="failed", stopped_at__gte=since)
    return [f"{run.name}: {run.error}" for run in rows]
