"""The admin: every row can be found and read, history cannot be touched, and changes go through the services."""

import datetime as dt

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from sensequant import urls  # noqa: F401 - finds the pages of the admin
from sensequant.lib.clock import now
from tests.trading import masters, rows
from trading.models import (
    ApiToken,
    BacktestRun,
    BarReport,
    BarSeries,
    BrokerSession,
    CalendarOverride,
    Difference,
    EngineRun,
    ExposureBook,
    Fill,
    Halt,
    Instrument,
    LaneState,
    Order,
    QuarantinedRow,
    ReleasePointer,
    ShardExposure,
    StoredAnswer,
    StrategyConfig,
    Trade,
)
from trading.services import actions, calendar, instruments, strategies, tokens

MODELS = sorted(apps.get_app_config("trading").get_models(), key=lambda model: model.__name__)
EDITABLE = {"CalendarOverride", "CorporateAction", "Instrument", "StrategyConfig"}
RECORDS = [model for model in MODELS if model.__name__ not in EDITABLE]
DAY = dt.date(2026, 12, 8)


def named(models):
    return {"argvalues": models, "ids": [model.__name__ for model in models]}


@pytest.fixture
def people(db):
    return rows.people()


@pytest.fixture
def asha(people):
    client = Client()
    client.force_login(people["staff"])
    return client


@pytest.fixture
def everything(people):
    """One row at least of every model."""
    run = rows.run()
    rows.history(run)
    rows.backtest()
    instruments.load(masters.archive(*masters.SHARES, *masters.NOISE), at=now(), source="test")
    actions.record(actions.Told("RELIANCE", "bonus", dt.date(2024, 10, 28), "1:1"), at=now(), by="asha")
    rows.news()
    LaneState.objects.create(run=run, number=0, symbol="DEMOBANK")
    ShardExposure.objects.create(book=ExposureBook.objects.create(account="desk"), shard="desk-1of2")
    BarSeries.objects.create(
        source="csv", symbol="RELIANCE", interval="1day", path="x.csv", rows=3, digest="d", verdict="usable",
        refreshed_at=now(),
    )  # fmt: skip
    report = BarReport.objects.create(
        file="x.csv",
        digest="d",
        interval="1day",
        rule="ohlc",
        severity="quarantine",
        count=1,
        message="m",
        created_at=now(),
    )
    QuarantinedRow.objects.create(report=report, file="x.csv", line=2, raw="<script>")
    strategies.propose("intraday", {"sma": 30}, by="asha", at=now())
    calendar.set_override(day=DAY, closed=True, name="Election", by="asha")
    tokens.issue(username="asha", scope="read", days=1, by="asha", at=now())
    StoredAnswer.objects.create(user=people["staff"], key="k", fingerprint="f", created_at=now())
    rows.broker(run)
    BrokerSession.objects.update(expires_at=now() + dt.timedelta(days=1))  # pages tell one that is over
    rows.fetched()
    ReleasePointer.objects.create(
        release_id="release_20261120_190000", seq=1, folder="f", manifest_sha256="m", key_id="k", highest_seq=1,
        deployed_at=now(), deployed_by="esha",
    )  # fmt: skip


def address(model, page, *args):
    return reverse(f"admin:trading_{model._meta.model_name}_{page}", args=args)


def act(client, model, action, *chosen, **more):
    data = {"action": action, **more, "_selected_action": [str(row.pk) for row in chosen]}
    return client.post(address(model, "changelist"), data, follow=True)


def test_every_model_has_its_page():
    assert [model.__name__ for model in MODELS if model not in admin.site._registry] == []


@pytest.mark.parametrize("model", **named(MODELS))
def test_the_pages_of_a_model_open(asha, everything, model):
    page = admin.site._registry[model]
    assert page.search_fields
    assert page.list_filter or page.date_hierarchy
    row = model._default_manager.first()
    assert row is not None
    for query in ({}, {"q": "DEMO"}, {"o": "1"}):
        assert asha.get(address(model, "changelist"), query).status_code == 200
    assert asha.get(address(model, "change", row.pk)).status_code == 200
    assert asha.get(address(model, "history", row.pk)).status_code == 200


