"""Health, the morning's checklist and the runbooks: what is wrong is said first, with what to do about it."""

import datetime as dt

import pytest
from django.template.loader import get_template
from django.test import Client

from monitoring.core.rules import RULES
from monitoring.services import facts, parts, preopen, watching
from sensequant import tasks
from sensequant.lib.clock import IST, now
from tests.trading import rows
from tests.trading.pages import a_run, published
from trading.services import conditions, halts

pytestmark = pytest.mark.django_db
MORNING = dt.datetime(2026, 11, 23, 8, 45, tzinfo=IST)


@pytest.fixture
def looker():
    client = Client()
    client.force_login(rows.people()["viewer"])
    return client


def found(name, at=None):
    return next(line for line in parts.lines(at=at or now()) if line.part == name)


def test_health_says_what_is_wrong_first_and_what_to_do(looker):
    a_run(heartbeat_at=now() - dt.timedelta(minutes=5))
    conditions.hold("feed-stale", level="warn", subject="TCS", message="no news of TCS", fix="is it halted?", at=now())
    lines = parts.as_rows(parts.lines(at=now()))
    assert [line["level"] for line in lines] == sorted(
        (line["level"] for line in lines), key=["bad", "warn", "ok", "off"].index
    )
    assert lines[0]["part"] == "Engine demo"
    assert found("Feed").fix == "is it halted?"
    page = looker.get("/health").content.decode()
    assert "a part is down" in page
    assert "see the runbook heartbeat_lapsed" in page


def test_the_jobs_sign_is_young_when_they_ring_and_is_missed_when_they_do_not():
    tasks.say_alive()
    assert found("Schedule and workers").level == "ok"
    assert found("Schedule and workers", now() + dt.timedelta(minutes=10)).level == "bad"


def test_the_checklist_is_due_on_the_morning_of_a_session_and_names_what_is_not_ready(looker, settings):
    assert preopen.morning(at=MORNING).due
    assert not preopen.morning(at=MORNING + dt.timedelta(hours=1)).due
    assert not preopen.morning(at=dt.datetime(2026, 11, 22, 8, 45, tzinfo=IST)).due  # a Sunday
    halts.engage(halts.KILL, "drill", at=MORNING, by="asha")
    left = {item.name: item for item in preopen.items(at=MORNING) if not item.done}
    assert left["Kill switch and breaker"].found == "kill switch on"
    assert left["Monitor"].level == "bad"
    assert preopen.left(at=MORNING) == len(left)
    page = looker.get("/pre-open").content.decode()
    assert "release with a reason, by a second person" in page


def test_live_trading_waits_for_keys_and_arming(settings):
    settings.DESK = settings.DESK.__class__(**{**vars_of(settings.DESK), "mode": "live"})
    by_name = {item.name: item for item in preopen.items(at=MORNING)}
    assert by_name["Live trading"].level == "bad"


def vars_of(desk):
    return {name: getattr(desk, name) for name in desk.__dataclass_fields__}


def test_every_rule_has_its_runbook_and_shows_what_fires_of_it(looker):
    for rule in RULES:
        get_template(f"monitoring/runbooks/{rule.key}.html")
        page = looker.get(f"/runbooks/{rule.key}")
        assert page.status_code == 200, rule.key
        assert "It is over when" in page.content.decode()
    assert looker.get("/runbooks/nonsense").status_code == 404
    facts.report("release_watch", 1.0, at=now(), group="7", told="Sharpe fell")
    watching.look(at=now())
    assert "Fires now for 7" in looker.get("/runbooks/release_watch_failed").content.decode()


def test_the_strip_tells_of_alerts_and_of_an_engine_that_went_silent(looker):
    published(a_run(), at=now())
    facts.report("release_watch", 1.0, at=now(), group="7", told="Sharpe fell")
    watching.look(at=now())
    strip = looker.get("/state").content.decode()
    assert ">1 firing</a>" in strip
    assert '<li data-state="ENGINE" data-level="ok">' in strip
    published(a_run(name="other"), at=now() - dt.timedelta(minutes=2))
    assert "silent for 12" in looker.get("/state").content.decode()


def test_a_pages_tables_are_downloads(looker):
    answer = looker.get("/health?tables=csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="health-parts.csv"'
    assert answer.content.decode().splitlines()[0] == "State,Part,Found,Heard of,What to do"
    assert looker.get("/alerts?tables=csv").headers["Content-Type"] == "application/zip"
    assert looker.get("/health?tables=csv&table=9").status_code == 404
    assert Client().get("/health?tables=csv").status_code == 302
