"""Who may do what: every operation against every kind of caller, straight from the schema."""

import json

import pytest
from django.test import Client

from sensequant.api import api
from tests.trading.api.conftest import bearer, logged_in, send

SCHEMA = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), default=str))
OPERATIONS = [
    (method, path, each["x-needs"]) for path, methods in SCHEMA["paths"].items() for method, each in methods.items()
]
LADDER = ["read", "trade", "admin"]
ABLE = {"viewer": "read", "operator": "trade", "staff": "admin"}
IDS = {"symbol": "DEMOBANK", "number": "1", "name": "intraday"}


def call(client, method, path, **headers):
    for name, value in IDS.items():
        path = path.replace(f"{{{name}}}", value)
    return client.get(path, headers=headers) if method == "get" else send(client, path, {}, **headers)


def refused(answer):
    return answer.status_code in (401, 403)


def test_writes_need_more_than_reading():
    assert {needs for method, _, needs in OPERATIONS if method == "get"} == {"read"}
    # who may sign is decided by the office a person holds, not by what they may trade
    writes = {needs for method, path, needs in OPERATIONS if method != "get" and not path.endswith("/sign")}
    assert "read" not in writes


@pytest.mark.parametrize(("method", "path", "needs"), OPERATIONS)
def test_an_operation_answers_those_who_may_and_nobody_else(method, path, needs, people):
    assert call(Client(), method, path).status_code == 401
    for who, right in ABLE.items():
        answer = call(logged_in(people[who]), method, path)
        may = LADDER.index(right) >= LADDER.index(needs)
        assert (answer.status_code == 403) is not may, who
        assert refused(answer) is not may, who


@pytest.mark.parametrize(("method", "path", "needs"), OPERATIONS)
def test_a_token_does_no_more_than_its_scope(method, path, needs, token):
    for scope in LADDER:
        answer = call(Client(), method, path, **bearer(token("staff", scope)))
        assert (answer.status_code == 403) is (LADDER.index(scope) < LADDER.index(needs)), scope


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


def test_a_runaway_script_is_slowed_down(token, monkeypatch):
    monkeypatch.setattr("trading.api.auth.A_MINUTE", 3)
    key = token()
    answers = [Client().get("/api/v1/health", headers=bearer(key)) for _ in range(8)]
    assert answers[0].status_code == 200
    slowed = next(each for each in answers if each.status_code == 429)
    assert int(slowed["Retry-After"]) <= 60
    assert slowed.json()["type"] == "urn:sensequant:too_many"
