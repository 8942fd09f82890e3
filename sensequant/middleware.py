"""Security headers Django does not set itself, the content security policy first.

Scripts come from our own files only. A page that must carry a script inside itself writes
``<script nonce="{{ request.csp_nonce }}">``; asking for the nonce is what puts it into the header. No page may use
inline ``style`` attributes or ``<style>``, and libraries must not evaluate text (htmx: ``allowEval: false`` and
``includeIndicatorStyles: false``; lightweight-charts: ``attributionLogo: false``, the attribution stands in the page).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

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
# Django's admin and the API's own documentation page set styles on elements.
RELAXED = {**POLICY, "style-src": "'self' 'unsafe-inline'"}
RELAXED_PATHS = ("/admin/", "/api/v1/docs")
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
        response.headers.setdefault("Content-Security-Policy", policy(request.path, asked))
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response


def policy(path: str, nonces: list[str]) -> str:
    """Return the policy for a page at ``path`` that uses ``nonces``."""
    rules = dict(RELAXED if path.startswith(RELAXED_PATHS) else POLICY)
    rules["script-src"] += "".join(f" 'nonce-{nonce}'" for nonce in nonces)
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())
