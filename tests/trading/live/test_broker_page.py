"""The broker page: login and callback, arming while seeing the cost, budgets, and what is wrong now."""

import dataclasses
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from tests.trading import rows
from trading.models import BrokerSession, LiveArming
from trading.services import arming, conditions, sessions
from trading.services.market_clock import market_clock

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(user):
    made = Client()
    made.force_login(user)
    return made


@pytest.fixture
def people(db):
    return rows.people()


@pytest.fixture
def omar(people):
    return client_of(people["operator"])


def text(answer):
    return answer.content.decode()


def begin(client):
    """Press the button and return where the broker's page is."""
    page = text(client.post("/broker/login"))
    return page.split('href="http', 2)[-1]


def test_before_the_first_login_the_page_says_what_is_missing(breeze, omar):
    page = text(omar.get("/broker"))
    assert "Nobody has logged in yet" in page
    assert "SIMULATED" in page
    assert "₹684.48" in page  # an intraday round trip of a lakh on I-Secure
    assert "0.685 %" in page


def test_an_operator_logs_in_by_way_of_the_brokers_page(breeze, omar):
    address = begin(omar)
    assert "/apiuser/login?api_key=" in address
    assert omar.session["breeze_login"]["nonce"]
    given = breeze.credentials["api_session"]
    answer = omar.get(f"/broker/breeze/callback?apisession={given}", follow=True)
    assert "Logged in at the broker until midnight." in text(answer)
    assert "✓ active" in text(answer)
    assert given not in text(answer)
    assert BrokerSession.objects.get().obtained_by == "omar"


def test_a_callback_nobody_began_is_refused_and_one_login_serves_once(breeze, omar):
    given = breeze.credentials["api_session"]
    page = text(omar.get(f"/broker/breeze/callback?apisession={given}", follow=True))
    assert "this browser began no login" in page
    assert not BrokerSession.objects.exists()
    begin(omar)
    omar.get(f"/broker/breeze/callback?apisession={given}")
    page = text(omar.get(f"/broker/breeze/callback?apisession={given}", follow=True))
    assert "this browser began no login" in page


def test_a_foreign_state_is_refused(breeze, omar):
    begin(omar)
    page = text(omar.get("/broker/breeze/callback?apisession=1&state=forged", follow=True))
    assert "is not the one this browser began" in page


def test_a_browser_that_withholds_its_cookie_comes_back_by_itself(breeze):
    stranger = Client()
    page = stranger.get("/broker/breeze/callback?apisession=123&x=%22%3E%3Cb%3E")
    assert page.status_code == 200
    assert "again=1" in text(page)
    assert "<b>" not in text(page)
    again = stranger.get("/broker/breeze/callback?apisession=123&again=1")
    assert urlsplit(again.headers["Location"]).path == "/login"
    assert "apisession" in parse_qs(urlsplit(again.headers["Location"]).query)["next"][0]


def test_who_may_only_look_sees_the_page_and_can_do_nothing(breeze, people):
    vera = client_of(people["viewer"])
    page = text(vera.get("/broker"))
    assert "Log in at the broker</button>" not in page
    for path in ("/broker/login", "/broker/forget", "/broker/arm"):
        assert vera.post(path).status_code == 403
    assert Client().get("/broker").status_code == 302


def test_a_session_that_was_lost_is_told_with_what_to_do(breeze, omar):
    clock = market_clock()
    sessions.log_in(breeze.credentials["api_session"], at=clock(), by="omar")
    sessions.lost("Session key is expired.", at=clock())
    page = text(omar.get("/broker"))
    assert "✕ refused" in page
    assert "Log in again" in page
    assert "session-lost" in page


def test_a_venue_that_does_not_answer_does_not_take_the_page_down(settings, omar):
    settings.DESK = dataclasses.replace(settings.DESK, breeze_base_url="http://127.0.0.1:1")
    page = omar.get("/broker")
    assert page.status_code == 200
    assert "nothing readable answers at http://127.0.0.1:1/healthz" in text(page)


def test_live_trading_is_armed_by_a_person_who_saw_the_cost(settings, omar, noon):
    page = text(omar.get("/broker"))
    assert "Not armed" in page
    answer = text(omar.post("/broker/arm", {"accept": "yes", "password": rows.PASSWORD}, follow=True))
    assert "does not accept the cost" in answer
    assert not LiveArming.objects.exists()
    answer = text(omar.post("/broker/arm", {"accept": "i have seen the cost", "password": rows.PASSWORD}, follow=True))
    assert "● ARMED" in answer
    row = LiveArming.objects.get()
    assert (row.armed_by, row.plan) == ("omar", "i-secure")
    assert row.shown["intraday"]["total"] == "684.48"
    omar.post("/broker/arm", {"action": "disarm"})
    assert arming.armed(at=row.armed_at) is None


def test_an_arming_ends_with_its_day_and_with_a_change_of_plan(settings, noon):
    arming.arm(arming.ACCEPT, at=noon, by="omar")
    arming.require(at=noon)
    with pytest.raises(arming.NotAllowed, match="not armed for today"):
        arming.require(at=sessions.midnight(noon))
    settings.DESK = dataclasses.replace(settings.DESK, charge_plan="prime-2999")
    with pytest.raises(arming.NotAllowed, match="plan i-secure, the plan is prime-2999"):
        arming.require(at=noon)


def test_what_is_wrong_now_stands_on_the_page_until_it_is_over(breeze, omar, noon):
    conditions.hold("feed-stale", subject="TCS", level="bad", message="no tick for 31 s", fix="look", at=noon)
    assert "no tick for 31 s" in text(omar.get("/broker"))
    conditions.clear("feed-stale", at=noon)
    assert "no tick for 31 s" not in text(omar.get("/broker"))


def test_a_script_can_do_what_the_page_can(breeze, people):
    client = client_of(people["operator"])
    found = client.get("/api/v1/broker").json()
    assert (found["simulated"], found["session"]["state"]) == (True, "none")
    given = {"api_session": breeze.credentials["api_session"]}
    done = client.post("/api/v1/broker/login", given, content_type="application/json")
    assert (done.status_code, done.json()["session"]["state"]) == (200, "active")
    assert {each["name"] for each in done.json()["budgets"]} == {"minute", "day", "orders"}
    given = {"accept": "no", "password": rows.PASSWORD}
    wrong = client.post("/api/v1/broker/arm", given, content_type="application/json")
    assert (wrong.status_code, wrong.headers["Content-Type"]) == (400, "application/problem+json")
    assert client.post("/api/v1/broker/forget").json()["session"]["state"] == "revoked"
    assert client.get("/api/v1/broker/conditions?open=true").json()["items"] == []
