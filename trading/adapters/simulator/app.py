"""The whole simulator as one ASGI application."""

from __future__ import annotations

import asyncio
import html
from functools import partial
from typing import Any
from urllib.parse import urlencode

import socketio  # type: ignore[import-untyped]
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from trading.adapters.simulator import control, history, master, rest
from trading.adapters.simulator.entrance import NO_KEY
from trading.adapters.simulator.gate import Asked, Door, Handler, VerbOf
from trading.adapters.simulator.streams import Streams
from trading.adapters.simulator.venue import Venue

V1 = "/breezeapi/api/v1/"
MASTER = "/MotherAppMaster/SecurityMaster.zip"
LOGIN = (
    "<!doctype html><title>Simulated ICICI login</title><h1>Simulated ICICI login</h1>"
    '<form method="post"><input type="hidden" name="api_key" value="{0}"><button>Log in</button></form>'
)


def build(venue: Venue, streams: Streams) -> Any:
    """Return the ASGI application: REST, master, login, control, health, and the two Socket.IO servers."""
    routes = [
        Route("/healthz", partial(health, venue)),
        *v1_routes(venue),
        _door(venue, "/api/v2/historicalcharts", {"GET": ("history", history.v2)}, proof="bearer"),
        Route(MASTER, partial(security_master, venue), methods=["GET", "HEAD"]),
        Route("/apiuser/login", partial(login, venue), methods=["GET", "POST"]),
        *control.routes(venue),
    ]
    rest_app = Starlette(routes=routes)
    inner = socketio.ASGIApp(streams.ticks.server, rest_app, socketio_path="socket.io")
    return socketio.ASGIApp(streams.ohlc.server, inner, socketio_path="ohlcvstream")


def v1_routes(venue: Venue) -> list[Route]:
    """Return the endpoints of version 1."""
    table: dict[str, dict[str, tuple[VerbOf | str, Handler]]] = {
        "order": {
            "GET": (_by_order("order_list", "order_detail"), _either(rest.order_list, rest.order_detail)),
            "POST": ("place", rest.place), "PUT": ("modify", rest.modify), "DELETE": ("cancel", rest.cancel),
        },
        "trades": {"GET": (_by_order("trade_list", "trade_detail"), _either(rest.trade_list, rest.trade_detail))},
        "quotes": {"GET": ("quotes", rest.quotes)},
        "funds": {"GET": ("funds", rest.funds), "POST": ("set_funds", rest.set_funds)},
        "margin": {"GET": ("margin", rest.margin), "POST": ("add_margin", rest.nothing)},
        "dematholdings": {"GET": ("demat_holdings", rest.demat)},
        "portfolioholdings": {"GET": ("portfolio_holdings", rest.holdings)},
        "portfoliopositions": {"GET": ("positions", rest.positions)},
        "preview_order": {"GET": ("preview", rest.preview)},
        "squareoff": {"POST": ("square_off", rest.square_off)},
        "historicalcharts": {"GET": ("history_v1", history.v1)},
        "{other:path}": dict.fromkeys(("GET", "POST", "PUT", "DELETE"), ("other", rest.nothing)),
    }  # fmt: skip
    customer = _door(venue, V1 + "customerdetails", {"GET": ("customer", rest.customer)}, proof="none")
    return [customer, *(_door(venue, V1 + path, methods) for path, methods in table.items())]


def _door(venue: Venue, path: str, methods: dict[str, tuple[VerbOf | str, Handler]], *, proof: str = "signed") -> Route:
    """Return the route of one path, with a door for each of its methods."""
    doors = {name: Door(venue, _verb(verb), handler, proof) for name, (verb, handler) in methods.items()}

    async def answer(request: Request) -> Response:
        return await doors[request.method](request)

    return Route(path, answer, methods=list(doors))


def _verb(verb: VerbOf | str) -> VerbOf:
    return (lambda method, asked: verb) if isinstance(verb, str) else verb


def _by_order(without: str, named: str) -> VerbOf:
    return lambda method, asked: named if asked.get("order_id") else without


def _either(listing: Handler, detail: Handler) -> Handler:
    def answer(venue: Venue, asked: Asked) -> Any:
        return detail(venue, asked) if asked.get("order_id") else listing(venue, asked)

    return answer


async def health(venue: Venue, request: Request) -> Response:
    """Answer whether the simulator is ready, what time its market has, and how to log in."""
    venue.floor.advance()
    held = venue.entrance.credentials
    body = {
        "simulator": True, "ready": venue.ready, "clock": venue.floor.status(),
        "session_date": venue.floor.date.isoformat(), "symbols": list(venue.floor.shares),
        "credentials": {
            "api_key": held.api_key, "api_secret": held.api_secret, "api_session": venue.entrance.api_session,
        },
    }  # fmt: skip
    return JSONResponse(body, 200 if venue.ready else 503)


async def login(venue: Venue, request: Request) -> Response:
    """Show the login page; whoever submits it is sent to the redirect address with a new session."""
    form = await request.body()
    given = dict(request.query_params)
    if request.method == "POST" and form and not given.get("api_key"):
        given = dict(Request({"type": "http", "query_string": form, "headers": []}).query_params)
    key = given.get("api_key", "")
    if key != venue.entrance.credentials.api_key:
        return HTMLResponse(f"<!doctype html><title>Error</title><p>{html.escape(NO_KEY)}", 400)
    if request.method == "GET":
        return HTMLResponse(LOGIN.format(html.escape(key, quote=True)))
    joined = "&" if "?" in venue.redirect_url else "?"
    query = urlencode({"apisession": venue.log_in()})
    return RedirectResponse(f"{venue.redirect_url}{joined}{query}", 303)


async def security_master(venue: Venue, request: Request) -> Response:
    """Return the security master, or what the faults of the moment make of it."""
    times = (venue.monotonic(), venue.floor.wall())
    entry = venue.log.begin(request.method, request.url.path, "master", {}, times)

    def struck(name: str) -> bool:
        return venue.faults.strike("master", verb="master", names=(name,)) is not None

    if slow := venue.faults.strike("instead", verb="master", names=("slow",)):
        await venue.rest(float(slow.params["seconds"]))
    if struck("master_404"):
        entry.status = 404
        return HTMLResponse("<!doctype html><title>404</title><h1>404 - File or directory not found.</h1>", 404)
    if struck("master_html"):
        entry.status = 200
        return HTMLResponse("<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>")
    body = await _archive(venue, cdnse_last=struck("master_cdnse_last"))
    if struck("master_truncated"):
        body = body[: len(body) * 2 // 3]
    entry.status = 200
    return Response(body, media_type="application/x-zip-compressed")


async def _archive(venue: Venue, *, cdnse_last: bool) -> bytes:
    """Return today's master, made once."""
    listed, day = [share.listed for share in venue.floor.shares.values()], venue.floor.date
    if (day, cdnse_last) not in venue.masters:
        made = await asyncio.to_thread(
            lambda: master.archive(listed, day, rows=venue.master_rows, cdnse_last=cdnse_last)
        )
        venue.masters[day, cdnse_last] = made
    return venue.masters[day, cdnse_last]
