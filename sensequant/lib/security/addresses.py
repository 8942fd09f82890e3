"""Where a request came from: the peer itself, unless proxies of our own are known to stand in between."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """Return the caller's address."""
    return seen(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))


def seen(peer: str, forwarded: str) -> str:
    """Return who stands behind ``peer``; X-Forwarded-For counts for as many hops as TRUSTED_PROXIES, from the right."""
    hops = settings.DESK.trusted_proxies
    told = [each.strip() for each in forwarded.split(",") if each.strip()]
    if not hops or len(told) < hops:
        return peer
    return told[-hops] if _is_address(told[-hops]) else peer


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
