"""How an operator or a test steers the simulator while it runs; from this machine only."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trading.adapters.simulator.desk import Refused, Wish
from trading.adapters.simulator.venue import Venue, meanings
from trading.core.errors import Invalid
from trading.core.exchange.book import SIDES, UNIT

Told = dict[str, Any]
Door = Callable[[Venue, Told], Any]
CLOCK_WORDS: Final = ("speed", "advance", "at")


def faults(venue: Venue, told: Told) -> Told:
    """Return the table of faults and those that strike at present."""
    return {"faults": meanings(), "active": [each.shown() for each in venue.faults.active]}


def switch_on(venue: Venue, told: Told) -> Told:
    """Switch a fault on."""
    asked = dict(told)
    return venue.strike(str(asked.pop("name", "")), asked).shown()


def switch_off(venue: Venue, told: Told) -> Told:
    """Switch off one fault, or all of them."""
    gone = venue.faults.off(str(told.get("name", "")))
    venue.floor.advance()
    return {"cleared": [each.shown() for each in gone]}


def log(venue: Venue, told: Told) -> Told:
    """Return the requests after number ``since``, and the counts of all."""
    since = _number(told, "since", 0)
    found = [asdict(each) for each in venue.log.since(int(since))]
    counts = dict(venue.log.counts)
    last = venue.log.requests[-1].seq if venue.log.requests else 0
    orders = sum(count for verb, count in counts.items() if verb in ("place", "modify", "cancel", "square_off"))
    return {"requests": found, "counts": counts, "orders": orders, "last": last}


def orders(venue: Venue, told: Told) -> Told:
    """Return the truth about every order and trade, in rupees, whatever the book shows."""
    desk = venue.desk
    return {
        "orders": [
            {
                **asdict(each), "code": venue.floor.shares[each.symbol].listed.code, "limit": each.limit / UNIT,
                "average": each.average, "pending": each.pending if each.working else 0,
            }
            for each in desk.orders.values()
        ],
        "trades": [{**asdict(each), "price": each.price / UNIT} for each in desk.trades],
        "held": desk.held, "cash": desk.cash,
    }  # fmt: skip


def clock(venue: Venue, told: Told) -> Told:
    """Change the clock: ``speed``, ``advance`` (market seconds), ``at`` (HH:MM)."""
    if not told or set(told) - set(CLOCK_WORDS):
        raise Invalid(f"the clock takes {', '.join(CLOCK_WORDS)}, not {', '.join(told) or 'nothing'}")
    speed = _number(told, "speed", 0.0) if "speed" in told else None
    seconds = _number(told, "advance", 0.0) if "advance" in told else None
    venue.floor.wind(speed=speed, seconds=seconds, at=str(told["at"]) if "at" in told else None)
    return venue.floor.status()


def order(venue: Venue, told: Told) -> Told:
    """Place an order as if by hand in ICICI's own app."""
    share = venue.found(str(told.get("symbol", "")))
    side = str(told.get("side", "")).capitalize()
    if side not in SIDES:
        raise Invalid(f"side {told.get('side')!r} is neither Buy nor Sell")
    quantity, price = _number(told, "quantity", 0), _number(told, "price", 0)
    placed = venue.desk.place(Wish(share.listed.symbol, side, int(quantity), float(price), external=True))
    return {"order_id": placed.id, "status": placed.status}


def market(venue: Venue, told: Told) -> Told:
    """Let a share trade once at a price, until its recorded path goes on."""
    share, price, volume = (
        venue.found(str(told.get("symbol", ""))),
        _number(told, "price", 0.0),
        _number(told, "volume", 0),
    )
    if price <= 0:
        raise Invalid(f"price {price} is not above zero")
    venue.floor.nudge(share, float(price), int(volume))
    return {"symbol": share.listed.symbol, "price": share.market.last}


def holding(venue: Venue, told: Told) -> Told:
    """Put shares into the demat account."""
    share = venue.found(str(told.get("symbol", "")))
    venue.desk.hold(share.listed.symbol, int(_number(told, "quantity", 0)))
    return {"held": venue.desk.held}


def session(venue: Venue, told: Told) -> Told:
    """Log in anew (``replace``), which ends the session before, or end today's (``expire``)."""
    if told.get("replace"):
        return {"api_session": venue.log_in()}
    if told.get("expire"):
        return venue.strike("session_expired", {}).shown()
    raise Invalid('a session takes {"replace": true} or {"expire": true}')


def _number(told: Told, name: str, otherwise: float) -> float:
    value = told.get(name, otherwise)
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise Invalid(f"{name} {value!r} is not a number") from None
    if isinstance(value, bool) or not abs(number) < 1e12:
        raise Invalid(f"{name} {value!r} is not a number")
    return number


def is_local(request: Request) -> bool:
    """Say whether a request comes from this machine and was meant for it."""
    host = (request.headers.get("host") or "").rsplit(":", 1)[0].strip("[]")
    try:
        local = ipaddress.ip_address(request.client.host).is_loopback if request.client else False
        return local and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False


def endpoint(venue: Venue, door: Door) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of a door."""

    async def answer(request: Request) -> Response:
        if not is_local(request) or request.headers.get("origin"):
            return JSONResponse({"error": "the control endpoint answers this machine's own programs only"}, 403)
        try:
            told = await _told(request)
            venue.floor.advance()
            return JSONResponse(door(venue, told))
        except (Invalid, Refused) as error:
            return JSONResponse({"error": str(error)}, 400)

    return answer


async def _told(request: Request) -> Told:
    body = await request.body()
    try:
        told = json.loads(body) if body else {}
    except ValueError:
        raise Invalid("the body is not JSON") from None
    if not isinstance(told, dict):
        raise Invalid("the body is not a JSON object")
    return {**request.query_params, **told, **request.path_params}


def routes(venue: Venue) -> list[Route]:
    """Return the routes of the control endpoint."""
    doors: tuple[tuple[str, str, Door], ...] = (
        ("GET", "/control/faults", faults), ("POST", "/control/faults", switch_on),
        ("DELETE", "/control/faults", switch_off), ("DELETE", "/control/faults/{name}", switch_off),
        ("GET", "/control/log", log), ("GET", "/control/orders", orders), ("POST", "/control/clock", clock),
        ("POST", "/control/order", order), ("POST", "/control/market", market),
        ("POST", "/control/holding", holding), ("POST", "/control/session", session),
    )  # fmt: skip
    return [Route(path, endpoint(venue, door), methods=[method]) for method, path, door in doors]
