"""The Live page: complete as the server sends it, honest about what is missing, and its buttons reach the engine."""

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.trading.pages import a_run, an_order, body, published
from trading.core.rights import OPERATORS
from trading.models import EngineRun
from trading.selectors.attention import attention


@pytest.fixture
def looker(db, client):
    client.force_login(User.objects.create_user("ravi", password="monsoon-in-mumbai"))
    return client


@pytest.fixture
def trader(db, client):
    user = User.objects.create_user("asha", password="monsoon-in-mumbai")
    user.groups.add(Group.objects.get_or_create(name=OPERATORS)[0])
    client.force_login(user)
    return client


def text(answer):
    return answer.content.decode()


def test_a_stranger_is_sent_to_the_login_page(db, client):
    assert client.get("/").headers["Location"] == "/login?next=/"


def test_the_login_page_says_where_the_demo_password_is(db, client, settings):
    (settings.SENSEQUANT_HOME / "demo_password").write_text("not shown")
    page = text(client.get("/login"))
    assert "demo_password" in page
    assert "not shown" not in page


def test_a_wrong_password_is_answered_on_the_page(db, client):
    page = text(client.post("/login", {"username": "ravi", "password": "wrong"}))
    assert "is not right" in page


def test_before_the_engine_ever_ran_the_page_says_so(looker):
    page = text(looker.get("/"))
    assert "The engine has not run yet" in page
    assert "make run" in page


def test_a_failed_run_shows_its_error(looker):
    a_run(state="failed", error="the bars of DEMOBANK are missing")
    assert "the bars of DEMOBANK are missing" in text(looker.get("/"))


def test_an_old_picture_does_not_hide_that_the_current_run_failed(looker):
    old = a_run(current=False, state="suspended")
    published(old)
    new = a_run(state="failed", error="the disk is full")
    assert f"Run {new.pk} failed: the disk is full" in text(looker.get("/"))


def test_everything_stands_in_the_page_before_any_script_ran(looker):
    published(a_run())
    page = text(looker.get("/"))
    for said in (
        "DEMO", "20 Nov 2026 12:00:00 IST", "03:30:00", "▲ +₹1,23,456.50", "▼ −₹468.00", "₹11,23,456.50", "of <span",
        "1,101.30", "✖ exposure cap 500000 reached", "close 903.20 retook SMA 902.10", "stop loss", "✔ filled",
        "−0.40%", "62.90", "TradingView", "<polyline", 'http-equiv="refresh"',
    ):  # fmt: skip
        assert said in page, said


def test_a_name_from_outside_cannot_become_markup(looker):
    run = a_run()
    evil = {**body(run)["orders"][0], "symbol": "<script>alert(1)</script>"}
    published(run, orders=[evil])
    page = text(looker.get("/"))
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_no_page_carries_inline_scripts_or_styles(trader):
    published(a_run())
    for address in ("/", "/orders/", "/backtests/"):
        page = text(trader.get(address))
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick=" not in page


def test_the_page_costs_few_queries_however_much_it_shows(looker):
    run = a_run()
    published(run, orders=[{**body(run)["orders"][0], "number": n} for n in range(20)])
    looker.get("/")
    with CaptureQueriesContext(
        connection,
    ) as seen:
        looker.get("/")
    assert len(seen) <= 11  # the strip asks whether the database answers, for alerts, the release and the calendar


def test_the_chart_follows_the_symbol_asked_for(looker):
    published(a_run())
    assert 'data-symbol="DEMOBANK"' in text(looker.get("/?symbol=demobank"))
    assert 'id="candles" class="chart" data-symbol="DEMOOIL"' in " ".join(text(looker.get("/?symbol=NONSENSE")).split())


def test_the_chart_has_bars_the_strategys_own_averages_and_the_fills(looker):
    run = a_run()
    an_order(run)
    chart = looker.get("/chart/DEMOBANK/data").json()
    assert (chart["symbol"], chart["bar_seconds"], len(chart["bars"])) == ("DEMOBANK", 300, 300)
    assert set(chart["lines"]) == {"SMA 20", "EMA 50", "VWAP"}
    assert chart["lines"]["SMA 20"][-1] == pytest.approx(sum(bar[4] for bar in chart["bars"][-20:]) / 20, abs=1e-4)
    assert [mark["side"] for mark in chart["marks"]] == ["BUY"]


def test_the_chart_never_shows_a_bar_the_run_has_not_seen(looker):
    run = a_run()
    newest = looker.get("/chart/DEMOBANK/data").json()["bars"][-1][0]
    assert newest <= run.cursor.timestamp()


