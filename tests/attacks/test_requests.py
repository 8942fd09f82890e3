"""Requests that try to get what is not theirs: refused, and kept."""

import datetime as dt

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse

from sensequant.lib.clock import now
from sensequant.lib.security.models import SecurityEvent
from tests.trading import rows
from trading.core.rights import OFFICES
from trading.models import EngineRun, Halt, StrategyConfig
from trading.services import halts, tokens

REASON = {"reason": "let me"}
STARTING = ["/risk/release", "/broker/arm", "/models/enable", "/models/proposals/1/approve", "/models/promotions/1/promote"]  # fmt: skip  # noqa: E501
JSON = {"content_type": "application/json"}


@pytest.mark.parametrize("path", [*STARTING, "/risk/kill", "/engine/control", "/models/rollback", "/broker/forget"])
def test_who_may_only_look_changes_nothing(people, as_, kept, path):
    answer = as_(people["viewer"]).post(path, REASON)
    assert answer.status_code == 403
    assert kept("refused", who="vera", path=path)
    assert not Halt.objects.exists()


def test_an_operator_does_not_do_what_staff_decides(people, as_, kept):
    rows.halt()
    omar = as_(people["operator"])
    assert omar.post("/risk/release", {"kind": "kill", **REASON, "password": rows.PASSWORD}).status_code == 403
    assert omar.post("/api/v1/strategies/configs/1/activate", {}, **JSON).status_code == 403
    assert omar.get("/admin/", follow=False).status_code == 302
    assert omar.get("/settings").status_code == 403
    assert kept("refused", who="omar", path="/settings")
    assert Halt.objects.get().released_at is None


def test_staff_without_the_password_start_nothing(people, as_, kept):
    """A browser left open is not enough: each thing that starts asks again, on the page, by REST, in the admin."""
    asha = as_(people["staff"])
    rows.halt()
    asha.post("/risk/release", {"kind": "kill", **REASON})
    asha.post("/risk/release", {"kind": "kill", **REASON, "password": "guessed"})
    assert kept("confirmation refused", who="asha")
    assert asha.post("/api/v1/risk/release", {"kind": "kill", **REASON}, **JSON).status_code == 409
    config = StrategyConfig.objects.create(strategy="intraday", version=1, params={}, created_at=now())
    assert asha.post(f"/api/v1/strategies/configs/{config.pk}/activate", {}, **JSON).status_code == 409
    asha.post(reverse("models_approve", args=[config.pk]))
    asha.post(
        reverse("admin:trading_strategyconfig_changelist"), {"action": "activate", "_selected_action": [config.pk]}
    )
    config.refresh_from_db()
    assert config.status == "draft"
    assert Halt.objects.get().released_at is None


OFFICE_STOPS = [
    ("/risk/kill", {"reason": "x"}, "web"), ("/api/v1/risk/kill", '{"reason": "x"}', "api"),
    ("/api/v1/broker/disarm", "", "api"), ("/models/disable", {"reason": "x"}, "web"),
    ("/engine/control", {"action": "pause"}, "no"), ("/risk/release", {"kind": "kill", "reason": "x"}, "no"),
]  # fmt: skip


@pytest.mark.parametrize("office", OFFICES)
def test_whoever_signs_for_the_desk_stops_it_alone_and_does_no_more(people, as_, office):
    people["viewer"].groups.add(Group.objects.get_or_create(name=office)[0])
    client = as_(User.objects.get(pk=people["viewer"].pk))
    for path, told, how in OFFICE_STOPS:
        answer = client.post(path, told, **(JSON if how == "api" else {}))
        assert answer.status_code == {"web": 303, "api": 200, "no": 403}[how], path
    assert [each.engaged_by for each in halts.engaged(halts.KILL)] == ["vera"]


