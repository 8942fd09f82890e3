"""Risk for scripts: what the page shows, and its three switches, under the same rights."""

import pytest
from django.test import Client

from tests.trading import rows
from tests.trading.api.conftest import bearer, send
from trading.models import Difference, EngineRun, Halt
from trading.services import halts

pytestmark = pytest.mark.django_db
STOP = {"reason": "prices look wrong"}


@pytest.fixture
def differing(history):
    return rows.difference(history)


def test_the_whole_standing_is_one_document(viewer, differing):
    found = viewer.get("/api/v1/risk").json()
    assert (found["kill"], found["breaker"], found["real_money"]) == (None, None, False)
    assert {each["name"] for each in found["budgets"]} == {"minute", "day", "orders"}
    (each,) = found["differences"]
    assert (each["symbol"], each["ours"], each["theirs"], each["run"]) == ("DEMOBANK", 10, 8, differing.run_id)
    (standing,) = found["runs"]
    assert (standing["run"], standing["name"], standing["trouble"]) == (differing.run_id, "demo", "")
    limits = {limit["name"]: limit for limit in standing["limits"]}
    assert set(limits) == {
        "max_exposure", "max_symbol_exposure", "max_positions", "max_trades_day", "daily_loss", "daily_loss_pct",
        "loss_streak",
    }  # fmt: skip
    assert (limits["daily_loss"]["used"], limits["daily_loss"]["unit"]) == ("0", "₹")
    assert limits["max_positions"]["limit"] is None
    assert limits["max_positions"]["level"] == "off"


def test_what_blocks_a_symbol_is_told_where_the_engine_tells_it(viewer, run):
    watch = [{"symbol": "DEMOBANK", "blocked": ["the symbol's feed is stale"]}, {"symbol": "DEMOTECH"}]
    rows.snapshot(run, watch=watch)
    (standing,) = viewer.get("/api/v1/risk").json()["runs"]
    assert standing["symbols"] == [
        {"symbol": "DEMOBANK", "held": "0", "blocked": ["the symbol's feed is stale"]},
        {"symbol": "DEMOTECH", "held": "0", "blocked": None},
    ]


def test_an_operator_stops_the_desk_and_staff_lets_it_go_on(operator, staff, run):
    stopped = send(operator, "/api/v1/risk/kill", STOP)
    assert stopped.status_code == 200
    kill = stopped.json()["kill"]
    assert (kill["engaged_by"], kill["action"], kill["reason"]) == ("omar", "stop-entries", "prices look wrong")
    assert stopped.json()["runs"][0]["everywhere"] == ["the kill switch is on"]
    more = send(operator, "/api/v1/risk/kill", {"reason": "leave", "square_off": True}).json()["kill"]
    assert (more["id"], more["action"]) == (kill["id"], "square-off")
    assert send(operator, "/api/v1/risk/release", {"kind": "kill", "reason": "x"}).status_code == 403
    assert halts.engaged()
    released = send(staff, "/api/v1/risk/release", {"kind": "kill", "reason": "checked", "password": rows.PASSWORD})
    assert (released.status_code, released.json()["kill"]) == (200, None)
    again = send(staff, "/api/v1/risk/release", {"kind": "kill", "reason": "checked", "password": rows.PASSWORD})
    assert (again.status_code, again.json()["type"]) == (409, "urn:sensequant:not_allowed")


def test_where_money_is_real_a_second_person_lets_it_go_on(staff, run):
    EngineRun.objects.update(mode="live", label="")
    assert send(staff, "/api/v1/risk/kill", STOP).json()["real_money"] is True
    answer = send(staff, "/api/v1/risk/release", {"kind": "kill", "reason": "x", "password": rows.PASSWORD})
    assert (answer.status_code, answer.json()["fix"]) == (409, "ask a second person")
    assert halts.engaged()


