"""What the pages share: who may act, how a service's refusal is told, where one goes back to."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from sensequant.lib import identity
from sensequant.lib.errors import SenseQuantError, is_bad_input
from trading.core.rights import Right
from trading.selectors import roles

View = Callable[..., HttpResponse]
RIGHT = "right_of_this_person"
BY_HAND = "stopped by hand"  # stands as reason in the kill switch's field, so that stopping never waits for words


def for_traders(view: View) -> View:
    """Let only those in who may control the engine; others get 403, strangers the login page."""
    return _only(view, Right.TRADE, "this needs the right to trade: ask an administrator for the group operator")


def for_stoppers(view: View) -> View:
    """Let only those in who may stop the desk; others get 403, strangers the login page."""
    return _only(view, Right.KILL, "this needs the right to stop: operators have it, and who signs for the desk")


def for_admins(view: View) -> View:
    """Let only staff in; others get 403, strangers the login page."""
    return _only(view, Right.ADMIN, "this needs the right to administer: ask a staff member")


def _only(view: View, right: Right, refusal: str) -> View:
    @wraps(view)
    @login_required
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not roles.may(request.user, right):
            raise PermissionDenied(refusal)
        return view(request, *args, **kwargs)

    return guarded


def may_trade(request: HttpRequest) -> bool:
    """Say whether this person may control the engine and start backtests."""
    return _may(request, Right.TRADE)


def may_stop(request: HttpRequest) -> bool:
    """Say whether this person may stop the desk."""
    return _may(request, Right.KILL)


def _may(request: HttpRequest, right: Right) -> bool:
    """Say whether this person has ``right``; a page that asks for several looks them up once."""
    if not hasattr(request, RIGHT):
        setattr(request, RIGHT, roles.right_of(request.user))
    has = getattr(request, RIGHT)
    return has is not None and has >= right


def confirm(request: HttpRequest) -> None:
    """Raise NotAllowed unless the form says again who sends it (``_confirm.html``); what stops never asks."""
    identity.confirm(request.user, request.POST.get("password", ""), request.POST.get("code", ""))


def told(request: HttpRequest, said: str, work: Callable[[], Any]) -> Any:
    """Do ``work`` and tell how it went: ``said``, if anything, on success, or why it was refused (then return None)."""
    try:
        done = work()
    except SenseQuantError as error:
        messages.error(request, str(error))
        return None
    except ValueError as error:
        if not is_bad_input(error):
            raise
        messages.error(request, str(error))
        return None
    if said:
        messages.success(request, said)
    return done


def back(request: HttpRequest, otherwise: str) -> HttpResponseRedirect:
    """Return to the page that sent the form (field ``next``), or to the page named ``otherwise``."""
    wanted = request.POST.get("next", "")
    own = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    answer = HttpResponseRedirect(wanted if own else reverse(otherwise))
    answer.status_code = 303  # whatever the method was, now GET
    return answer
