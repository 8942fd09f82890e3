"""Every error has one shape, names the value, and says what to do."""

import pytest
from django.test import Client

from sensequant.lib.errors import Unavailable
from tests.trading.api.conftest import send
from trading.services import history as candles

KEYS = {"type", "title", "status", "detail", "instance", "fix", "errors"}


def problem(answer, status):
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == KEYS
    assert body["status"] == status
    assert body["detail"]
    assert body["instance"] == answer.request["PATH_INFO"]
    return body


def test_nobody_gets_in_without_saying_who(db):
    answer = Client().get("/api/v1/orders")
    assert "api_token create" in problem(answer, 401)["fix"]
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["", "nothing", "orders/", "orders/1/nothing", "engine"])
def test_an_address_without_anything_is_a_problem_too(viewer, path):
    assert problem(viewer.get(f"/api/v1/{path}"), 404)["fix"]


@pytest.mark.parametrize("method", ["put", "patch", "delete", "post"])
def test_a_method_that_is_not_there_names_those_that_are(viewer, method):
    answer = getattr(viewer, method)("/api/v1/orders")
    assert "only GET" in problem(answer, 405)["detail"]
    assert answer["Allow"] == "GET"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=many", "many"),
        ("limit=0", "0"),
        ("limit=1001", "1001"),
        ("limit=1e2", "1e2"),
        ("cursor=xyz", "xyz"),
        ("cursor=WyJhIiwgImIiXQ", "WyJhIiwgImIiXQ"),
        ("symbol=reliance", "reliance"),
        ("symbol=NOSUCH", "NOSUCH"),
        ("strategy=luck", "luck"),
        ("status=lost", "lost"),
        ("run=99", "99"),
        ("run=99999999999999999999", "99999999999999999999"),
        ("start=yesterday", "yesterday"),
        ("start=20261120", "20261120"),
        ("start=2026-02-30", "2026-02-30"),
        ("start=2026-11-20&end=2026-11-19", "2026-11-19"),
        ("symbl=RELIANCE", "symbl"),
    ],
)
def test_a_filter_that_cannot_be_is_named_with_its_fix(viewer, history, query, named):
    body = problem(viewer.get(f"/api/v1/orders?{query}"), 400)
    assert named in body["detail"]
    assert body["fix"]
    assert body["type"] == "urn:sensequant:bad_input"


def test_every_wrong_value_is_named_not_just_the_first(viewer):
    errors = problem(viewer.get("/api/v1/orders?limit=many&run=0&side=UP"), 400)["errors"]
    assert {each["where"] for each in errors} == {"query.limit", "query.run", "query.side"}


@pytest.mark.parametrize(
    "path",
    [
        "orders/99", "orders/99/fills", "signals/99", "trades/99", "symbols/NOSUCH", "backtests/99", "engine/runs/99",
        "strategies/luck", "strategies/configs/99", "bars/NOSUCH",
    ],
)  # fmt: skip
def test_what_does_not_exist_is_named_with_where_to_look(viewer, history, path):
    body = problem(viewer.get(f"/api/v1/{path}"), 404)
    assert body["fix"]
    assert any(name in body["detail"] for name in ("99", "NOSUCH", "luck"))


def test_before_the_engine_ever_ran_one_is_told_how_to_start_it(viewer):
    for path in ("engine/current", "equity", "bars/DEMOBANK"):
        assert "make run" in problem(viewer.get(f"/api/v1/{path}"), 404)["fix"]
    assert problem(viewer.get("/api/v1/engine/snapshot"), 404)["fix"]


def test_a_body_that_is_no_json_is_a_problem(staff, run):
    answer = staff.post("/api/v1/engine/speed", "{speed", content_type="application/json")
    assert problem(answer, 400)["fix"]


@pytest.mark.parametrize("body", [{}, {"speed": "fast"}, {"speed": "60"}, {"speed": -1}, {"speed": 1, "spede": 2}, []])
def test_a_body_that_cannot_be_is_a_problem(staff, run, body):
    assert problem(send(staff, "/api/v1/engine/speed", body), 400)["errors"]


def test_a_core_s_complaint_carries_its_own_advice(viewer):
    body = problem(viewer.get("/api/v1/charges?buy=10&sell=11&quantity=1&plan=dream"), 400)
    assert "dream" in body["detail"]
    assert "i-secure" in body["fix"]


def test_what_a_state_forbids_is_a_conflict(staff, run):
    run.state = "finished"
    run.save()
    assert problem(send(staff, "/api/v1/engine/pause"), 409)["type"] == "urn:sensequant:not_allowed"


def test_what_lies_outside_and_does_not_answer_is_unavailable(viewer, run, monkeypatch):
    def silent(*_, **__):
        raise Unavailable("the disk does not answer", fix="look at it")

    monkeypatch.setattr(candles, "bars", silent)
    assert problem(viewer.get("/api/v1/bars/DEMOBANK"), 503)["fix"] == "look at it"


@pytest.mark.parametrize("bug", [RuntimeError, ValueError])
def test_a_bug_is_logged_and_shows_nothing_of_itself(people, run, monkeypatch, caplog, bug):
    def broken(*_, **__):
        raise bug("secret detail")

    monkeypatch.setattr(candles, "bars", broken)
    client = Client(raise_request_exception=False)
    client.force_login(people["viewer"])
    body = problem(client.get("/api/v1/bars/DEMOBANK"), 500)
    assert "secret" not in str(body)
    assert "secret detail" in caplog.text
