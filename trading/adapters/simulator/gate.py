"""What every request passes: the log, the limits, the signature, and the faults that strike any answer."""

from __future__ import annotations

import contextlib
import html
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from trading.adapters.simulator import rows
from trading.adapters.simulator.desk import Refused
from trading.adapters.simulator.entrance import BAD_CHECKSUM, DAY_SPENT, MINUTE_SPENT, NO_KEY
from trading.adapters.simulator.venue import Venue
from trading.core.errors import Invalid
from trading.core.exchange.faults import ORDER_VERBS, Active

TRANSPORT: Final = "simulator.transport"
Asked = Mapping[str, Any]
Handler = Callable[[Venue, Asked], Any]
VerbOf = Callable[[str, Asked], str]

PAGES: Final = {429: "429 Too Many Requests", 502: "502 Bad Gateway", 503: "503 Service Temporarily Unavailable"}
ASPNET: Final = {
    "Message": "An error has occurred.",
    "ExceptionMessage": "Object reference not set to an instance of an object.",
    "ExceptionType": "System.NullReferenceException",
    "StackTrace": "   at BreezeAPI.Controllers.OrderController.Index(HttpRequestMessage request)",
}


def page(status: int) -> Response:
    """Return nginx's page of an HTTP status."""
    title = html.escape(PAGES[status])
    text = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return Response(text, status, media_type="text/html")


INSTEAD: Final[dict[str, Callable[[], Response]]] = {
    "html_502": lambda: page(502),
    "html_503": lambda: page(503),
    "html_429": lambda: page(429),
    "limit_minute": lambda: JSONResponse(rows.denied(MINUTE_SPENT), 401),
    "limit_day": lambda: JSONResponse(rows.denied(DAY_SPENT), 401),
    "garbage_json": lambda: Response('{"Success":[{"order_id":"2025', media_type="application/json"),
    "aspnet_error": lambda: JSONResponse(ASPNET, 500),
    "invalid_checksum": lambda: JSONResponse(rows.denied(BAD_CHECKSUM), 401),
    "public_key_missing": lambda: JSONResponse(rows.bad(NO_KEY)),
}


@dataclass(frozen=True)
class Door:
    """One endpoint: ``proof`` is ``signed`` (v1), ``bearer`` (v2), or ``none``."""

    venue: Venue
    verb: VerbOf
    handler: Handler
    proof: str = "signed"

    async def __call__(self, request: Request) -> Response:
        """Answer a request."""
        venue = self.venue
        body = await request.body()
        asked = _asked(request, body)
        verb = self.verb(request.method, asked)
        times = (venue.monotonic(), venue.floor.wall())
        entry = venue.log.begin(request.method, request.url.path, verb, asked, times)
        venue.floor.advance()
        response = self._denied(request, body, verb)
        if response is None:
            response = await self._faulty(request, asked, verb)
        entry.status = response.status_code
        return response

    def _denied(self, request: Request, body: bytes, verb: str) -> Response | None:
        """Return the answer to somebody who asks too often or has no right to."""
        venue, headers = self.venue, request.headers
        if spent := venue.quota.spend(order=verb in ORDER_VERBS):
            return JSONResponse(rows.denied(spent), 401)
        if self.proof == "none":
            return None
        key = headers.get("apikey" if self.proof == "bearer" else "x-appkey", "")
        if self.proof == "signed" and not venue.entrance.signed(headers, body, venue.floor.wall()):
            return JSONResponse(rows.denied(BAD_CHECKSUM), 401)
        if reason := venue.entrance.bearer(headers.get("x-sessiontoken", ""), key):
            return JSONResponse(rows.bad(reason), 401)
        return None

    async def _faulty(self, request: Request, asked: Asked, verb: str) -> Response:
        """Answer as the faults of the moment let it."""
        venue, symbol = self.venue, _symbol(self.venue, asked)
        if slow := venue.faults.strike("instead", verb=verb, symbol=symbol, names=("slow",)):
            await venue.rest(float(slow.params["seconds"]))
            venue.floor.advance()
        names = ("timeout_before_accept", *INSTEAD)
        if instead := venue.faults.strike("instead", verb=verb, symbol=symbol, names=names):
            if instead.name == "timeout_before_accept":
                return await _silence(venue, request, instead)
            return INSTEAD[instead.name]()
        response = await self._answer(asked)
        if response.status_code == 200 and _taken(response):
            after = venue.faults.strike("after", verb=verb, symbol=symbol)
            return response if after is None else await _spoilt(venue, request, after)
        return response

    async def _answer(self, asked: Asked) -> Response:
        try:
            found = self.handler(self.venue, asked)
            if isinstance(found, Awaitable):
                found = await found
        except (Refused, Invalid) as error:
            return JSONResponse(rows.bad(str(error)))
        return found if isinstance(found, Response) else JSONResponse(rows.good(found))


def _asked(request: Request, body: bytes) -> dict[str, Any]:
    """Return what the request asks for: its query, and its body when that is a JSON object."""
    asked: dict[str, Any] = dict(request.query_params)
    try:
        told = json.loads(body) if body else {}
    except ValueError:
        told = {}
    return {**asked, **told} if isinstance(told, dict) else asked


def _symbol(venue: Venue, asked: Asked) -> str:
    order = venue.desk.orders.get(str(asked.get("order_id") or ""))
    share = venue.share(asked.get("stock_code"))
    return order.symbol if order else share.listed.symbol if share else ""


def _taken(response: Response) -> bool:
    return b'"Status":200' in bytes(response.body)


async def _spoilt(venue: Venue, request: Request, fault: Active) -> Response:
    """Return what comes of the answer to a request that was carried out."""
    if fault.name == "timeout_after_accept":
        return await _silence(venue, request, fault)
    if fault.name == "reset_after_accept":
        return await reset(request)
    return page(502)


async def _silence(venue: Venue, request: Request, fault: Active) -> Response:
    await venue.rest(float(fault.params["seconds"]))
    return await reset(request)


async def reset(request: Request) -> Response:
    """Cut the connection with a TCP reset; the response returned goes nowhere."""
    transport = request.scope.get(TRANSPORT)
    if transport is not None:
        door = transport.get_extra_info("socket")
        with contextlib.suppress(AttributeError, OSError):  # the client may have left already
            door.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return Response(status_code=503)