@pytest.mark.parametrize(("model", "where"), [(Halt, "/risk#kill"), (Difference, "/risk#differences")])
def test_what_waits_for_a_person_leads_to_the_page_that_takes_reasons(asha, everything, model, where):
    page = asha.get(address(model, "change", model.objects.first().pk)).content.decode()
    assert f'href="{where}"' in page


def test_what_a_file_held_is_shown_as_text(asha, everything):
    page = asha.get(address(QuarantinedRow, "changelist")).content.decode()
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("model", **named(RECORDS))
def test_history_can_be_neither_added_nor_changed_nor_deleted(asha, everything, model):
    before = list(model._default_manager.order_by("pk").values())
    row = model._default_manager.first()
    assert asha.get(address(model, "add")).status_code == 403
    assert asha.post(address(model, "add"), {}).status_code == 403
    assert asha.post(address(model, "change", row.pk), {"symbol": "X"}).status_code == 403
    assert asha.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    act(asha, model, "delete_selected", row)
    assert list(model._default_manager.order_by("pk").values()) == before


def test_a_page_of_history_has_no_form_field(asha, everything):
    page = asha.get(address(Order, "change", Order.objects.first().pk)).content.decode()
    body = page[page.index('id="content"') :]
    assert "<input" not in body.replace('<input type="hidden"', "")
    assert "780.5" in body


@pytest.mark.parametrize("model", **named([Order, Fill, Trade, StrategyConfig]))
def test_only_staff_with_the_permission_look(people, everything, model):
    for user in (people["viewer"], people["operator"], User.objects.create_user("ravi", is_staff=True)):
        client = Client()
        client.force_login(user)
        assert client.get(address(model, "changelist")).status_code in (302, 403)


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [("pause", "entries_paused", True), ("hold", "held", True), ("stop", "stop_requested", True)],
)
def test_the_engine_s_switches_are_actions(asha, everything, action, field, value):
    run = EngineRun.objects.get()
    assert act(asha, EngineRun, action, run).status_code == 200
    run.refresh_from_db()
    assert getattr(run, field) is value
    back = {"pause": "resume", "hold": "play", "stop": "play"}[action]
    act(asha, EngineRun, back, run)
    run.refresh_from_db()
    assert getattr(run, field) is not value


def test_what_a_switch_cannot_do_is_said(asha, everything):
    EngineRun.objects.update(state="finished")
    page = act(asha, EngineRun, "pause", EngineRun.objects.get())
    assert "takes no more commands" in page.content.decode()


def test_a_queued_backtest_is_cancelled(asha, everything):
    BacktestRun.objects.update(status="queued")
    act(asha, BacktestRun, "cancel", BacktestRun.objects.get())
    assert BacktestRun.objects.get().status == "cancelled"


def test_a_key_is_revoked_and_its_digest_never_shown(asha, everything):
    row = ApiToken.objects.get()
    assert row.digest not in asha.get(address(ApiToken, "change", row.pk)).content.decode()
    act(asha, ApiToken, "revoke", row)
    row.refresh_from_db()
    assert row.revoked_by == "asha"


def save(client, row, **changes):
    data = {"params": '{"sma": 40}', "note": "", **changes}
    return client.post(address(StrategyConfig, "change", row.pk), data, follow=True)


def test_a_version_is_proposed_changed_while_a_draft_and_activated(asha):
    data = {"strategy": "intraday", "params": '{"sma": 30}', "note": "slower"}
    asha.post(address(StrategyConfig, "add"), data)
    row = StrategyConfig.objects.get()
    assert (row.version, row.status, row.params, row.created_by) == (1, "draft", {"sma": 30}, "asha")
    save(asha, row, note="slower still")
    row.refresh_from_db()
    assert (row.version, row.params, row.note) == (1, {"sma": 40}, "slower still")
    assert "Your password, again" in act(asha, StrategyConfig, "activate", row).content.decode()
    wrong = act(asha, StrategyConfig, "activate", row, confirming="yes", password="guessed")
    assert "the password is not right" in wrong.content.decode()
    row.refresh_from_db()
    assert row.status == "draft"
    act(asha, StrategyConfig, "activate", row, confirming="yes", password=rows.PASSWORD)
    row.refresh_from_db()
    assert row.status == "active"


