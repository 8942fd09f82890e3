"""What a span of days came to: money, trades, orders and signals, by day, symbol, strategy and way out."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, FloatField, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Cast, TruncDate

from sensequant.lib.clock import IST
from trading.models.control import Halt
from trading.models.engine import EngineRun
from trading.models.orders import Order, Signal
from trading.models.positions import EquityPoint, Trade
from trading.selectors import positions

SUMS = {
    "trades": Count("id"), "won": Count("id", filter=Q(net_pnl__gt=0)), "gross": Sum("gross_pnl"),
    "charges": Sum("charges"), "net": Sum("net_pnl"), "best": Max("net_pnl"), "worst": Min("net_pnl"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Summary:
    """One span of one run; each list is a table's rows."""

    first: dt.date
    last: dt.date
    totals: positions.Totals
    begun: Decimal | None  # equity before and after
    ended: Decimal | None
    deepest: float | None  # deepest fall of equity inside the span, a part of its peak
    days: list[dict[str, Any]]
    symbols: list[dict[str, Any]]
    strategies: list[dict[str, Any]]
    ways_out: list[dict[str, Any]]
    orders: list[dict[str, Any]]
    objections: list[dict[str, Any]]
    halts: list[Halt]


def span(first: dt.date, last: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """Return the moments between which days lie."""
    return dt.datetime.combine(first, dt.time(), IST), dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), IST)


def summary(run: EngineRun, first: dt.date, last: dt.date) -> Summary:
    """Return what ``run`` came to from ``first`` to ``last``, both included."""
    begins, ends = span(first, last)
    trades = Trade.objects.filter(run=run, exit_time__gte=begins, exit_time__lt=ends)
    orders = Order.objects.filter(run=run, created_at__gte=begins, created_at__lt=ends)
    equity = EquityPoint.objects.filter(run=run, at__gte=begins, at__lt=ends).order_by("at")
    worth = equity.values_list("equity", flat=True)
    by_day = trades.annotate(day=TruncDate("exit_time", tzinfo=IST))
    return Summary(
        first, last, positions.totals(trades), worth.first(), worth.last(), _deepest(equity), _by(by_day, "day"),
        _by(trades, "symbol"), _by(trades, "strategy"), _by(trades, "exit_reason"), _statuses(orders),
        _objections(run, begins, ends), list(Halt.objects.filter(engaged_at__gte=begins, engaged_at__lt=ends)),
    )  # fmt: skip


def _by(trades: QuerySet[Trade], name: str) -> list[dict[str, Any]]:
    rows = trades.order_by().values(name).annotate(**SUMS).order_by(name)
    return [{**row, "key": row[name], "win_rate": row["won"] / row["trades"]} for row in rows]


def _statuses(orders: QuerySet[Order]) -> list[dict[str, Any]]:
    rows = orders.order_by().values("status", "purpose").annotate(orders=Count("id"))
    return [dict(row) for row in rows.order_by("purpose", "status")]


def _deepest(equity: QuerySet[EquityPoint]) -> float | None:
    """Return the deepest fall of equity from its peak, a part of it; None without any point."""
    peak, fall, some = 0.0, 0.0, False
    for value in equity.values_list(Cast("equity", FloatField()), flat=True):
        some, peak = True, max(peak, value)
        if peak > 0.0:
            fall = max(fall, (peak - value) / peak)
    return fall if some else None


def _objections(run: EngineRun, begins: dt.datetime, ends: dt.datetime) -> list[dict[str, Any]]:
    """Return why signals were not acted on, the most frequent reason first; numbers in a reason do not count."""
    rows = Signal.objects.filter(run=run, at__gte=begins, at__lt=ends).order_by().values_list("objections")
    told: Counter[str] = Counter()
    for objections, count in rows.annotate(count=Count("id")):
        told.update(dict.fromkeys(objections or ["acted on"], count))
    return [{"why": why, "signals": count} for why, count in told.most_common(12)]


def day_of(run: EngineRun | None, *, at: dt.datetime) -> dt.date:
    """Return the day at which a run stands, or that of ``at`` before it has begun."""
    return ((run.cursor if run is not None else None) or at).astimezone(IST).date()


def week_of(day: dt.date) -> tuple[dt.date, dt.date]:
    """Return Monday and Sunday of a day's week."""
    monday = day - dt.timedelta(days=day.weekday())
    return monday, monday + dt.timedelta(days=6)
