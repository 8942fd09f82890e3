"""Who may do what, of every address and every socket there is, as ``permissions.json`` remembers it.

The routes come from the URLconf, the schema and the sockets' routing, so a new one fails here until somebody has
looked at what it answers to whom: UPDATE_GOLDEN=1 pytest tests/sensequant/test_permissions.py, then read the diff.
"""

import json
import os
from pathlib import Path
from unittest import mock

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from sensequant.api import api
from sensequant.lib.clock import now
from tests.sockets import Socket
from tests.trading import rows
from tests.trading.api.conftest import bearer
from trading.consumers import STRANGER
from trading.routing import websocket_urlpatterns
from trading.services import tokens

GOLDEN = Path(__file__).with_name("permissions.json")
PEOPLE = ("nobody", "viewer", "operator", "quant", "risk", "admin")
SCOPES = ("read", "kill", "trade", "admin")
CALLERS = (*PEOPLE, *(f"token {scope}" for scope in SCOPES))
OFFICES = {"quant": "Quant Lead", "risk": "Risk Manager"}
NOBODYS = "999999999"  # a number no row has, whatever other stories left behind
GIVEN = {"symbol": "DEMOBANK", "name": "intraday", "other": "2", "rest": "nothing", "path": "nothing"}
LADDER = {"read": 1, "kill": 2, "trade": 3, "admin": 4}
RIGHTS = {"viewer": 1, "operator": 3, "quant": 2, "risk": 2, "admin": 4, **{f"token {k}": v for k, v in LADDER.items()}}
OPEN = {"/preferences", "/healthz", "/readyz", "/favicon.ico", "/login", "/metrics", "/broker/breeze/callback"}
SCHEMA = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), default=str))["paths"]


def pages(patterns=None, prefix="/"):
    """Yield every address of the URLconf but the API's and the admin's, which have stories of their own."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            if each.namespace not in ("admin", "api"):
                yield from pages(each.url_patterns, route)
        elif isinstance(each, URLPattern):
            yield route, {name: sample(name, kind) for name, kind in each.pattern.converters.items()}


def sample(name, converter):
    kind = type(converter).__name__
    return GIVEN.get(name, NOBODYS if kind == "IntConverter" else "nothing")


def operations():
    for path, methods in SCHEMA.items():
        for method, each in methods.items():
            yield method.upper(), path, each


def filled(route, values):
    for name, value in values.items():
        for written in (
            f"<int:{name}>",
            f"<str:{name}>",
            f"<slug:{name}>",
            f"<path:{name}>",
            f"<{name}>",
            f"{{{name}}}",
        ):
            route = route.replace(written, value)
    return route


def people():
    """Return somebody of every kind, logged in."""
    cast = {**rows.people(), **{name: User.objects.create_user(name) for name in OFFICES}}
    cast["admin"] = cast.pop("staff")
    for name, office in OFFICES.items():
        cast[name].groups.add(Group.objects.get_or_create(name=office)[0])
    found = {"nobody": Client()}
    for name in PEOPLE[1:]:
        found[name] = Client()
        found[name].force_login(cast[name])
    return found


@pytest.fixture
def callers(db):
    """Return everybody, and a staff member's key of each scope."""
    run = rows.run()
    rows.history(run)
    rows.backtest()
    found = people()
    for scope in SCOPES:
        key = tokens.issue(username="asha", scope=scope, days=1, by="test", at=now())[1]
        found[f"token {scope}"] = Client(headers=bearer(key))
    return found


def answer(client, method, path):
    """Return the status, and undo whatever the request did."""
    cache.clear()
    cookies = client.cookies.copy()
    with transaction.atomic():
        if method == "GET":
            code = client.get(path).status_code
        else:
            kind = {"content_type": "application/json"} if path.startswith("/api/v1/") else {}
            code = client.post(path, "{}" if kind else {}, **kind).status_code
        transaction.set_rollback(True)
    client.cookies = cookies
    return code


def everything(callers):
    found = {}
    for route, values in pages():
        for method in ("GET", "POST"):
            path = filled(route, values)
            found[f"{method} {route}"] = [answer(callers[who], method, path) for who in CALLERS]
    for method, route, each in operations():
        values = {
            p["name"]: GIVEN.get(p["name"], str(p.get("example", "1"))) for p in each["parameters"] if p["in"] == "path"
        }
        values = {name: NOBODYS if name == "number" else value for name, value in values.items()}
        found[f"{method} {route}"] = [answer(callers[who], method, filled(route, values)) for who in CALLERS]
    return found


