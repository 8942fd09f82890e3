"""An HTTP transport whose every wait is bounded by one deadline, so that an answer cannot drip for ever.

Imported when a question is asked, because it loads httpx. A ``guard`` is asked for the address to connect to, so that a
name that leads into our own network is refused at the very connect (RFC 1918, loopback, link-local and the like).
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore
import httpx


class _Stream(httpcore.NetworkStream):
    """A connection that waits no longer than its transport's deadline."""

    def __init__(self, stream: httpcore.NetworkStream, transport: Bounded) -> None:
        self.stream, self.transport = stream, transport

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, self.transport.left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, self.transport.left(httpcore.WriteTimeout))

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self.transport.left(httpcore.ConnectTimeout)
        return _Stream(self.stream.start_tls(ssl_context, server_hostname, left), self.transport)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)


class _Network(httpcore.SyncBackend):
    """Where connections come from."""

    def __init__(self, transport: Bounded) -> None:
        self.transport = transport

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        left = self.transport.left(httpcore.ConnectTimeout)
        if self.transport.guard is not None:
            host = self.transport.guard(host, port)
        return _Stream(super().connect_tcp(host, port, left, local_address, socket_options), self.transport)


class Bounded(httpx.HTTPTransport):
    """httpx's own transport over connections that keep to ``until``, a monotonic second set before each request."""

    def __init__(self, context: ssl.SSLContext, guard: Callable[[str, int], str] | None = None) -> None:
        super().__init__(verify=context, trust_env=False)
        self.guard = guard
        self.until = 0.0
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, max_connections=2, keepalive_expiry=5.0, network_backend=_Network(self)
        )

    def left(self, otherwise: type[Exception]) -> float:
        """Return the seconds left; raise ``otherwise`` when there are none."""
        seconds = self.until - time.monotonic()
        if seconds <= 0.0:
            raise otherwise("the deadline has passed")
        return seconds
