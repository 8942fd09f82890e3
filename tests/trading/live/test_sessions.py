"""Today's session: made by a login, sealed at rest, told when it is lost, never made again by itself."""

import dataclasses
import datetime as dt
import io
import json
import logging

import pytest
from django.core.management import call_command

from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, NotAllowed, Unavailable
from tests.simulators import free_port
from trading.adapters.breeze.client import BreezeData, BreezeDesk
from trading.adapters.breeze.errors import SessionLost
from trading.models import BrokerSession, Condition
from trading.services import sessions
from trading.services.market_clock import market_clock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clock(breeze):
    return market_clock()


@pytest.fixture
def logged_in(breeze, clock):
    return sessions.log_in(breeze.credentials["api_session"], at=clock(), by="asha")


def test_the_clock_is_the_simulators_and_says_that_money_is_not_real(breeze, clock):
    assert clock.simulated
    assert abs((clock() - breeze.now()).total_seconds()) < 1.0


def test_a_login_is_good_until_midnight_and_its_token_lies_sealed(breeze, clock, logged_in):
    assert (logged_in.state, logged_in.obtained_by, logged_in.version) == ("active", "asha", 1)
    assert logged_in.expires_at.astimezone(IST).time() == dt.time(0)
    assert logged_in.expires_at - clock() < dt.timedelta(days=1)
    found, _ = sessions.keys(at=clock())
    row = json.dumps(list(BrokerSession.objects.values()), default=str)
    assert found.session_token not in row
    assert breeze.credentials["api_session"] not in row
    assert sessions.data(clock=clock).funds()["bank_account"]


def test_the_token_never_reaches_a_log(breeze, clock, caplog):
    caplog.set_level(logging.DEBUG)
    sessions.log_in(breeze.credentials["api_session"], at=clock(), by="asha")
    found, _ = sessions.keys(at=clock())
    sessions.data(clock=clock).funds()
    for secret in (found.session_token, found.session_key, breeze.credentials["api_secret"]):
        assert secret not in caplog.text


def test_a_token_of_yesterday_is_refused_and_everybody_hears_what_to_do(breeze, clock, settings):
    settings.DESK = dataclasses.replace(settings.DESK, breeze_session_token="87654321")
    with pytest.raises(SessionLost):
        sessions.keys(at=clock())
    told = Condition.objects.get(code=sessions.LOST, until=None)
    assert "the login with BREEZE_SESSION_TOKEN was refused" in told.message
    assert told.fix == sessions.LOGIN


def test_without_a_login_everybody_hears_what_to_do(breeze, clock):
    BrokerSession.objects.create(
        account="breeze", state="refused", note="another login took its place", obtained_at=clock(),
        expires_at=sessions.midnight(clock()),
    )  # fmt: skip
    with pytest.raises(SessionLost, match=r"another login took its place .*log in on the page Broker"):
        sessions.keys(at=clock())
    assert Condition.objects.get(code="session-lost").level == "bad"


def test_after_midnight_the_token_is_worth_nothing_and_is_thrown_away(clock, logged_in):
    tomorrow = logged_in.expires_at + dt.timedelta(seconds=1)
    found = sessions.current(at=tomorrow)
    assert (found.state, found.sealed) == ("expired", "")
    assert "midnight IST" in found.note


def test_a_second_login_elsewhere_is_found_out_and_a_new_one_here_mends_it(breeze, clock, logged_in):
    told = breeze.session(replace=True)
    with pytest.raises(SessionLost):
        sessions.data(clock=clock).funds()
    sessions.lost("Session key is expired.", at=clock(), version=logged_in.version)
    assert sessions.current(at=clock()).state == "refused"
    assert Condition.objects.filter(code="session-lost", until=None).exists()
    again = sessions.log_in(told["api_session"], at=clock(), by="asha")
    assert (again.state, again.version) == ("active", 2)
    assert not Condition.objects.filter(code="session-lost", until=None).exists()
    sessions.data(clock=clock).funds()


def test_news_of_a_lost_session_does_not_end_a_newer_one(breeze, clock, logged_in):
    again = sessions.log_in(breeze.credentials["api_session"], at=clock(), by="asha")
    sessions.lost("late news", at=clock(), version=logged_in.version)
    assert sessions.current(at=clock()).version == again.version
    assert sessions.current(at=clock()).state == "active"


@pytest.mark.parametrize("given", ["", "  ", "two words", "ünïcode", "x" * 300])
def test_something_that_is_no_session_is_refused_before_it_is_sent(breeze, clock, given):
    with pytest.raises(BadInput, match="apisession="):
        sessions.log_in(given, at=clock())


def test_a_wrong_session_changes_nothing_that_is_stored(breeze, clock, logged_in):
    with pytest.raises((BadInput, SessionLost)):
        sessions.log_in("99999999", at=clock())
    assert sessions.current(at=clock()).version == 1
    assert sessions.keys(at=clock())


def test_without_keys_the_error_names_the_settings(settings, tmp_path):
    settings.DESK = dataclasses.replace(settings.DESK, breeze_base_url="")
    with pytest.raises(BadInput, match="BREEZE_API_KEY"):
        sessions.login_page()


def test_the_login_page_quotes_the_key(settings):
    settings.DESK = dataclasses.replace(settings.DESK, breeze_api_key="a+b/c=%", breeze_api_secret="s")
    assert sessions.login_page().endswith("login?api_key=a%2Bb%2Fc%3D%25")


def test_what_trades_on_paper_is_handed_something_without_order_verbs(clock, logged_in):
    data = sessions.data(clock=clock)
    desk, _ = sessions.desk(clock=clock, on_message=lambda *_: None)
    assert type(data) is BreezeData
    assert type(desk) is BreezeDesk
    assert not {"place", "modify", "cancel"} & set(dir(data))


def test_a_forgotten_session_is_gone(clock, logged_in):
    sessions.revoke(at=clock(), by="asha")
    assert sessions.current(at=clock()).sealed == ""
    with pytest.raises(NotAllowed, match="no active session"):
        sessions.revoke(at=clock(), by="asha")


def test_a_venue_that_is_down_is_named(settings):
    address = f"http://127.0.0.1:{free_port()}"
    settings.DESK = dataclasses.replace(settings.DESK, breeze_base_url=address)
    with pytest.raises(Unavailable, match=f"nothing readable answers at {address}/healthz"):
        market_clock()


def command(*arguments):
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command("breeze_login", *arguments, stdout=out, stderr=err)
    except SystemExit as left:
        code = left.code
    return code, out.getvalue(), err.getvalue()


def test_a_headless_desk_logs_in_from_the_shell(breeze):
    assert command("--status", "--json")[1].strip() == '{"state": "none"}'
    code, out, _ = command("--api-session", breeze.credentials["api_session"], "--json")
    assert (code, json.loads(out)["state"]) == (0, "active")
    assert command("--forget")[0] == 0
    code, _, err = command("--api-session", "1 2")
    assert code == 2
    assert err.startswith("error: the broker handed over no usable API session")
    assert err.count("\n") == 1
