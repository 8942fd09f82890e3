"""Serves the simulator on one port of this machine until a signal comes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sensequant.lib.errors import BadInput
from trading.adapters.simulator.app import build
from trading.adapters.simulator.gate import TRANSPORT
from trading.adapters.simulator.streams import Streams
from trading.adapters.simulator.venue import Venue

HOST: Final = "127.0.0.1"
Script = Callable[[Venue], Coroutine[Any, Any, None]]
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Connection(HttpToolsProtocol):
    """An HTTP connection that a handler can cut, as a broken network would."""

    def on_message_begin(self) -> None:
        """Leave the transport where the handler finds it."""
        super().on_message_begin()
        self.scope[TRANSPORT] = self.transport  # type: ignore[typeddict-unknown-key]


class Server(uvicorn.Server):
    """A server that leaves the signals to us and can be deaf for a while."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing: a signal ends the simulator with exit code 0."""
        yield

    async def deafen(self, seconds: float) -> None:
        """Cut every connection and listen to nobody for so many seconds."""
        await asyncio.sleep(0.05)  # whoever asked for it gets the answer
        port = self.servers[0].sockets[0].getsockname()[1]
        self.servers[0].close()
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(seconds)
        if not self.should_exit:
            self.servers[0] = await asyncio.get_running_loop().create_server(self._connection, sock=door(port))

    def _connection(self) -> asyncio.Protocol:
        kind: Any = self.config.http_protocol_class
        made: asyncio.Protocol = kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        return made


def door(port: int) -> socket.socket:
    """Return a socket bound to a port of this machine (0: any free one); BadInput when it is taken."""
    # by its protocol's number: asyncio switches Nagle's delay off only for sockets it knows to be TCP
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port))
    except OSError as error:
        found.close()
        raise BadInput(
            f"port {port} on {HOST} cannot be used: {error.strerror}", fix="give another, or --port 0 for any free one"
        ) from None
    return found


def run(venue: Venue, listening: socket.socket, *, announce: Callable[[], None], script: Script | None = None) -> None:
    """Serve until SIGINT or SIGTERM; ``announce`` is called once when everything answers."""
    try:
        asyncio.run(_run(venue, listening, announce, script))
    finally:
        venue.desk.journal.close()


class Works:
    """Work that goes on beside the server; what breaks ends the simulator rather than leave it half alive."""

    def __init__(self, server: Server) -> None:
        """Start with none."""
        self._server, self._tasks = server, set[asyncio.Task[None]]()
        self.error: BaseException | None = None

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let some work go on."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.error = task.exception()
            self._server.should_exit = True

    async def end(self) -> None:
        """Cancel what still goes on, and raise what broke."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.error is not None:
            raise self.error


async def _run(venue: Venue, listening: socket.socket, announce: Callable[[], None], script: Script | None) -> None:
    streams = Streams(venue)
    config = uvicorn.Config(
        build(venue, streams), http=Connection, ws="websockets-sansio", lifespan="off", log_level="error",
        log_config=None, access_log=False, timeout_graceful_shutdown=1, timeout_keep_alive=120,
        ws_per_message_deflate=False,
    )  # fmt: skip
    server = Server(config)
    works, loop = Works(server), asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, _end, server, venue)
    venue.cut = lambda name, params: works.start(_cut(server, streams, name, params))
    serving = loop.create_task(server.serve(sockets=[listening]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    works.start(streams.run())
    if script is not None:
        works.start(script(venue))
    venue.ready = True
    announce()
    await serving
    await works.end()


def _end(server: Server, venue: Venue) -> None:
    server.should_exit = True
    venue.closing.set()


async def _cut(server: Server, streams: Streams, name: str, params: dict[str, Any]) -> None:
    if name == "connect_refused":
        await server.deafen(float(params["seconds"]))
    else:
        await streams.cut(name, str(params.get("feed", "")))
