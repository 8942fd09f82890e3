"""The door for HTTP and sockets."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sensequant.settings")
# WhiteNoise hands files over in a plain iterator; Django remarks on it at every file, to the user's terminal.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
http = get_asgi_application()  # loads the apps, which everything below needs

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.db import connections  # noqa: E402
from django.template import engines  # noqa: E402
from django.template.loader import get_template  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from sensequant.lib import broadcast  # noqa: E402
from sensequant.lib.clock import now  # noqa: E402
from sensequant.lib.logs import get_logger  # noqa: E402
from sensequant.sockets import Outlived, OwnOrigin  # noqa: E402
from trading.routing import websocket_urlpatterns  # noqa: E402
from trading.services import accuracy_sources  # noqa: E402

log = get_logger("web")

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


async def lifespan(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Give the sockets this server's loop while it runs."""
    while True:
        kind = (await receive())["type"]
        if kind == "lifespan.startup":
            _load()
        broadcast.bind_loop(asyncio.get_running_loop() if kind == "lifespan.startup" else None)
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


def _load() -> None:
    """Load every page before the first visitor comes, and let the collector pass over what stays for good."""
    assert get_resolver().url_patterns  # noqa: S101 - reading them loads the views
    gc.collect()
    gc.freeze()
    threading.Thread(target=_read_ahead, name="read-ahead", daemon=True).start()


def _read_ahead() -> None:
    """Read the templates and what the Telemetry page remembers; whoever opens a page reads them otherwise."""
    try:
        for folder in engines["django"].dirs:
            for each in Path(folder).rglob("*.html"):
                get_template(str(each.relative_to(folder)))
        accuracy_sources.read_ahead(at=now())
    except Exception as error:  # noqa: BLE001 - the server serves without it
        log.info("not everything was read ahead", error=str(error)[:200])
    finally:
        connections.close_all()


application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": Outlived(OwnOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))),
        "lifespan": lifespan,
    }
)