def test_a_trade_key_stops_and_does_not_let_go_on(token, run):
    key = bearer(token("staff", "trade"))
    assert send(Client(), "/api/v1/risk/kill", STOP, **key).status_code == 200
    assert send(Client(), "/api/v1/risk/release", {"kind": "kill", "reason": "x"}, **key).status_code == 403
    assert send(Client(), "/api/v1/risk/kill", STOP, **bearer(token("staff", "read"))).status_code == 403


def test_stopping_twice_with_one_key_answers_alike(operator, run):
    key = {"Idempotency-Key": "stop-1"}
    first = send(operator, "/api/v1/risk/kill", STOP, **key)
    again = send(operator, "/api/v1/risk/kill", STOP, **key)
    assert (again.content, again["Idempotency-Replayed"]) == (first.content, "true")
    assert Halt.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("kill", {}),
        ("kill", {"reason": ""}),
        ("kill", {"reason": "  "}),
        ("kill", {"reason": "a\x00b"}),
        ("kill", {"reason": "x" * 301}),
        ("kill", {"reason": "x", "square_off": "perhaps"}),
        ("kill", {"reason": "x", "colour": "red"}),
        ("release", {"kind": "everything", "reason": "x"}),
        ("release", {"kind": "kill"}),
    ],
)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(staff, run, path, body):
    answer = send(staff, f"/api/v1/risk/{path}", body)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert not Halt.objects.exists()


def test_the_standing_has_an_etag_that_changes_with_the_switch(viewer, operator, run):
    first = viewer.get("/api/v1/risk")
    assert viewer.get("/api/v1/risk", headers={"If-None-Match": first["ETag"]}).status_code == 304
    send(operator, "/api/v1/risk/kill", STOP)
    assert viewer.get("/api/v1/risk", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_halts_are_listed_and_narrowed(viewer, run):
    rows.halt(run, released_by="asha", released_at=rows.at(40), release_reason="checked")
    rows.halt(run)
    rows.halt(run, kind="breaker", engaged_by="the desk")

    def kinds(query=""):
        return [
            (each["kind"], each["released_by"]) for each in viewer.get(f"/api/v1/risk/halts{query}").json()["items"]
        ]

    assert kinds() == [("breaker", ""), ("kill", ""), ("kill", "asha")]
    assert kinds("?open=true") == [("breaker", ""), ("kill", "")]
    assert kinds("?open=false&kind=kill") == [("kill", "asha")]
    page = viewer.get("/api/v1/risk/halts?limit=2").json()
    assert [each["kind"] for each in viewer.get(page["next"]).json()["items"]] == ["kill"]
    assert page["items"][0]["engaged_at"] == "2026-11-20T09:45:00+05:30"
    assert page["items"][0]["run"] == run.pk


def test_differences_are_listed_and_narrowed(viewer, run):
    rows.difference(run, gone_at=rows.at(40))
    rows.difference(run)
    rows.difference(run, symbol="TCS")

    def symbols(query=""):
        return [each["symbol"] for each in viewer.get(f"/api/v1/risk/differences{query}").json()["items"]]

    assert symbols() == ["TCS", "DEMOBANK", "DEMOBANK"]
    assert symbols("?open=true&symbol=DEMOBANK") == ["DEMOBANK"]
    assert symbols("?open=false") == ["DEMOBANK"]
    EngineRun.objects.update(current=False)
    assert symbols("?open=true") == []


def test_a_difference_is_accepted_in_the_caller_s_name(operator, viewer, differing):
    path = f"/api/v1/risk/differences/{differing.pk}/accept"
    assert send(viewer, path, {"reason": "x"}).status_code == 403
    assert send(operator, path, {"reason": "x", "ours": 10, "theirs": 0}).status_code == 409
    assert Difference.objects.get().accepted_at is None
    done = send(operator, path, {"reason": "sold by hand", "ours": 10, "theirs": 8})
    assert (done.status_code, done.json()["accepted_by"], done.json()["reason"]) == (200, "omar", "sold by hand")
    assert send(operator, path, {"reason": "again"}).status_code == 409
    assert send(operator, "/api/v1/risk/differences/999/accept", {"reason": "x"}).status_code == 404
