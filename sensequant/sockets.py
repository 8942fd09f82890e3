"""Who may open a socket: a page of this very origin, port included; nobody without an origin.

While the database is away nobody can be known: a socket is then closed with 1013, and its page comes again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from sensequant.lib import outage
from sensequant.lib.clock import now
from sensequant.lib.logs import get_logger
from sensequant.lib.security import events
from trading.consumers import TRY_AGAIN

Application = Callable[..., Awaitable[Any]]


class OwnOrigin:
    """Refuse a socket whose ``Origin`` is missing or is not the origin it is opened to.

    The address a page came from is compared whole, so another port of the same host is another site.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        """Let the socket through, or deny it."""
        headers = {name.lower(): value.decode("latin1") for name, value in scope.get("headers", ())}
        origin, host = headers.get(b"origin", ""), headers.get(b"host", "")
        if origin in accepted(host):
            return await self.application(scope, receive, send)
        await receive()
        await send({"type": "websocket.close"})  # before it was accepted: the browser sees a 403
        await database_sync_to_async(events.note)(
            "socket refused", at=now(), address=(scope.get("client") or [""])[0], origin=origin[:200], host=host[:200]
        )
        return None


class Outlived:
    """Close a socket with 1013, "try again later", where it ends because the database or Redis is away."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.missing = outage.Outage("what a socket needs", get_logger("sockets"))

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        """Serve the socket; an outage ends it as a word to the page, everything else as what it is."""
        try:
            answer = await self.application(scope, receive, send)
        except Exception as error:
            if not outage.is_outage(error):
                raise
            self.missing.noted(error)
            with contextlib.suppress(Exception):  # the page may have gone meanwhile
                await send({"type": "websocket.close", "code": TRY_AGAIN})
            return None
        self.missing.back()
        return answer


def accepted(host: str) -> set[str]:
    """Return the origins a socket to ``host`` may come from; none when the desk does not answer to that name."""
    domain, _ = split_domain_port(host)
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return set()
    scheme = "https" if settings.DESK.behind_https else "http"
    return {f"{scheme}://{host}", *settings.CSRF_TRUSTED_ORIGINS}
