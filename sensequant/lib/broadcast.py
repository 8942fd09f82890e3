"""Sends what happened to the sockets, from any thread, without ever raising or waiting.

Messages go to the Channels group of their topic as ``{"type": "push", "topic": …, "payload": …}``. The in-memory layer
belongs to the loop of the web server, which ``asgi`` binds at start; a process without a web server sends from a small
loop of its own.
"""

from __future__ import annotations

import asyncio
import re
import threading
from concurrent.futures import Future
from typing import Any

from channels.layers import get_channel_layer

from sensequant.lib.logs import get_logger

TIMEOUT = 0.2
MOST_WAITING = 64  # newer snapshots replace older ones, so what a stuck layer drops is not missed

log = get_logger("broadcast")
_guard = threading.Lock()


class _Door:
    loop: asyncio.AbstractEventLoop | None = None
    own: asyncio.AbstractEventLoop | None = None
    waiting = 0
    failing = False


def group(topic: str) -> str:
    """Return the name of the Channels group that receives ``topic``."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", topic)[:99]


def bind_loop(loop: asyncio.AbstractEventLoop | None) -> None:
    """Send from ``loop`` from now on; None when that loop is about to end."""
    _Door.loop = loop
    if loop is None:
        _Door.waiting = 0  # what that loop still had is gone with it


def publish(topic: str, payload: Any) -> bool:
    """Hand ``payload`` to everyone who listens to ``topic``; False when it was dropped."""
    with _guard:
        if _Door.waiting >= MOST_WAITING:
            return False
        _Door.waiting += 1
    sending = _send(group(topic), {"type": "push", "topic": topic, "payload": payload})
    try:
        asyncio.run_coroutine_threadsafe(sending, _loop()).add_done_callback(_done)
    except RuntimeError:  # the loop closed while the process was stopping
        sending.close()
        _release()
        return False
    return True


async def _send(name: str, message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    if layer is not None:
        await asyncio.wait_for(layer.group_send(name, message), TIMEOUT)


def _done(sent: Future[None]) -> None:
    _release()
    error = None if sent.cancelled() else sent.exception()
    if error is not None and not _Door.failing:  # said once per outage
        log.warning("Sockets are not being reached", reason=f"{type(error).__name__}: {error}")
    _Door.failing = error is not None


def _release() -> None:
    with _guard:
        _Door.waiting = max(0, _Door.waiting - 1)


def _loop() -> asyncio.AbstractEventLoop:
    bound = _Door.loop
    if bound is not None and not bound.is_closed():
        return bound
    with _guard:
        if _Door.own is None or _Door.own.is_closed():
            _Door.own = asyncio.new_event_loop()
            threading.Thread(target=_Door.own.run_forever, name="broadcast", daemon=True).start()
        return _Door.own


def drain(timeout: float = TIMEOUT) -> bool:
    """Wait at most ``timeout`` seconds for what is still being sent; True when nothing is left."""
    pause = threading.Event()
    for _ in range(max(1, int(timeout / 0.01))):
        if _Door.waiting == 0:
            return True
        pause.wait(0.01)
    return _Door.waiting == 0
