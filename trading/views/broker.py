"""The broker page: the daily login, what a round trip costs, arming, call budgets, and what is wrong now."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from sensequant.lib.clock import now
from sensequant.lib.errors import NotAllowed, SenseQuantError
from trading.services import arming, broker_status, sessions
from trading.views.doors import back, confirm, for_traders, may_trade, told

BUDGETS = {"minute": "Calls a minute", "day": "Calls a day", "orders": "Order requests a second"}
PENDING = "breeze_login"  # the login this browser began: {"nonce", "at"}
WITHIN = 900.0  # seconds between the beginning of a login and its end


@require_safe
@login_required
def broker_page(request: HttpRequest) -> HttpResponse:
    """Show how the desk stands with its broker."""
    found = broker_status.status()
    bills = [(kind, _bill(found["cost"][kind])) for kind in ("intraday", "delivery")]
    gauges = [{**found["budgets"][name], "title": title} for name, title in BUDGETS.items()]
    context = {**found, "bills": bills, "gauges": gauges, "may_trade": may_trade(request), "accept": arming.ACCEPT}
    return render(request, "trading/broker.html", context)


def _bill(items: dict[str, str]) -> dict[str, Any]:
    """Return a bill's items as the table shows them: what goes to the exchange and to SEBI in one."""
    return {**items, "exchange": Decimal(items["transaction"]) + Decimal(items["sebi"])}


@require_POST
@for_traders
def begin_login(request: HttpRequest) -> HttpResponse:
    """Send the operator to the broker's login page, and remember that this browser asked for it.

    By a page and not by a redirect: our policy lets no form lead to another site.
    """
    try:
        address = sessions.login_page()
    except SenseQuantError as error:
        messages.error(request, str(error))
        return back(request, "broker")
    request.session[PENDING] = {"nonce": secrets.token_urlsafe(24), "at": now().timestamp()}
    return render(request, "trading/broker_go.html", {"address": address, "host": urlsplit(address).netloc})


@require_safe
@never_cache
def login_callback(request: HttpRequest) -> HttpResponse:
    """Take what the broker's login page hands over, once, and only in the browser that began the login.

    The browser withholds our cookie when another site sends it here, so the first visit only comes back by itself.
    """
    if not request.user.is_authenticated and "again" not in request.GET:
        return render(request, "trading/broker_back.html", {"query": request.META.get("QUERY_STRING", "")})
    return _finish_login(request)


@for_traders
def _finish_login(request: HttpRequest) -> HttpResponse:
    pending: dict[str, Any] = request.session.pop(PENDING, None) or {}

    def work() -> Any:
        if not pending or now().timestamp() - pending["at"] > WITHIN:
            raise NotAllowed("this browser began no login in the last 15 minutes", fix="press Log in at the broker")
        returned = request.GET.get("state", "")
        if returned and not secrets.compare_digest(returned, pending["nonce"]):
            raise NotAllowed("the login that came back is not the one this browser began", fix="begin it again")
        given = request.GET.get("apisession") or request.GET.get("API_Session") or ""
        return sessions.log_in(given, at=broker_status.venue()["at"], by=request.user.get_username())

    told(request, "Logged in at the broker until midnight.", work)
    return redirect("broker")


@require_POST
@for_traders
def forget_session(request: HttpRequest) -> HttpResponse:
    """Forget today's session here."""
    who = request.user.get_username()
    told(request, "The session is forgotten.", lambda: sessions.revoke(at=broker_status.venue()["at"], by=who))
    return back(request, "broker")


@require_POST
@for_traders
def arm_live(request: HttpRequest) -> HttpResponse:
    """Arm live trading for today, or end it."""
    who, at = request.user.get_username(), broker_status.venue()["at"]
    if request.POST.get("action") == "disarm":
        told(request, "Live trading is disarmed: entries stop, exits go on.", lambda: arming.disarm(at=at, by=who))
    else:
        accepted = request.POST.get("accept", "")

        def work() -> Any:
            confirm(request)
            return arming.arm(accepted, at=at, by=who)

        told(request, "Live trading is armed until midnight.", work)
    return back(request, "broker")