def test_the_same_chart_is_a_table_for_those_who_cannot_see_it(looker):
    a_run()
    page = text(looker.get("/chart/DEMOBANK/"))
    assert "SMA 20" in page
    assert "20 Nov 2026 12:00" in page


def test_an_unknown_symbol_has_no_chart(looker):
    a_run()
    assert looker.get("/chart/NOSUCH/data").status_code == 404
    assert "does not trade NOSUCH" in text(looker.get("/chart/NOSUCH/"))


# --- Controls ---
def press(client, run, action, value="", follow=True):
    return client.post("/engine/control", {"run": run.pk, "action": action, "value": value}, follow=follow)


@pytest.mark.parametrize(
    ("action", "value", "field", "is_now"),
    [
        ("pause", "", "entries_paused", True),
        ("hold", "", "held", True),
        ("speed", "600", "speed", 600.0),
        ("speed", "0", "speed", 0.0),
        ("stop", "", "stop_requested", True),
    ],
)
def test_each_button_reaches_the_engine_and_tells_its_outcome(trader, action, value, field, is_now):
    run = a_run()
    published(run)
    answer = press(trader, run, action, value)
    assert answer.redirect_chain == [("/", 303)]
    assert getattr(EngineRun.objects.get(pk=run.pk), field) == is_now
    assert "requested at" in text(answer)


def test_pausing_is_undone_by_resuming(trader):
    run = a_run(entries_paused=True, held=True)
    press(trader, run, "resume")
    press(trader, run, "play")
    run.refresh_from_db()
    assert (run.entries_paused, run.held) == (False, False)


def test_what_the_engine_refuses_is_told_in_its_words(trader):
    run = a_run(state="failed")
    assert "has failed" in text(press(trader, run, "hold"))


@pytest.mark.parametrize(("action", "value"), [("sell everything", ""), ("speed", "fast"), ("speed", "")])
def test_a_form_that_makes_no_sense_does_nothing(trader, action, value):
    run = a_run()
    assert "Nothing was done" in text(press(trader, run, action, value))


def test_too_fast_is_refused(trader):
    run = a_run()
    assert "out of bounds" in text(press(trader, run, "speed", "99999"))


def test_who_only_looks_has_no_buttons_and_no_way_around_them(looker):
    run = a_run()
    published(run)
    page = text(looker.get("/"))
    assert 'value="pause"' not in page
    assert "needs the group" in page
    assert press(looker, run, "pause", follow=False).status_code == 403
    assert not EngineRun.objects.get(pk=run.pk).entries_paused


def test_controls_are_posts_with_a_token(trader):
    run = a_run()
    assert trader.get("/engine/control").status_code == 405
    trader.handler.enforce_csrf_checks = True
    answer = press(trader, run, "pause", follow=False)
    assert answer.status_code == 403
    assert not EngineRun.objects.get(pk=run.pk).entries_paused


def test_preferences_are_remembered_and_nonsense_is_not(looker):
    answer = looker.post("/preferences", {"theme": "light", "density": "gigantic", "next": "/orders/"})
    assert answer.headers["Location"] == "/orders/"
    assert answer.cookies["theme"].value == "light"
    assert "density" not in answer.cookies
    assert 'data-theme="light"' in text(looker.get("/orders/"))


def test_preferences_never_lead_to_another_site(looker):
    answer = looker.post("/preferences", {"theme": "dark", "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/"


# --- What needs attention ---
def test_a_calm_desk_needs_no_attention(db):
    assert attention(body(a_run())) == []


def test_the_worst_comes_first(db):
    run = a_run()
    calm = body(run)
    trouble = {
        **calm,
        "entries_paused": True,
        "states": [{"key": "FEED", "level": "warn", "text": "12 s old"}],
        "pnl": {**calm["pnl"], "day": "-5200.00", "exposure": "450000.00"},
        "positions": [{**calm["positions"][0], "stop": None}],
        "orders": [{**calm["orders"][0], "status": "rejected", "reason": "no funds"}],
    }
    found = attention(trouble)
    assert [item["level"] for item in found] == ["bad", "bad", "warn", "warn", "warn", "info"]
    titles = {item["title"] for item in found}
    assert {
        "Day loss",
        "Feed",
        "Exposure",
        "DEMOOIL has no stop",
        "DEMOOIL BUY 20 rejected",
        "Entries are paused",
    } == titles
