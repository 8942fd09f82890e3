"""The risk page: the kill switch, the breaker, every limit, what the books disagree about, and what blocks what."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput
from trading.core.rights import Right
from trading.selectors import control, roles
from trading.services import differences, halts, risk_status
from trading.views.broker import BUDGETS
from trading.views.doors import BY_HAND, back, confirm, for_admins, for_stoppers, for_traders, may_stop, may_trade, told

PAST = 20  # rows of history on the page
SEEN = re.compile(r"(-?\d{1,9}),(-?\d{1,9})", re.ASCII)  # shares by our fills, shares by the broker's books


@require_safe
@login_required
def risk_page(request: HttpRequest) -> HttpResponse:
    """Show what stops trading, what would, and what stands in its way."""
    at = now()
    found = risk_status.status(at=at)
    ages = [each.published_at for each in found["standings"] if each.published_at]
    context: dict[str, Any] = {
        **found,
        "at": at,
        "age": max(0.0, (at - max(ages)).total_seconds()) if ages else None,
        "gauges": [{**found["budgets"][name], "title": title} for name, title in BUDGETS.items()],
        "past_halts": control.halts()[:PAST],
        "past_differences": control.differences(open_now=False)[:PAST],
        "may_trade": may_trade(request),
        "may_stop": may_stop(request),
        "may_release": roles.may(request.user, Right.ADMIN),
        "by_hand": BY_HAND,
    }
    return render(request, "trading/risk.html", context)


@require_POST
@for_stoppers
def kill(request: HttpRequest) -> HttpResponse:
    """Engage the kill switch; with the box ticked every position is left, too."""
    leave, who = request.POST.get("square_off") == "on", request.user.get_username()
    said = "The kill switch is on: entries stop, exits go on."
    if leave:
        said = "The kill switch is on: entries stop, and every position is left."
    reason = request.POST.get("reason", "")
    told(request, said, lambda: halts.engage(halts.KILL, reason, at=now(), by=who, square_off=leave))
    return back(request, "risk")


@require_POST
@for_admins
def release(request: HttpRequest) -> HttpResponse:
    """Release the kill switch or the breaker."""
    kind, reason, who = request.POST.get("kind", ""), request.POST.get("reason", ""), request.user.get_username()

    def work() -> Any:
        if kind not in halts.NAMES:
            raise BadInput(f"kind {kind!r} is not known", fix="load the page again")
        confirm(request)
        return halts.release(kind, reason, at=now(), by=who)

    told(request, f"The {halts.NAMES.get(kind, kind)} is released.", work)
    return back(request, "risk")


@require_POST
@for_traders
def accept_difference(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept a difference, with the numbers the person saw."""
    reason, who, given = request.POST.get("reason", ""), request.user.get_username(), request.POST.get("seen", "")

    def work() -> Any:
        numbers = SEEN.fullmatch(given)
        if numbers is None:
            raise BadInput("the form was not complete", fix="load the page again")
        return differences.accept(pk, reason, at=now(), by=who, seen=(int(numbers[1]), int(numbers[2])))

    told(request, "Accepted: entries in this symbol go on while the numbers stay as they are.", work)
    return back(request, "risk")
