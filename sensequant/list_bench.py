"""How long every list takes on a desk of years, and by which indexes; ``bench_data`` says what that desk holds."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sensequant.api import api
from sensequant.lib.errors import NotAllowed

ALLOWED_MS: Final = 50.0
FIRST_MS: Final = 300.0
LARGE: Final = 50_000
"""Rows from which on a table read as a whole is a fault."""
SYMBOL: Final = "SYM007"
FILTERS: Final = {
    "symbol": SYMBOL, "strategy": "swing", "status": "rejected", "side": "SELL", "purpose": "exit", "run": "20",
    "direction": "SHORT", "acted": "true", "actor": "rafi", "action": "deploy", "object": "order+12",
}  # fmt: skip
TABLES: Final = ("orders", "positions", "signals", "journal")
PAGES: Final = (
    "backtests", "alerts", "metrics", "sentiment", "models", "parity", "reports", "ledger", "releases", "audits",
    "optimizations", "training", "tokens", "data", "risk", "broker", "health", "preopen", "live",
)  # fmt: skip
LAST: Final = 1_000_000
"""A page nobody has: the last one there is answers."""
PAGE_FILTERS: Final = (
    "", "?run=all", f"?run=all&symbol={SYMBOL}", "?run=all&status=rejected", "?run=all&page=50",
    f"?run=all&page={LAST}",
)  # fmt: skip
MORE: Final = (
    ("backtests", f"?page={LAST}"), ("audits", f"?page={LAST}"), ("reports", "?span=week"), ("parity", "?run=1"),
    ("ledger", "?actor=rafi"), ("ledger", "?action=deploy"), ("ledger", "?object=order+12"),
    ("ledger", "?object=nothing"), ("ledger", f"?page={LAST}"),
)  # fmt: skip
DEEP: Final = 20
"""Pages a reader of REST goes on to before the list is asked that deep."""
TELEMETRY: Final = "telemetry"


@dataclass(slots=True)
class Measured:
    """One address: milliseconds of each request, the indexes its queries used, the large tables read as a whole."""

    address: str
    first_ms: float
    allowed_first_ms: float = 0.0
    took_ms: list[float] = field(default_factory=list)
    indexes: set[str] = field(default_factory=set)
    scanned: set[str] = field(default_factory=set)

    @property
    def p95_ms(self) -> float:
        """Return the 95th percentile: 19 of 20 requests took no longer."""
        return sorted(self.took_ms)[max(0, -(-len(self.took_ms) * 95 // 100) - 1)]

    @property
    def slow(self) -> bool:
        """Say whether it took longer than it may, or read a large table as a whole."""
        late = 0 < self.allowed_first_ms < self.first_ms
        return late or self.p95_ms > ALLOWED_MS or bool(self.scanned)

    def as_json(self) -> dict[str, Any]:
        """Return it as the command prints it."""
        return {
            "address": self.address, "first_ms": round(self.first_ms, 2), "p95_ms": round(self.p95_ms, 2),
            "allowed_ms": ALLOWED_MS, "indexes": sorted(self.indexes), "scanned": sorted(self.scanned),
            "slow": self.slow,
        }  # fmt: skip


def addresses() -> list[str]:
    """Return the address of every list: REST with each filter by itself and a second page, and the pages."""
    found: list[str] = []
    for path, methods in api.get_openapi_schema(path_prefix="/api/v1/")["paths"].items():
        given = [each for each in methods.get("get", {}).get("parameters", []) if each["in"] == "query"]
        if "{" not in path and any(each["name"] == "cursor" for each in given):
            found += [path, *(f"{path}?{each['name']}={_value(each)}" for each in given if each["name"] in FILTERS)]
    found += [reverse(name) + more for name in TABLES for more in PAGE_FILTERS]
    return [*found, *map(reverse, PAGES), *(reverse(name) + more for name, more in MORE)]


def _value(parameter: dict[str, Any]) -> str:
    """Return what a list is filtered by: ours, or the first word it knows."""
    known = parameter["schema"].get("enum") or [FILTERS[parameter["name"]]]
    return FILTERS[parameter["name"]] if FILTERS[parameter["name"]] in known else str(known[0])


def measure(rounds: int, large: set[str]) -> Iterator[Measured]:
    """Ask every list ``rounds`` times as a person who may see everything; its queries are explained once."""
    client = Client(SERVER_NAME="localhost", raise_request_exception=False)
    client.force_login(get_user_model().objects.create_user("bench", is_staff=True))
    _once(client, reverse("tokens"))
    gc.collect()
    gc.freeze()  # as the web server does when its pages are loaded
    for address in addresses():
        found = _measured(client, address, rounds, large)
        yield found
        if address.startswith("/api/") and "?" not in address:
            for following in _deeper(client, address):
                yield _measured(client, following, rounds, large)
    yield _measured(client, reverse(TELEMETRY), rounds, large, first=FIRST_MS)


def _deeper(client: Client, address: str) -> Iterator[str]:
    """Yield a list's second page, and the last of those after it that is not deeper than ``DEEP``."""
    second = last = ""
    for _ in range(DEEP):
        cache.clear()
        following = client.get(last or address).json().get("next")
        if not following:
            break
        second, last = second or following, following
    yield from dict.fromkeys(each for each in (second, last) if each)


def _measured(client: Client, address: str, rounds: int, large: set[str], first: float = 0.0) -> Measured:
    """Return one address; ``first`` milliseconds are allowed to the very first request, which is not among the rest."""
    took = [_once(client, address) for _ in range(rounds + 1)]
    with CaptureQueriesContext(connection) as captured:
        _once(client, address)
    found = Measured(address, took[0], first, took[1:])
    for query in captured.captured_queries:
        if query["sql"].startswith("SELECT"):
            _explain(query["sql"], found, large)
    return found


def _once(client: Client, address: str) -> float:
    cache.clear()  # the ceiling on requests a minute
    begun = perf_counter()
    answer = client.get(address)
    took = 1e3 * (perf_counter() - begun)
    if answer.status_code != 200:
        raise NotAllowed(f"{address} answered {answer.status_code}", fix="look at the desk's log")
    return took


def _explain(query: str, found: Measured, large: set[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {query}")  # without parameters, so that no % is one
        plan = cursor.fetchone()[0]
    for node in _nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]):
        if "Index Name" in node:
            found.indexes.add(node["Index Name"])
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in large:
            found.scanned.add(node["Relation Name"])


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", []):
        yield from _nodes(each)
