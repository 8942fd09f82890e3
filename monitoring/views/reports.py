"""The reports of a day or a week: what was earned and lost, why, and what went wrong meanwhile."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from monitoring.selectors import alerts
from sensequant.lib.clock import now
from trading.selectors import live, orders
from trading.services import summaries
from trading.views.columns import Column
from trading.views.grids import Grid

C = Column


def _columns(title: str, how: str = "text") -> tuple[Column, ...]:
    return (
        C("key", title, how), C("trades", "Trades", "qty"), C("win_rate", "Won", "share"),
        C("gross", "Gross ₹", "pnl"), C("charges", "Charges", "number", "brokerage and levies, ₹"),
        C("net", "Net ₹", "pnl", "after charges"), C("best", "Best ₹", "pnl"), C("worst", "Worst ₹", "pnl"),
    )  # fmt: skip


ORDERS = (C("purpose", "For", "word"), C("status", "Became", "status"), C("orders", "Orders", "qty"))
OBJECTIONS = (C("why", "What was said"), C("signals", "Signals", "qty"))
ALERTS = (
    C("fired_at", "Fired", "stamp"), C("resolved_at", "Over", "stamp"), C("severity", "Severity", "word"),
    C("name", "Alert"), C("message", "What"),
)  # fmt: skip
NOTHING = "No trade was closed."


@require_safe
@login_required
def reports_page(request: HttpRequest) -> HttpResponse:
    """Show the report of a day (``?day=``) or of its week (``&span=week``); without a day the run's newest."""
    at, get = now(), request.GET
    run, weekly = orders.run(get.get("run", "")) or live.current_run(), get.get("span") == "week"
    day = _day(get.get("day", "")) or summaries.day_of(run, at=at)
    context: dict[str, Any] = {"run": run, "runs": orders.runs(), "day": day, "weekly": weekly, "asked_at": at}
    if run is not None:
        first, last = summaries.week_of(day) if weekly else (day, day)
        found = summaries.summary(run, first, last)
        context |= {"found": found, "grids": _grids(found, weekly=weekly), "change": _change(found)}
    return render(request, "monitoring/reports.html", context)


def _change(found: summaries.Summary) -> Any:
    return None if found.begun is None or found.ended is None else found.ended - found.begun


def _grids(found: summaries.Summary, *, weekly: bool) -> list[Grid]:
    begins, ends = summaries.span(found.first, found.last)
    fired = list(alerts.listed().filter(fired_at__gte=begins, fired_at__lt=ends))
    days = [Grid("days", "By day", _columns("Day"), found.days, NOTHING)] if weekly else []
    return [
        *days,
        Grid("symbols", "By symbol", _columns("Symbol", "symbol"), found.symbols, NOTHING),
        Grid("strategies", "By strategy", _columns("Strategy", "word"), found.strategies, NOTHING),
        Grid("ways", "By way out", _columns("Left by", "word"), found.ways_out, NOTHING),
        Grid("orders", "Orders", ORDERS, found.orders, "No order was decided on."),
        Grid("objections", "Signals and what spoke against them", OBJECTIONS, found.objections, "No signal."),
        Grid("alerts", "Alerts", ALERTS, fired, "None fired."),
    ]


def _day(text: str) -> dt.date | None:
    """Return the day that was written; None where none or none such was."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
