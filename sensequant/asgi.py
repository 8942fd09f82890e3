"""The door for HTTP and sockets."""

from __future__ import annotations

import asyncio
import gc
import os
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sensequant.settings")
# WhiteNoise hands files over in a plain iterator; Django remarks on it at every file, to the user's terminal.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
http = get_asgi_application()  # loads the apps, which everything below needs

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from sensequant.lib import broadcast  # noqa: E402
from sensequant.sockets import Outlived, OwnOrigin  # noqa: E402
from trading.routing import websocket_urlpatterns  # noqa: E402

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


application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": Outlived(OwnOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))),
        "lifespan": lifespan,
    }
)