def test_a_key_that_only_stops_stops_and_nothing_else(people, as_):
    _, key = tokens.issue(username="omar", scope="kill", days=1, by="test", at=now())
    script, told = as_(), {"HTTP_AUTHORIZATION": f"Bearer {key}", **JSON}
    assert script.post("/api/v1/risk/kill", REASON, **told).status_code == 200
    assert script.post("/api/v1/broker/disarm", "", **told).status_code == 200
    for path in ("engine/pause", "backtests", "optimizations", "commands", "risk/release"):
        assert script.post(f"/api/v1/{path}", "{}", **told).status_code in (403, 404), path


def test_stopping_asks_for_no_password(people, as_):
    omar = as_(people["operator"])
    run = rows.run()
    omar.post("/engine/control", {"action": "pause", "run": run.pk})
    omar.post("/risk/kill", {"reason": "prices look wrong", "square_off": "on"})
    assert EngineRun.objects.get().entries_paused
    assert Halt.objects.get().action == "square-off"


@pytest.mark.parametrize("path", [*STARTING, "/risk/kill", "/logout", "/account/begin", "/login", "/preferences"])
def test_another_sites_form_is_not_taken(people, as_, kept, path):
    answer = as_(people["staff"], csrf=True).post(path, {**REASON, "next": "/"}, HTTP_ORIGIN="https://evil.example")
    assert answer.status_code == 403
    assert kept("refused", who="asha")
    assert not Halt.objects.exists()


def test_a_session_alone_writes_nothing_over_the_api_and_never_stands_in_for_a_token(people, as_, kept):
    asha = as_(people["staff"], csrf=True)
    assert asha.post("/api/v1/risk/kill", REASON, **JSON).status_code == 403
    assert asha.get("/api/v1/risk", HTTP_AUTHORIZATION="Bearer of nothing").status_code == 401
    assert kept("refused", path="/api/v1/risk")
    assert not Halt.objects.exists()


def test_a_token_is_worth_nothing_once_revoked_or_over_and_never_in_an_address(people, as_, kept):
    client, issue = as_(), {"username": "asha", "scope": "read", "by": "test"}
    row, key = tokens.issue(**issue, days=1, at=now())
    _, stale = tokens.issue(**issue, days=1, at=now() - dt.timedelta(days=2))
    assert client.get("/api/v1/risk", HTTP_AUTHORIZATION=f"Bearer {key}").status_code == 200
    assert client.post("/api/v1/risk/kill", REASON, HTTP_AUTHORIZATION=f"Bearer {key}", **JSON).status_code == 403
    tokens.revoke(row.prefix, by="asha", at=now())
    for dead in (key, stale, key[:-1] + "x", ""):
        assert client.get("/api/v1/risk", HTTP_AUTHORIZATION=f"Bearer {dead}").status_code == 401
    assert client.get(f"/api/v1/risk?token={key}").status_code in (400, 401)
    assert kept("refused", path="/api/v1/risk")
    assert key not in str(list(SecurityEvent.objects.values()))


@pytest.mark.parametrize("bad", ["https://evil.example/", "//evil.example", "https:evil.example", "/\\evil.example", "javascript:alert(1)"])  # fmt: skip  # noqa: E501
def test_no_form_leads_to_another_site(people, as_, bad):
    answers = [
        as_(people["viewer"]).post("/preferences", {"theme": "dark", "next": bad}),
        as_().post("/login", {"username": "vera", "password": rows.PASSWORD, "next": bad}),
        as_().get("/admin/login/", {"next": bad}, follow=True),
    ]
    assert all("evil" not in answer.headers.get("Location", "") for answer in answers)
    assert "evil" not in as_().post(f"/login?next={bad}", {"username": "vera", "password": rows.PASSWORD}).headers.get(
        "Location", ""
    )


def test_no_value_writes_a_header(people, as_):
    bad = "/orders/\r\nSet-Cookie: owned=1"
    answer = as_(people["viewer"]).post("/preferences", {"theme": "dark\r\nX-Owned: 1", "next": bad})
    assert "owned" not in str(answer.headers).lower().replace("%0d%0aset-cookie:%20owned=1", "")
    assert "owned" not in answer.cookies
    answer = as_().get("/healthz", HTTP_HOST="localhost\r\nX-Owned: 1")
    assert answer.status_code == 400


