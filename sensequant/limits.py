"""Every address has a ceiling a minute, whoever calls it; what stops and what probes has none.

A person has a ceiling of their own, everybody else that of their address; a login, a confirmation and a refused token
cost more than a look. What a busy screen needs lies far below. A supervisor who was refused an answer would end a desk
that is well, so a probe is never counted.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from sensequant.known import PROBES
from sensequant.lib.clock import now
from sensequant.lib.counting import spend
from sensequant.lib.security import events
from sensequant.lib.security.addresses import address_of
from trading.api.problems import plain

PERSON, ADDRESS = 3_000, 600  # what a person, and what an address nobody is logged in from, may spend in a minute
SCRIPT = 6_000  # an address that sends a token: the API's own ceiling
LOGIN, REFUSED_TOKEN = 20, 60  # what a try to log in, and what a token that is not in force, costs
STOPPING = ("/risk/kill", "/api/v1/risk/kill", "/api/v1/broker/disarm", "/engine/control", "/models/disable")


class Limiter:
    """Count every request, answer 429 above the ceiling, and keep what was refused."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let the request through unless the caller's minute is used up."""
        if request.path in PROBES:
            return self.get_response(request)
        name, most = ceiling(request)
        if request.path not in STOPPING:
            price = LOGIN if request.method == "POST" and request.path == "/login" else 1
            spent = spend(f"limit-{name}", price, at=now())
            if spent > most:
                return refuse(request, first=spent - price <= most)
        answer = self.get_response(request)
        if answer.status_code in (401, 403):
            events.note("refused", at=now(), request=request, status=answer.status_code, method=str(request.method))
            if answer.status_code == 401 and "Authorization" in request.headers:
                spend(f"limit-{name}", REFUSED_TOKEN, at=now())
        return answer


def ceiling(request: HttpRequest) -> tuple[str, int]:
    """Return whose minute a request is counted in, and how much there is of it."""
    if "Authorization" in request.headers:
        return f"script-{address_of(request)}", SCRIPT
    if request.user.is_authenticated:
        return f"person-{request.user.pk}", PERSON
    return f"address-{address_of(request)}", ADDRESS


def refuse(request: HttpRequest, *, first: bool) -> HttpResponse:
    """Answer 429 with the seconds to wait; the first time in a minute it is kept."""
    at = now()
    if first:
        events.note("too many requests", at=at, request=request)
    if request.path.startswith("/api/"):
        answer = plain(request, 429, "too many requests in this minute")
    else:
        answer = HttpResponse("Too many requests in this minute.\n", status=429, content_type="text/plain")
    answer.headers["Retry-After"] = str(60 - int(at.timestamp()) % 60)
    return answer
