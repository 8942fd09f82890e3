"""Security headers Django does not set itself, the content security policy first; and who asks, for the records.

Scripts come from our own files only. A page that must carry a script inside itself writes
``<script nonce="{{ request.csp_nonce }}">``; asking for the nonce is what puts it into the header. No page may use
inline ``style`` attributes or ``<style>``, and libraries must not evaluate text (htmx: ``allowEval: false`` and
``includeIndicatorStyles: false``; lightweight-charts: ``attributionLogo: false``, the attribution stands in the page).
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from sensequant.lib import caller
from sensequant.lib.caller import Caller
from sensequant.lib.clock import now
from sensequant.lib.security import sessions
from sensequant.lib.security.addresses import address_of

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "manifest-src": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
}
# The API's own documentation page sets styles on elements.
RELAXED = {**POLICY, "style-src": "'self' 'unsafe-inline'"}
RELAXED_PATHS = ("/api/v1/docs",)
# What is saved is never shown as ours, even by a browser that shows it all the same.
SANDBOX = "default-src 'none'; sandbox"
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class SecurityHeaders:
    """Add the content security policy and the permissions policy to every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request and dress the answer."""
        asked: list[str] = []

        def nonce() -> str:
            asked.append(secrets.token_urlsafe(16))
            return asked[0]

        request.csp_nonce = SimpleLazyObject(nonce)  # type: ignore[attr-defined]
        response = self.get_response(request)
        if response.headers.get("Content-Disposition", "").startswith("attachment"):
            response.headers["Content-Security-Policy"] = SANDBOX
        response.headers.setdefault("Content-Security-Policy", policy(request.path, asked))
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response


class SessionLimits:
    """End sessions that are older than a day's work or idle, and note that somebody is there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Log out what is over before anything is answered."""
        if settings.SESSION_COOKIE_NAME in request.COOKIES and "_auth_user_id" in request.session:
            at = now()
            if sessions.alive(request.session, at=at):
                sessions.touch(request.session, at=at)
            else:
                logout(request)
        return self.get_response(request)


def policy(path: str, nonces: list[str]) -> str:
    """Return the policy for a page at ``path`` that uses ``nonces``."""
    rules = dict(RELAXED if path.startswith(RELAXED_PATHS) else POLICY)
    rules["script-src"] += "".join(f" 'nonce-{nonce}'" for nonce in nonces)
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


class WhoAsks:
    """Let whoever writes a record while a request is answered know where it came from; number every request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request and say its number."""
        asked = request.headers.get("X-Request-ID", "")
        number = asked if REQUEST_ID.fullmatch(asked) else secrets.token_hex(8)
        key = request.session.session_key if hasattr(request, "session") else None
        session = hashlib.sha256(key.encode()).hexdigest() if key else ""
        with caller.asking(Caller(address_of(request), session, number, lambda: request.user.get_username())):
            response = self.get_response(request)
        response.headers["X-Request-ID"] = number
        return response
