"""The frame of every page: where one can go, by which key, and how the desk is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django import template
from django.http import HttpRequest
from django.template import Context
from django.urls import NoReverseMatch, reverse

from sensequant.lib.clock import now
from trading.core.tour import TOUR
from trading.selectors import live
from trading.services import state_words
from trading.services.release_seal import Seal, seal

register = template.Library()


@dataclass(frozen=True, slots=True)
class Place:
    """One page one can go to: the name of its address, its word, the key after ``g``, and whether staff alone may."""

    name: str
    word: str
    key: str = ""
    staff: bool = False


PLACES: tuple[tuple[str, tuple[Place, ...]], ...] = (
    (
        "Trade",
        (
            Place("live", "Live", "l"), Place("orders", "Orders", "o"), Place("positions", "Positions", "p"),
            Place("signals", "Signals", "s"), Place("journal", "Journal", "j"), Place("risk", "Risk", "r"),
        ),
    ),
    (
        "Watch",
        (
            Place("preopen", "Pre-open", "c"), Place("alerts", "Alerts", "a"), Place("health", "Health", "h"),
            Place("broker", "Broker", "k"), Place("data", "Data", "d"), Place("sentiment", "Sentiment", "n"),
            Place("telemetry", "Telemetry", "y"), Place("reports", "Reports", "t"),
        ),
    ),
    (
        "Research",
        (
            Place("backtests", "Backtests", "b"), Place("optimizations", "Optimise", "z"),
            Place("training", "Training", "w"), Place("models", "Models", "m"), Place("parity", "Parity", "q"),
        ),
    ),
    (
        "Govern",
        (
            Place("releases", "Releases", "e"), Place("audits", "Audits", "u"), Place("ledger", "Ledger", "v"),
            Place("runbooks", "Runbooks", "i"), Place("tour", "Tour"), Place("glossary", "Glossary"),
            Place("tokens", "Tokens"),
            Place("settings", "Settings", ",", staff=True), Place("admin:index", "Admin", "x", staff=True),
            Place("api:openapi-view", "API"),
        ),
    ),
)  # fmt: skip


@lru_cache(maxsize=64)
def address_of(name: str) -> str:
    """Return the address called ``name``; empty when this desk has none such."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _row(place: Place, path: str) -> dict[str, Any]:
    address = address_of(place.name)
    here = path == "/" if address == "/" else path.rstrip("/") == address.rstrip("/") or _inside(path, address)
    return {"word": place.word, "key": place.key, "address": address, "here": here}


def _inside(path: str, address: str) -> bool:
    return path.startswith(f"{address.rstrip('/')}/") and not address.startswith("/api/")


@register.simple_tag
def rail(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the pages this person may open, group by group."""
    staff = bool(getattr(request.user, "is_staff", False))
    found = []
    for title, places in PLACES:
        rows = [
            _row(place, request.path)
            for place in places
            if address_of(place.name) and (staff or not place.staff)
        ]  # fmt: skip
        found.append({"title": title, "places": rows})
    return found


@register.simple_tag(takes_context=True)
def newest_snapshot(context: Context) -> live.Newest | None:
    """Return the page's own snapshot where it has one, else the newest: header and strip say the same, read once."""
    found: live.Newest | None = context["newest"] if "newest" in context else live.newest("live")
    return found


@register.simple_tag(takes_context=True)
def masthead(context: Context) -> live.Masthead:
    """Return what every page's header says: mode, market time."""
    return live.masthead(newest_snapshot(context))


@register.simple_tag(takes_context=True)
def state_strip(context: Context) -> list[dict[str, Any]]:
    """Return the state words."""
    return state_words.words(newest_snapshot(context), at=now())


@register.simple_tag
def release_seal() -> Seal | None:
    """Return the release in force and whether it is known to be whole; None while nothing is deployed."""
    return seal(at=now())


@register.simple_tag
def tour_stop(request: HttpRequest) -> dict[str, Any] | None:
    """Return the stop of the tour this page is (``?tour=3``), with the ways on and back; None outside the tour."""
    wanted = request.GET.get("tour", "")
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 3 else 0
    if not 1 <= number <= len(TOUR) or request.path != address_of(TOUR[number - 1].page):
        return None

    def way(k: int) -> str:
        return f"{address_of(TOUR[k - 1].page)}?tour={k}" if 1 <= k <= len(TOUR) else ""

    ways = {"before": way(number - 1), "after": way(number + 1)}
    return {"number": number, "most": len(TOUR), "stop": TOUR[number - 1], **ways}
