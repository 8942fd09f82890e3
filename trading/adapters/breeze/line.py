"""One socket of the SDK, kept open by a thread of its own.

The SDK connects and subscribes; we decide when. Its socket client would reconnect by itself after a lost TCP
connection, but not after the server closed it; it would use yesterday's token for ever; and its failed attempts make
the SDK refuse every later subscription (``authentication`` stays False). So that is switched off before it connects,
and every loss, of whatever kind, ends the same way here: the old client is closed for good and forgotten, a new one is
made from a session that is read afresh, and all rooms are joined again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sensequant.lib.errors import SenseQuantError
from sensequant.lib.logs import get_logger
from trading.adapters.breeze import loader
from trading.adapters.breeze.errors import SessionLost, Transient
from trading.adapters.breeze.wire import Wire
from trading.core.ticks import INF, Outage

DELAYS: Final = (2.0, 4.0, 8.0, 16.0, 30.0)  # seconds before each new attempt; the last one over and over
POLL: Final = 0.1  # seconds between looks at the socket
SETTLED: Final = 2.0  # seconds after joining by which a quiet stream counts as watched again
ENOUGH: Final = 5  # failures in a row that are no trouble yet
KEPT: Final = 200  # outages remembered
EVENT: Final = "2"  # how a Socket.IO event begins
LIBRARIES: Final = ("engineio.client", "socketio.client")
log = get_logger("breeze-stream")

Provider = Callable[[], Wire]
Clock = Callable[[], dt.datetime]
Attach = Callable[[Any, Any], Any]
Trouble = Callable[[str, int, str], None]


@dataclass(frozen=True, slots=True)
class Terms:
    """How patient a stream is, in seconds of this machine's clock.

    ``delays`` before each new attempt, ``mute`` without a quote while some are expected; ``most`` quotes are kept.
    """

    delays: tuple[float, ...] = DELAYS
    mute: float = 30.0
    most: int = 100_000  # some minutes of fifty busy shares


class Line:
    """Keeps one socket open until ``close``; what arrives goes to ``hear``, in threads of the socket client.

    ``state`` is ``connecting``, ``connected``, ``lost`` (a new attempt is under way) or ``waiting`` (for a login);
    ``failures`` counts what went wrong since something last arrived.
    """

    def __init__(
        self, name: str, provider: Provider, attach: Attach, hear: Callable[[Any], None], *, clock: Clock,
        terms: Terms, on_trouble: Trouble | None = None,
    ) -> None:  # fmt: skip
        """Open, when started, the socket that ``attach(sdk, handler)`` connects, on a wire of ``provider``."""
        self.name, self.terms = name, terms
        self.state, self.reason, self.failures = "connecting", "", 0
        self.connected_since: dt.datetime | None = None
        self.heard = -INF  # when (mono) the newest message came
        self.expecting = False
        self.outages: tuple[Outage, ...] = ()
        self.present = -INF  # market seconds at the last look
        self._provider, self._attach, self._hear, self._clock = provider, attach, hear, clock
        self._on_trouble = on_trouble
        self._handler: Any = None  # the one that is listened to
        self._joined = 0.0
        self._alive = -INF  # market seconds at which the newest message had not come yet
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"breeze-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self.outages = (Outage(-INF, INF, time.monotonic(), INF, "not connected yet"),)
        self._thread.start()

    def close(self) -> None:
        """End, within a second; what arrives from now on is not heard."""
        self._stop.set()
        handler, self._handler = self._handler, None
        _drop(handler)
        if self._thread.is_alive():
            self._thread.join(1.0)

    def join(self, place: str) -> None:
        """Join a room again, as far as there is a connection; the next one joins all of them anyway."""
        handler = self._handler
        if handler is not None and self.state == "connected":
            log.info("joining again", line=self.name, room=place)
            with contextlib.suppress(Exception):  # the SDK raises bare Exceptions for a socket that is gone
                handler.watch(place)

    def _run(self) -> None:
        while not self._stop.is_set():
            handler = None
            try:
                wire = self._provider()
                handler = self._handler_for(wire)
                self._connect(wire, handler)
                reason = self._watch(handler)
            except Exception as error:  # noqa: BLE001 - the SDK raises bare Exceptions; whatever it is, we try again
                self.state = "waiting" if isinstance(error, SessionLost) else "lost"
                reason = error.message if isinstance(error, SenseQuantError) else str(error) or type(error).__name__
            self._handler = None
            _drop(handler)
            if not self._stop.is_set():
                self._failed(reason)

    def _connect(self, wire: Wire, handler: Any) -> None:
        self.state = "connecting"
        self._handler = handler
        self._attach(wire.sdk(), handler)
        self._joined = time.monotonic()
        self.connected_since = self._clock()
        self.state = "connected"
        log.info("connected", line=self.name)

    def _handler_for(self, wire: Wire) -> Any:
        """Return a fresh handler of the SDK that hands every message to us, untouched."""
        for library in LIBRARIES:  # they would write to stderr, and tell the token when asked for details
            logger = logging.getLogger(library)
            logger.setLevel(max(logger.level, logging.ERROR))
        handler = loader.load(wire.addresses, http=wire.http).SocketEventBreeze("/", wire.sdk())
        handler.sio.reconnection = False
        handler.authentication = True

        def on_message(*said: Any) -> None:
            if self._handler is handler:
                self.heard = time.monotonic()
                self._hear(said[0] if said else None)

        # The SDK registers this name for both its events, each time it joins a room.
        handler.on_message = on_message
        _in_turn(handler.sio.eio)
        return handler

    def _watch(self, handler: Any) -> str:
        """Watch the socket until it is lost or we close; return what happened."""
        self.present, heard = self._clock().timestamp(), self.heard
        while not self._stop.wait(POLL):
            present = self._clock().timestamp()
            if self.heard != heard:
                heard, self._alive, self.failures, self.reason = self.heard, self.present, 0, ""
            self._recover(present)
            self.present = present
            if not handler.sio.connected:
                return "the server closed the connection"
            if self.expecting and time.monotonic() - max(self.heard, self._joined) > self.terms.mute:
                return f"connected, and yet nothing came for {self.terms.mute:g} seconds"
        return "closed"

    def _recover(self, present: float) -> None:
        """End the outage once the stream speaks again, or is quietly there."""
        newest = self.outages[-1]
        quiet = time.monotonic() - self._joined >= SETTLED
        if newest.until != INF or not (quiet or self.heard >= self._joined):
            return
        self.outages = (*self.outages[:-1], newest._replace(until=present, ended=self._joined))
        if not self.expecting:
            self.failures, self.reason = 0, ""

    def _failed(self, reason: str) -> None:
        """Take note of a failure and wait before the next attempt."""
        if self.outages[-1].until != INF:
            new = Outage(self._alive, INF, time.monotonic(), INF, reason)
            self.outages = (*self.outages[1 - KEPT :], new)
        self.failures, self.reason, self.connected_since = self.failures + 1, reason, None
        self.state = self.state if self.state == "waiting" else "lost"
        log.warning("lost", line=self.name, failures=self.failures, why=reason)
        if self.failures > ENOUGH and self._on_trouble:
            self._on_trouble(self.name, self.failures, reason)
        self._stop.wait(self.terms.delays[min(self.failures, len(self.terms.delays)) - 1])


def _in_turn(engine: Any) -> None:
    """Let an Engine.IO client hand events on in the thread that reads them, in the order they came.

    It would start a thread for each, which costs several times what the message does, and they overtake one another.
    Whatever is no event (a DISCONNECT joins the reading thread) still gets its own.
    """
    start = engine.start_background_task

    def run(target: Any, *said: Any, **more: Any) -> Any:
        if not (said and isinstance(said[0], str) and said[0].startswith(EVENT)):
            return start(target, *said, **more)
        try:
            return target(*said)
        except Exception as error:  # noqa: BLE001 - a message nobody can read must not end the reading
            log.warning("a message could not be read", error=str(error)[:200])
            return None

    engine.start_background_task = run


def attach_ticks(rooms: Sequence[str]) -> Attach:
    """Return how to connect the socket of quotes and join ``rooms``."""

    def attach(sdk: Any, handler: Any) -> None:
        sdk.sio_rate_refresh_handler = handler
        sdk.ws_connect()
        _subscribed(sdk.subscribe_feeds(stock_token=list(rooms)))

    return attach


def attach_orders(sdk: Any, handler: Any) -> None:
    """Connect the socket of order notifications, which come without joining anything."""
    if sdk.sio_rate_refresh_handler is None:
        sdk.sio_rate_refresh_handler = type(handler)("/", sdk)  # the SDK subscribes to nothing without one
    sdk.sio_rate_refresh_handler.authentication = True
    sdk.sio_order_refresh_handler, sdk.orderconnect = handler, 0
    _subscribed(sdk.subscribe_feeds(get_order_notification=True))


def _subscribed(answer: Any) -> None:
    """Raise Transient unless the SDK says that it subscribed: it returns its failures as text, or as nothing."""
    if not isinstance(answer, dict):
        raise Transient(f"the SDK did not subscribe: {answer}")


def _drop(handler: Any) -> None:
    """Close a socket for good, aside: a peer that does not answer cannot hold us up."""
    if handler is not None:
        threading.Thread(target=_hang_up, args=(handler,), name="breeze-bye", daemon=True).start()


def _hang_up(handler: Any) -> None:
    with contextlib.suppress(Exception):  # it is given up either way
        handler.sio.disconnect()
