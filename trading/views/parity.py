"""The Parity page: a day as the desk traded it beside the same day simulated."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput
from trading.models import EngineRun
from trading.selectors import live, orders
from trading.services import day_parity
from trading.services.day_parity import DayParity
from trading.views.columns import Column
from trading.views.doors import told
from trading.views.grids import Grid

C = Column
DIFFERENCES = (
    C("where", "Where", "word"), C("kind", "What", "word"), C("at", "At", "stamp", "market time"),
    C("symbol", "Symbol", "symbol"), C("shares", "Shares", "number", "bought above zero, sold below"),
    C("value", "Price or net ₹", "number", "of a fill its price, of a trade its net P&L"),
    C("count", "Times", "qty"),
)  # fmt: skip


@require_safe
@login_required
def parity_page(request: HttpRequest) -> HttpResponse:
    """Show what days can be compared; with a day, compare it."""
    chosen = _run(request)
    found: DayParity | None = None
    known = day_parity.days(chosen) if chosen else []
    if chosen is not None and request.GET.get("day"):
        found = told(request, "", lambda: day_parity.compare(chosen.pk, _day(request.GET["day"]), at=now()))
    rows = found.rows if found else []
    context = {
        "runs": orders.runs(), "chosen": chosen, "days": known, "day": request.GET.get("day", ""), "found": found,
        "grid": Grid("differences", "Differences", DIFFERENCES, rows, "None: both did the same, to the paisa."),
    }  # fmt: skip
    return render(request, "trading/parity.html", context)


def _run(request: HttpRequest) -> EngineRun | None:
    wanted = request.GET.get("run", "")
    return orders.run(wanted) if wanted else live.current_run()


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{text[:20]!r} is not a date", fix="write it as 2026-11-23") from None
