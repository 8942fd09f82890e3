"""The one way out to ICICI: pooled, bounded in time and size, never repeated, and silent about secrets.

An ``Http`` stands in the place of ``requests`` inside the SDK. Every request becomes an ``Exchange`` that says what
is certain: whether anything was written, what came back, how long it took. Whoever asked judges by that, not by the
text of an exception.
"""

from __future__ import annotations

import functools
import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import urlencode, urlsplit

from sensequant.lib.logs import get_logger
from trading.adapters.breeze.exchange import Exchange, Forbidden, TooLate, TooMuch, Unanswered, Watch, now
from trading.adapters.breeze.pool import Timeouts, open_answer

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

TIMEOUTS: Final[Timeouts] = (5.0, 15.0)
PIECE: Final = 65_536
MOST: Final = 16 * 1024 * 1024  # bytes of an answer; a day's full order book is well under one
ANSWERED_LATE: Final = 2.0  # a request let out just before its deadline may still take this long to be answered
BREAKS: Final = {
    "ConnectTimeoutError": "no connection in time",
    "ConnectionRefusedError": "the connection was refused",
    "ConnectionResetError": "the line was cut",
    "BrokenPipeError": "the line was cut",
    "RemoteDisconnected": "the line was cut",
    "IncompleteRead": "the answer broke off",
    "ReadTimeoutError": "no answer in time",
    "TimeoutError": "no connection in time",
    "gaierror": "its name cannot be resolved",
    "SSLCertVerificationError": "its certificate cannot be trusted",
}
log = get_logger("breeze-http")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, with the little of ``requests.Response`` that the SDK uses."""

    status_code: int
    content: bytes

    @property
    def text(self) -> str:
        """Return the body as text."""
        return self.content.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """Return the body as JSON; ``json.JSONDecodeError`` when it is none."""
        return json.loads(self.text)

    def raise_for_status(self) -> None:
        """Raise Unanswered for a status of 400 or more."""
        if self.status_code >= http.client.BAD_REQUEST:
            raise Unanswered(f"HTTP {self.status_code}")

    def __repr__(self) -> str:
        return f"<Response [{self.status_code}]>"


class Http:
    """The SDK's ``requests``: same calls, one pool, ``timeouts`` (connect, read) in seconds, IPv4 as the SDK has it.

    It follows no redirect, keeps no cookie, reads no proxy or password from the environment, and tries nothing twice.
    Outside a watch that may move money it sends GET and nothing else.
    """

    def __init__(self, timeouts: Timeouts = TIMEOUTS) -> None:
        self.timeouts = timeouts
        # The SDK switches IPv6 off for the whole process, through this path; here it reaches nothing.
        connection = SimpleNamespace(HAS_IPV6=False)
        self.packages = SimpleNamespace(urllib3=SimpleNamespace(util=SimpleNamespace(connection=connection)))

    @contextmanager
    def watch(self, *, moves: bool = False, deadline: float | None = None) -> Iterator[Watch]:
        """Collect the exchanges this thread has inside the block; let order verbs out only if it ``moves`` money."""
        before, now.watch = now.watch, Watch(moves, deadline)
        try:
            yield now.watch
        finally:
            now.watch = before

    def get(self, url: str, **how: Any) -> Answer:
        """Send a GET, with a body if the SDK gives one."""
        return self._send("GET", url, **how)

    def post(self, url: str, **how: Any) -> Answer:
        """Send a POST."""
        return self._send("POST", url, **how)

    def put(self, url: str, **how: Any) -> Answer:
        """Send a PUT."""
        return self._send("PUT", url, **how)

    def delete(self, url: str, **how: Any) -> Answer:
        """Send a DELETE, with a body if the SDK gives one."""
        return self._send("DELETE", url, **how)

    def _send(
        self,
        method: str,
        url: str,
        data: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Send one request; ``timeout`` is the SDK's, which knows no better than ours."""
        body = data.encode() if isinstance(data, str) else data
        address = f"{url}?{urlencode(params)}" if params else url
        exchange = self._exchange(method, address, body, dict(headers or {}))
        return Answer(exchange.status or 0, exchange.body)

    def _exchange(self, method: str, url: str, body: bytes | None, headers: dict[str, str]) -> Exchange:
        """Carry one request out and return it with its answer; raise Unanswered when none came whole."""
        watch = now.watch
        deadline = watch.deadline if watch and method != "GET" else None
        exchange = Exchange(method, urlsplit(url).path, time.monotonic(), deadline)
        if watch:
            watch.exchanges.append(exchange)
        now.exchange = exchange
        try:
            if method != "GET" and not (watch and watch.moves):
                raise Forbidden(f"{method} is not allowed where only questions may be asked")
            self._carry(exchange, url, body, headers)
        except Exception as error:  # noqa: BLE001 - whatever broke, the exchange says what is certain
            _broken(exchange, error)
        finally:
            now.exchange = None
            exchange.ms = (time.monotonic() - exchange.began) * 1_000.0
        log.debug("answered", method=method, path=exchange.path, status=exchange.status, ms=round(exchange.ms, 1))
        return exchange

    def _carry(self, exchange: Exchange, url: str, body: bytes | None, headers: dict[str, str]) -> None:
        connect, read = self.timeouts
        if exchange.deadline is not None:
            left = exchange.deadline - exchange.began
            if left <= 0:
                raise TooLate("the send deadline has passed")
            connect, read = min(connect, left), min(read, max(left, ANSWERED_LATE))
        response = open_answer(exchange.method, url, body, headers, (connect, read))
        try:
            exchange.body = _whole(response, exchange.began + connect + read)
        except BaseException:
            response.close()
            raise
        response.release_conn()
        exchange.status = response.status


@functools.cache
def shared(timeouts: Timeouts) -> Http:
    """Return the process's ``Http`` of these timeouts."""
    return Http(timeouts)


def _broken(exchange: Exchange, error: Exception) -> NoReturn:
    inner = next((part for part in error.args if isinstance(part, Exception)), error)
    told = str(error) if isinstance(error, Unanswered) else type(inner).__name__
    exchange.failure, exchange.why = error, BREAKS.get(told, told)
    log.warning("no answer", method=exchange.method, path=exchange.path, sent=exchange.written, why=exchange.why)
    if isinstance(error, Unanswered):
        raise error
    raise Unanswered(exchange.why) from None  # urllib3's own words carry the address, query and all


def _whole(response: BaseHTTPResponse, until: float) -> bytes:
    """Return the decoded body; too large a one, or one that drips beyond the monotonic second ``until``, is cut."""
    body = bytearray()
    while piece := response.read1(PIECE, decode_content=True):
        body += piece
        if len(body) > MOST:
            raise TooMuch(f"an answer of more than {MOST:,} bytes")
        if time.monotonic() > until:
            raise Unanswered("the answer took too long")
    return bytes(body)
