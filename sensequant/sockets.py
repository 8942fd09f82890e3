"""Who may open a socket: a page of this very origin, port included; nobody without an origin, nobody without end.

While the database is away nobody can be known: a socket is then closed with 1013, and its page comes again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from sensequant.lib import outage
from sensequant.lib.clock import now
from sensequant.lib.counting import spend
from sensequant.lib.logs import get_logger
from sensequant.lib.security import events
from sensequant.lib.security.addresses import seen
from trading.consumers import TRY_AGAIN

Application = Callable[..., Awaitable[Any]]
SOCKETS = 600  # an address may ask for in a minute: all pages of a busy office, all coming back at once


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
        address = seen((scope.get("client") or [""])[0], headers.get(b"x-forwarded-for", ""))
        spent = await sync_to_async(spend)(f"limit-sockets-{address}", at=now())
        if origin in accepted(host) and spent <= SOCKETS:
            return await self.application(scope, receive, send)
        await receive()
        await send({"type": "websocket.close"})  # before it was accepted: the browser sees a 403
        if spent <= SOCKETS + 1:  # what comes after that in this minute is only counted
            what = "socket refused" if spent <= SOCKETS else "too many sockets"
            await database_sync_to_async(events.note)(
                what, at=now(), address=address, origin=origin[:200], host=host[:200]
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