@pytest.mark.parametrize("status", ["active", "retired"])
def test_changing_a_version_that_was_used_makes_a_new_one(asha, status):
    row = strategies.propose("intraday", {"sma": 30}, by="asha", at=now())
    StrategyConfig.objects.update(status=status)
    page = save(asha, row).content.decode()
    assert "your change is the draft intraday v2" in page
    row.refresh_from_db()
    assert (row.params, row.status) == ({"sma": 30}, status)
    new = StrategyConfig.objects.get(version=2)
    assert (new.params, new.status) == ({"sma": 40}, "draft")


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ('{"sma": 4000}', "out of bounds"),
        ('{"luck": 1}', "unknown parameter"),
        ("[1]", "name and value"),
        ("{", "JSON"),
    ],
)
def test_a_version_out_of_bounds_is_not_kept(asha, params, said):
    page = asha.post(address(StrategyConfig, "add"), {"strategy": "intraday", "params": params, "note": ""})
    assert said in page.content.decode()
    assert not StrategyConfig.objects.exists()


def test_a_proposed_version_is_never_deleted(asha):
    row = strategies.propose("intraday", {}, by="asha", at=now())
    assert asha.post(address(StrategyConfig, "delete", row.pk), {"post": "yes"}).status_code == 403


def override(client, pk=None, **changes):
    data = {"date": str(DAY), "name": "", "note": "", "open_time": "", "close_time": "", **changes}
    where = address(CalendarOverride, "change", pk) if pk else address(CalendarOverride, "add")
    return client.post(where, data)


def test_a_holiday_announced_late_closes_the_calendar(asha):
    assert calendar.current().is_session(DAY)
    override(asha, closed="on", name="Election")
    row = CalendarOverride.objects.get()
    assert (row.created_by, calendar.current().closure(DAY)) == ("asha", "Election")
    override(asha, row.pk, open_time="10:00", close_time="11:00")
    assert calendar.current().session(DAY).open.hour == 10
    asha.post(address(CalendarOverride, "delete", row.pk), {"post": "yes"})
    assert calendar.current().closure(DAY) is None
    override(asha, closed="on")
    act_on = {"action": "delete_selected", "_selected_action": [str(CalendarOverride.objects.get().pk)], "post": "yes"}
    asha.post(address(CalendarOverride, "changelist"), act_on)
    assert not CalendarOverride.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"closed": "on", "open_time": "10:00", "close_time": "11:00"}, {"open_time": "10:00"},
        {"open_time": "11:00", "close_time": "10:00"}, {"open_time": "10:00:30", "close_time": "11:00"}, {"date": ""},
    ],
)  # fmt: skip
def test_a_day_that_contradicts_itself_is_not_kept(asha, change):
    assert b"errorlist" in override(asha, **change).content
    assert not CalendarOverride.objects.exists()


def test_a_symbol_is_edited(asha, everything):
    row = Instrument.objects.get(symbol="RELIANCE")
    data = {
        "symbol": "RELIANCE",
        "series": "EQ",
        "segment": "equity_fno",
        "tick": "0.10",
        "lot": "1",
        "isec_code": "RELIND",
    }
    asha.post(address(Instrument, "change", row.pk), data)
    row.refresh_from_db()
    assert (str(row.tick), row.segment, row.isec_code) == ("0.10", "equity_fno", "RELIND")
    assert b"errorlist" in asha.post(address(Instrument, "change", row.pk), {**data, "tick": "0"}).content


def test_staff_without_the_right_to_see_runs_cannot_switch_them(people, everything):
    ravi = User.objects.create_user("ravi", is_staff=True)
    client = Client()
    client.force_login(ravi)
    assert act(client, EngineRun, "pause", EngineRun.objects.get()).status_code == 403
    ravi.user_permissions.add(Permission.objects.get(codename="view_enginerun"))
    assert act(client, EngineRun, "pause", EngineRun.objects.get()).status_code == 200
