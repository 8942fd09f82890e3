"""The process's connections to the broker: kept open, IPv4, and watched for their first byte.

urllib3 is imported when the first request is made, so whoever never asks the broker does not carry it.
"""

from __future__ import annotations

import functools
import http.client
import os
import socket
from typing import TYPE_CHECKING, Any, Final

from trading.adapters.breeze.exchange import now

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

Timeouts = tuple[float, float]
POOLED: Final = 8  # connections kept open to one host
USER_AGENT: Final = "python-requests/2.34.2"  # as the SDK's own library names itself


def open_answer(
    method: str, url: str, body: bytes | None, headers: dict[str, str], timeouts: Timeouts
) -> BaseHTTPResponse:
    """Send one request and return its answer, body unread; no redirect is followed and nothing is tried twice."""
    from urllib3 import Timeout

    return _pool().urlopen(
        method,
        url,
        body=body,
        headers={"Accept-Encoding": "gzip, deflate", "Accept": "*/*", "User-Agent": USER_AGENT} | headers,
        timeout=Timeout(connect=timeouts[0], read=timeouts[1]),
        retries=False,
        redirect=False,
        preload_content=False,
    )


class _Watched(http.client.HTTPConnection):
    """A connection that asks the exchange before its first byte goes out."""

    _dns_host: str
    socket_options: Any = ()

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if now.exchange is not None:
            now.exchange.about_to_write()
        super().send(data)

    def _new_conn(self) -> socket.socket:
        """Connect by IPv4 only: the address registered at ICICI is one, and the SDK never uses another."""
        failure: OSError = OSError("no IPv4 address")
        found = socket.getaddrinfo(self._dns_host, self.port, socket.AF_INET, socket.SOCK_STREAM)
        for family, kind, protocol, _, address in found:
            line = socket.socket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    line.setsockopt(*option)
                line.settimeout(self.timeout)
                line.connect(address)
            except OSError as error:
                line.close()
                failure = error
            else:
                return line
        raise failure


@functools.cache
def _pool() -> PoolManager:
    """Return the process's connections to ICICI, certificates checked against certifi's list."""
    import certifi
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
    from urllib3.connection import HTTPConnection, HTTPSConnection

    class Plain(_Watched, HTTPConnection):
        """Plain, for a simulator."""

    class Sealed(_Watched, HTTPSConnection):
        """Over TLS."""

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SealedPool(HTTPSConnectionPool):
        ConnectionCls = Sealed

    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child never speaks over its parent's connections
    pool = PoolManager(maxsize=POOLED, ca_certs=certifi.where())
    pool.pool_classes_by_scheme = {"http": PlainPool, "https": SealedPool}
    return pool
