"""The tokens page: the keys with which scripts use the API; a new one is shown once, on the answer to its form."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from sensequant.lib import identity
from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput
from trading.core.rights import MEANING, Right
from trading.selectors import roles
from trading.selectors import tokens as found
from trading.services import tokens
from trading.views.doors import back, told

DAYS = 30


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def tokens_page(request: HttpRequest) -> HttpResponse:
    """List a person's keys (staff: everybody's); a POST makes one and shows it, this once."""
    made = told(request, "", lambda: _issue(request)) if request.method == "POST" else None
    at, has = now(), roles.right_of(request.user) or Right.READ
    rows = [{"row": row, "state": tokens.state(row, at)} for row in found.visible_to(request.user)]
    status = 422 if request.method == "POST" and made is None else 200
    context = {
        "made": made[0] if made else None,
        "key": made[1] if made else "",
        "rows": rows,
        "scopes": [(each.scope, MEANING[each]) for each in Right if each <= has],
        "sent": request.POST if status == 422 else {"days": DAYS, "scope": Right.READ.scope},
        "longest": tokens.LONGEST_DAYS,
    }
    return render(request, "trading/tokens.html", context, status=status)


def _issue(request: HttpRequest) -> Any:
    form, name = request.POST, request.user.get_username()
    days = form.get("days", "")
    if not (days.isascii() and days.isdigit() and len(days) < 4):
        raise BadInput(f"{days[:20]!r} is not a number of days", fix=f"give 1 to {tokens.LONGEST_DAYS}")
    identity.confirm(request.user, form.get("password", ""), form.get("code", ""))
    networks = form.get("networks", "").replace(",", " ").split()
    return tokens.issue(
        username=name, scope=form.get("scope", ""), days=int(days), name=form.get("name", ""), networks=networks,
        by=name, at=now(),
    )  # fmt: skip


@require_POST
@login_required
def revoke_token(request: HttpRequest, prefix: str) -> HttpResponse:
    """End one of a person's keys (staff: anybody's), at once and for good."""
    who = request.user.get_username()

    def work() -> Any:
        return tokens.revoke(found.visible(request.user, prefix).prefix, by=who, at=now())

    told(request, f"The key {prefix} is revoked.", work)
    return back(request, "tokens")