@pytest.mark.parametrize("path", [
    "/static/../manage.py", "/static/%2e%2e/manage.py", "/static/..%2f..%2fetc/passwd",
    "/research/validations/..%2f..%2fx/",
    "/chart/..%2F..%2Fetc%2Fpasswd/", "/audits/..%2f..%2fetc/passwd", "/releases/..%2f..%2fetc/passwd",
])  # fmt: skip
def test_no_address_leads_out_of_its_folder(people, as_, path):
    answer = as_(people["staff"]).get(path)
    assert answer.status_code in (400, 404)


def test_no_folder_outside_is_read_by_a_backtest(people, as_, kept):
    body = {"strategy": "intraday", "symbols": ["RELIANCE"], "interval": "5minute", "start": "2026-11-02",
            "end": "2026-11-06", "source": "csv", "directory": "../../etc"}  # fmt: skip
    assert as_(people["operator"]).post("/api/v1/backtests", body, **JSON).status_code in (400, 403)


def test_a_body_too_large_is_not_read(people, as_):
    big = '{"reason": "' + "x" * 3_000_000 + '"}'
    answer = as_(people["staff"]).post("/api/v1/risk/kill", big, **JSON)
    assert answer.status_code in (400, 413)
    assert as_(people["staff"]).post("/risk/kill", {"reason": "x" * 3_000_000}).status_code == 400
    many = {f"f{n}": "x" for n in range(1_500)}
    assert as_(people["staff"]).post("/risk/kill", many).status_code == 400
    assert not Halt.objects.exists()


def test_words_of_a_person_stay_words(people, as_):
    bad = "{{ 7*7 }}{% debug %}<script>alert(1)</script>"
    as_(people["operator"]).post("/risk/kill", {"reason": bad})
    page = as_(people["viewer"]).get("/risk").content.decode()
    assert "<script>alert" not in page
    assert "{{ 7*7 }}" in page
    assert "49" not in page.split("{{ 7*7 }}")[1][:20]


def test_a_flood_is_held_up_and_the_kill_switch_is_not(people, as_, kept, monkeypatch, noon):
    monkeypatch.setattr("sensequant.limits.now", lambda: noon)  # one minute, however slow the machine
    stranger = as_()
    codes = [stranger.post("/login", {"username": f"u{n}", "password": "x"}).status_code for n in range(32)]
    assert codes[:30] == [200] * 30
    assert codes[-1] == 429
    assert kept("too many requests")
    script = as_(REMOTE_ADDR="10.9.9.9")
    tries = [script.get("/api/v1/risk", HTTP_AUTHORIZATION=f"Bearer sq_{n}").status_code for n in range(100)]
    assert (tries[0], tries[-1]) == (401, 429)
    _, key = tokens.issue(username="omar", scope="trade", days=1, by="test", at=now())
    kill = script.post("/api/v1/risk/kill", REASON, HTTP_AUTHORIZATION=f"Bearer {key}", **JSON)
    assert kill.status_code == 200
    assert "10.9.9.9" in SecurityEvent.objects.values_list("address", flat=True)


def test_a_bug_tells_the_caller_nothing(people, as_, monkeypatch):
    def broken(**_):
        raise RuntimeError("canary-in-a-traceback")

    monkeypatch.setattr("trading.services.risk_status.status", broken)
    client = as_(people["viewer"])
    client.raise_request_exception = False
    for path in ("/risk", "/api/v1/risk"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert b"canary" not in answer.content
        assert b"Traceback" not in answer.content


@pytest.mark.django_db
def test_what_is_downloaded_is_saved_in_a_sandbox_and_never_shown_as_a_page_of_ours(people, as_):
    answer = as_(people["viewer"]).get("/orders/?export=csv")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
