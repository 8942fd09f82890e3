"""Who may do what; every route against every caller stands in tests/sensequant/test_permissions.py."""

import json

import pytest
from django.test import Client

from sensequant.api import api
from tests.trading.api.conftest import bearer, logged_in, send
from tests.trading.api.hands import BY_HAND

SCHEMA = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), default=str))
OPERATIONS = [
    (method, path, each["x-needs"]) for path, methods in SCHEMA["paths"].items() for method, each in methods.items()
]


def test_writes_need_more_than_reading_but_where_an_office_or_an_owner_is_asked_for():
    assert {needs for method, path, needs in OPERATIONS if method == "get"} == {"read", "admin"}
    assert [path for method, path, needs in OPERATIONS if method == "get" and needs == "admin"] == ["/api/v1/settings"]
    writes = {needs for method, path, needs in OPERATIONS if method != "get" and not path.endswith(BY_HAND)}
    assert "read" not in writes


def test_a_token_does_no_more_than_its_owner_may_today(people, token, run):
    key = token("operator", "trade")
    assert send(Client(), "/api/v1/engine/pause", **bearer(key)).status_code == 200
    people["operator"].groups.clear()
    answer = send(Client(), "/api/v1/engine/pause", **bearer(key))
    assert (answer.status_code, answer.json()["detail"]) == (403, "this needs the right to trade")


def test_a_session_writes_only_with_its_csrf_token(people, run):
    client = logged_in(people["staff"], enforce_csrf_checks=True)
    answer = send(client, "/api/v1/engine/pause")
    assert (answer.status_code, answer.json()["fix"]) == (403, "send it in the header X-CSRFToken")
    page = client.get("/api/v1/docs").content.decode()
    csrf = page.partition('data-csrf-token="')[2].partition('"')[0]
    assert send(client, "/api/v1/engine/pause", **{"X-CSRFToken": csrf}).status_code == 200


def test_a_token_needs_no_csrf_token_and_takes_no_help_from_a_cookie(people, token, run):
    assert (
        send(Client(enforce_csrf_checks=True), "/api/v1/engine/pause", **bearer(token(scope="trade"))).status_code
        == 200
    )
    cookie = logged_in(people["staff"])
    assert cookie.get("/api/v1/orders", headers=bearer("sq_wrong")).status_code == 401
    assert cookie.get("/api/v1/orders", headers={"Authorization": "Basic YTpi"}).status_code == 401
    assert send(cookie, "/api/v1/engine/pause", **bearer(token("viewer"))).status_code == 403


def test_a_token_in_an_address_is_refused(token):
    answer = Client().get("/api/v1/orders", {"token": token()})
    assert answer.status_code == 400
    assert "Authorization" in answer.json()["fix"]


def test_someone_switched_off_gets_in_no_more(people, token):
    key, client = token("viewer"), logged_in(people["viewer"])
    people["viewer"].is_active = False
    people["viewer"].save()
    assert client.get("/api/v1/orders").status_code == 401
    assert Client().get("/api/v1/orders", headers=bearer(key)).status_code == 401


@pytest.mark.parametrize("path", ["orders", "orders/1", "health", "bars/DEMOBANK"])
def test_a_token_is_refused_in_any_part_of_an_address(token, path):
    for name in ("api_key", "cursor", "symbol"):
        answer = Client().get(f"/api/v1/{path}", {name: token()})
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
        assert "sq_" not in answer.json()["detail"]


def test_each_token_has_a_ceiling_of_its_own(token, monkeypatch):
    monkeypatch.setattr("trading.api.auth.A_MINUTE", 3)
    greedy, modest = token(), token()
    assert {Client().get("/api/v1/health", headers=bearer(greedy)).status_code for _ in range(8)} == {200, 429}
    assert Client().get("/api/v1/health", headers=bearer(modest)).status_code == 200


def test_a_runaway_script_is_slowed_down(token, monkeypatch):
    monkeypatch.setattr("trading.api.auth.A_MINUTE", 3)
    key = token()
    answers = [Client().get("/api/v1/health", headers=bearer(key)) for _ in range(8)]
    assert answers[0].status_code == 200
    slowed = next(each for each in answers if each.status_code == 429)
    assert int(slowed["Retry-After"]) <= 60
    assert slowed.json()["type"] == "urn:sensequant:too_many"
