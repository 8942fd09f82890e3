"""The calendar in force: the shipped one, what is recorded over it, and how the command shows it."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import IntegrityError

from sensequant.lib.errors import NotFound
from trading.core.calendar import NSE
from trading.core.errors import Invalid
from trading.models.calendar import CalendarOverride
from trading.services import calendar

ROOT = Path(__file__).resolve().parents[2]
CHRISTMAS_EVE = dt.date(2026, 12, 24)


def show(*words: str) -> str:
    out = StringIO()
    call_command("market_calendar", *words, stdout=out)
    return out.getvalue()


def refuse(*words: str) -> str:
    err = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("market_calendar", *words, stderr=err)
    assert stopped.value.code == 2
    assert err.getvalue().count("\n") == 1
    return err.getvalue()


@pytest.mark.django_db
def test_without_overrides_the_shipped_calendar_is_in_force():
    assert calendar.current() is NSE


@pytest.mark.django_db
def test_a_recorded_closure_takes_effect_at_once_and_goes_when_removed():
    calendar.set_override(day=CHRISTMAS_EVE, closed=True, name="Storm", by="alice")
    assert not calendar.current().is_session(CHRISTMAS_EVE)
    calendar.remove_override(day=CHRISTMAS_EVE)
    assert calendar.current().is_session(CHRISTMAS_EVE)


@pytest.mark.django_db
def test_an_edited_override_replaces_the_earlier_one():
    calendar.set_override(day=CHRISTMAS_EVE, closed=True, by="alice")
    before = calendar.current()
    calendar.set_override(day=CHRISTMAS_EVE, window=(dt.time(9, 15), dt.time(13)), name="Half day", by="bob")
    session = calendar.current().session(CHRISTMAS_EVE)
    assert session
    assert (session.kind, f"{session.close:%H:%M}") == ("special", "13:00")
    assert not before.is_session(CHRISTMAS_EVE)
    assert CalendarOverride.objects.get().created_by == "bob"
    assert str(CalendarOverride.objects.get()) == "2026-12-24 09:15-13:00 Half day"


@pytest.mark.django_db
def test_an_unchanged_calendar_is_built_once():
    calendar.set_override(day=CHRISTMAS_EVE, closed=True, by="alice")
    assert calendar.current() is calendar.current()


@pytest.mark.django_db
def test_a_completed_year_extends_the_calendar():
    calendar.set_override(day=dt.date(2027, 1, 26), closed=True, name="Republic Day", completes_year=True, by="alice")
    assert calendar.current().known_until == dt.date(2027, 12, 31)
    assert "2027-01-26 Tue  Republic Day" in show("--year", "2027")


@pytest.mark.django_db
def test_a_contradictory_override_is_refused_before_it_is_recorded():
    with pytest.raises(Invalid, match="closed and yet"):
        calendar.set_override(day=CHRISTMAS_EVE, closed=True, window=(dt.time(9), dt.time(10)), by="alice")
    assert not CalendarOverride.objects.exists()
    with pytest.raises(NotFound, match="2026-12-24"):
        calendar.remove_override(day=CHRISTMAS_EVE)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "columns",
    [
        {"closed": True, "open_time": dt.time(9), "close_time": dt.time(10)},
        {"open_time": dt.time(9)},
        {"close_time": dt.time(9)},
        {"open_time": dt.time(10), "close_time": dt.time(9)},
    ],
)
def test_the_database_itself_refuses_contradictory_rows(columns):
    with pytest.raises(IntegrityError):
        CalendarOverride.objects.create(date=CHRISTMAS_EVE, **columns)


@pytest.mark.django_db
def test_the_year_shows_closures_special_sessions_and_the_changing_hours():
    text = show("--year", "2026", "--segment", "equity_fno")
    assert "NSE equity_fno, 2026-01-01 to 2026-12-31: 247 sessions, 16 closures, 2 special sessions" in text
    assert "2026-01-15 Thu  Municipal elections" in text
    assert "2026-11-08 Sun  muhurat" in text
    assert "(hours unconfirmed)" in text
    assert "2026-08-26 Wed  Id-e-Milad" in text.split("Open, but no settlement")[1]
    assert "2026-12-07 to 2026-12-31  pre_open 09:00-09:15, continuous 09:15-15:30, closing_auction" in text


@pytest.mark.django_db
def test_a_month_lists_every_session():
    text = show("--year", "2026", "--month", "11")
    assert "2026-11-23 Mon  pre_open 09:00-09:15, continuous 09:15-15:30, post_close 15:50-16:00" in text
    assert "2026-11-24 Tue  Guru Nanak Jayanti" in text


@pytest.mark.django_db
def test_the_same_as_json():
    data = json.loads(show("--year", "2026", "--month", "2", "--json"))
    budget = data["sessions"][0]
    assert (budget["date"], budget["kind"], budget["name"]) == ("2026-02-01", "special", "Union Budget")
    assert budget["phases"][1] == {"name": "continuous", "start": "09:15", "end": "15:30"}
    assert data["closures"] == []
    assert data["known_until"] == "2026-12-31"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--year", "2031"), "the calendar does not know 2031-01-01: it knows 2007-01-01 to 2026-12-31 (add the"),
        (("--year", "1999"), "the calendar does not know 1999-01-01"),
        (("--year", "0"), "--year 0 is not a year"),
        (("--year", "2026", "--month", "13"), "--month 13 is not a month (use 1 to 12)"),
    ],
)
def test_a_period_it_cannot_show_is_one_clear_line_and_exit_2(words, message):
    assert message in refuse(*words)


def test_a_year_that_is_no_number_is_exit_2_from_the_shell():
    command = [sys.executable, "manage.py", "market_calendar", "--year", "soon"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "invalid int value: 'soon'" in done.stderr
    assert "Traceback" not in done.stderr
