"""The Data page: coverage, gaps, quarantine, and fetchings that are asked for, watched and cancelled."""

import pytest
from django.test import Client

from sensequant.lib.clock import now
from sensequant.lib.errors import NotAllowed, SenseQuantError
from tests.trading import rows
from tests.trading.test_fetch_states import FRIDAY, MONDAY
from trading.models import BarReport, FetchRun, QuarantinedRow
from trading.services import fetch_orders, fetch_plans, fetch_states
from trading.services.fetch_states import State

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path / "home"


@pytest.fixture
def operator():
    client = Client()
    client.force_login(rows.people()["operator"])
    return client


def asked():
    return fetch_plans.ask(symbols=["TCS"], intervals=["1day"], start=MONDAY, end=FRIDAY, lookback=None, at=now())


def test_the_page_shows_coverage_gaps_and_what_was_set_aside(operator):
    body = State("TCS", "5minute", ((MONDAY, FRIDAY),), FRIDAY, "", 370, {"2024-01-09": 5}, {"2024-01-09": 2}).body()
    fetch_states.FetchState.objects.create(
        symbol="TCS", interval="5minute", body=body, seal=fetch_states.seal_of(body), updated_at=now()
    )
    fetch_states.FetchState.objects.create(symbol="INFY", interval="1day", body=body, seal="0", updated_at=now())
    report = BarReport.objects.create(
        file="TCS.csv", digest="d", interval="1day", rule="high_below_low", severity="quarantine", count=1,
        message="high below low", created_at=now(),
    )  # fmt: skip
    QuarantinedRow.objects.create(report=report, file="TCS.csv", line=7, raw="=cmd|2024-01-09,1,0,2")
    page = operator.get("/data").content.decode()
    assert "2024-01-09" in page
    assert "⛔ bad" in page
    assert "high below low" in page
    tables = operator.get("/data?tables=csv&table=6").content.decode()
    assert "'=cmd|2024-01-09" in tables


def test_a_fetching_is_refused_without_a_session_and_says_so(operator):
    answer = operator.post("/data/fetch", {"symbols": "TCS", "intervals": ["1day"]}, follow=True)
    assert "Broker" in answer.content.decode()
    assert not FetchRun.objects.exists()
    answer = operator.post("/data/fetch", {"start": "yesterday"}, follow=True)
    assert "&#x27;yesterday&#x27; is not a date" in answer.content.decode()


def test_one_fetching_at_a_time_begins_is_cancelled_and_stays_so(monkeypatch, operator):
    monkeypatch.setattr(fetch_orders.sessions, "keys", lambda *, at: ("keys", 1))
    run = fetch_orders.request(asked(), at=now(), by="asha")
    with pytest.raises(NotAllowed, match="is at work"):
        fetch_orders.request(asked(), at=now(), by="asha")
    assert "Cancel" in operator.get("/data").content.decode()
    operator.post(f"/data/fetchings/{run.pk}/cancel")
    run.refresh_from_db()
    assert run.state == "stopped"
    assert not fetch_orders.waits(run.pk)
    fetch_orders.give_up(run.pk, "too late", at=now())
    run.refresh_from_db()
    assert (run.state, run.error) == ("stopped", "")
    with pytest.raises(SenseQuantError, match="not at work"):
        fetch_orders.cancel(run.pk, at=now(), by="asha")
