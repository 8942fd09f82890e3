"""``/metrics`` for Prometheus, in its text format: to a token, a login, or anybody on this machine."""

from __future__ import annotations

import ipaddress
import math

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from monitoring.selectors import prometheus
from sensequant.lib.clock import now
from sensequant.lib.security.addresses import address_of
from trading.services import tokens

CONTENT = "text/plain; version=0.0.4; charset=utf-8"


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return every number of the desk; 401 to strangers from elsewhere."""
    if not (request.user.is_authenticated or _here(request) or _token(request)):
        return HttpResponse("a token is needed: Authorization: Bearer <token>\n", status=401, content_type="text/plain")
    lines = []
    for name, kind, told, rows in prometheus.families(at=now()):
        lines += [f"# HELP {name} {told}", f"# TYPE {name} {kind}"]
        lines += [f"{name}{_labels(labels)} {_number(value)}" for labels, value in rows]
    return HttpResponse("\n".join(lines) + "\n", content_type=CONTENT)


def _here(request: HttpRequest) -> bool:
    """Say whether the caller is this machine itself; behind a proxy everybody seems to be."""
    try:
        near = ipaddress.ip_address(address_of(request)).is_loopback
    except ValueError:
        return False
    return near and not settings.DESK.behind_https


def _token(request: HttpRequest) -> bool:
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    return kind.lower() == "bearer" and bool(tokens.authenticate(key.strip(), address=address_of(request), at=now()))


def _labels(labels: dict[str, str]) -> str:
    inside = ",".join(f'{key}="{_escape(value)}"' for key, value in labels.items())
    return f"{{{inside}}}" if inside else ""


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return "NaN" if math.isnan(value) else repr(float(value))