@pytest.mark.once
def test_every_route_answers_everybody_as_it_is_written_down(callers):
    found = {name: " ".join(map(str, codes)) for name, codes in everything(callers).items()}
    remembered = {} if os.environ.get("UPDATE_GOLDEN") else json.loads(GOLDEN.read_text())["routes"]
    if os.environ.get("UPDATE_GOLDEN"):
        kept = json.loads(GOLDEN.read_text())
        kept |= {"callers": CALLERS, "routes": dict(sorted(found.items()))}
        GOLDEN.write_text(json.dumps(kept, indent=1) + "\n")
        remembered = found
    assert sorted(set(found) - set(remembered)) == [], "new routes: look at them, then UPDATE_GOLDEN=1 (see above)"
    assert sorted(set(remembered) - set(found)) == [], "routes that are gone: UPDATE_GOLDEN=1"
    assert {name: (remembered[name], codes) for name, codes in found.items() if remembered[name] != codes} == {}


def codes_of(name):
    return dict(zip(CALLERS, map(int, json.loads(GOLDEN.read_text())["routes"][name].split()), strict=True))


def test_nobody_is_answered_but_where_one_logs_in_or_asks_for_health():
    for name in json.loads(GOLDEN.read_text())["routes"]:
        path, code = name.partition(" ")[2], codes_of(name)["nobody"]
        if path in OPEN:
            continue
        assert code in (302, 401, 403, 404, 405), name
        assert code != 404 or path.endswith("nothing"), name


def test_no_operation_answers_a_lesser_right_than_it_needs():
    for method, path, each in operations():
        codes = codes_of(f"{method} {path}")
        by_hand = {"Bearer": []} not in each["security"]
        for who, right in RIGHTS.items():
            if by_hand and who.startswith("token"):
                assert codes[who] == 401, (method, path, who)  # no key stands for a person
            else:
                assert (codes[who] == 403) is (right < LADDER[each["x-needs"]]), (method, path, who, codes[who])


def test_nothing_anybody_may_send_breaks_the_desk():
    routes = json.loads(GOLDEN.read_text())["routes"]
    assert [name for name, codes in routes.items() if any(int(code) >= 500 for code in codes.split())] == []


def test_the_admin_is_for_staff(callers):
    for route, values in admin_routes():
        path = filled(route, values)
        for who in ("nobody", "viewer", "operator", "risk"):
            code = answer(callers[who], "GET", path)
            assert code == 302 or "login" in route or "jsi18n" in route, (route, who, code)


def admin_routes(patterns=None, prefix="/admin/"):
    if patterns is None:
        patterns = next(
            each.url_patterns for each in get_resolver().url_patterns if getattr(each, "namespace", "") == "admin"
        )
    for each in patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from admin_routes(each.url_patterns, route)
        elif "^" not in route:
            yield route, {name: sample(name, kind) for name, kind in each.pattern.converters.items()}


@pytest.mark.django_db(transaction=True)
async def test_a_socket_opens_to_those_who_may_look_and_to_nobody_else():
    callers = await sync_to_async(people)()
    remembered = json.loads(GOLDEN.read_text()).get("sockets", {})
    found = {}
    for each in websocket_urlpatterns:
        path = f"/{each.pattern}"
        found[path] = {who: await knock(path, client.cookies) for who, client in callers.items()}
    if os.environ.get("UPDATE_GOLDEN"):
        golden = json.loads(GOLDEN.read_text())
        GOLDEN.write_text(json.dumps({**golden, "sockets": found}, indent=1) + "\n")
        remembered = found
    assert found == remembered
    assert {codes["nobody"] for codes in found.values()} == {STRANGER}


async def knock(path, cookies):
    """Return the code a socket is closed with, or "open"."""
    with mock.patch("channels.db.close_old_connections"):
        one = Socket(path, cookies=cookies)
        accepted, code = await one.connect()
        if not accepted:
            return code
        if not await one.receive_nothing(0.1):
            said = await one.hear()
            if "closed" in said:
                return said["closed"]
        await one.leave()
    return "open"
