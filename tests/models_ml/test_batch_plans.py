"""What a batch is asked for, and the windows that follow from it."""

import datetime as dt

import pytest

from models_ml.services import batch_plans
from models_ml.services.batch_plans import ask_teachers, plan
from sensequant.lib.errors import BadInput, NotFound
from tests.models_ml.runs import a_teacher

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 20, 14, 0, tzinfo=dt.UTC)  # a Friday, after the close
DEMO = {"symbols": ["DEMOBANK", "DEMOOIL"], "source": "demo", "interval": "5minute", "at": AT}


@pytest.fixture(autouse=True)
def home(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path / "home"


def test_windows_are_tiled_over_the_days_asked_for():
    asked = ask_teachers(**DEMO, start=dt.date(2026, 5, 1), end=dt.date(2026, 10, 27))
    found = plan(asked, at=AT)
    assert [window.label for window in found.windows] == [
        "DEMOBANK_2026Q2", "DEMOBANK_2026Q3", "DEMOOIL_2026Q2", "DEMOOIL_2026Q3",
    ]  # fmt: skip
    assert not found.left_over
    assert not found.without
    assert batch_plans.teacher_asked(asked.as_json()) == asked


def test_without_an_end_the_last_bar_is_the_end():
    asked = ask_teachers(**DEMO, start=dt.date(2026, 11, 1), window_days=14)
    assert {window.end for window in plan(asked, at=AT).windows} == {dt.date(2026, 11, 14), dt.date(2026, 11, 20)}


def test_an_update_takes_only_what_nothing_was_trained_on():
    a_teacher("DEMOBANK", "DEMOBANK_2026Q4", end=dt.date(2026, 11, 19))
    a_teacher("DEMOOIL", "DEMOOIL_2026Q4", end=dt.date(2026, 11, 20))
    asked = ask_teachers(**DEMO, incremental=True, window_days=30)
    (window,) = plan(asked, at=AT).windows
    assert window == ("DEMOBANK", dt.date(2026, 10, 22), dt.date(2026, 11, 20), "DEMOBANK_2026Q4")


def test_teachers_of_other_bars_do_not_count_as_trained():
    a_teacher("DEMOBANK", "DEMOBANK_2026Q4", end=dt.date(2026, 11, 20), spec={"interval": "1day"})
    assert batch_plans.trained_until("DEMOBANK", "5minute") is None


def test_the_first_update_takes_the_days_of_the_lookback():
    asked = ask_teachers(**{**DEMO, "symbols": ["DEMOBANK"]}, incremental=True, window_days=21)
    windows = plan(asked, at=AT).windows
    assert windows[-1].end == dt.date(2026, 11, 20)
    assert AT.date() - windows[0].start <= dt.timedelta(days=30)


def test_a_symbol_without_bars_is_told_of_and_stops_no_other(tmp_path):
    bars = ["timestamp,open,high,low,close,volume"]
    bars += [
        f"2024-01-{day:02d} 09:{minute:02d}:00,10,11,9,10,5"
        for day in (2, 3, 4, 5, 8, 9, 10, 11, 12)
        for minute in range(15, 60, 5)
    ]
    (tmp_path / "RELIANCE_5m.csv").write_text("\n".join(bars))
    asked = ask_teachers(symbols=["RELIANCE", "TCS"], directory=str(tmp_path), window_days=5, at=AT)
    found = plan(asked, at=AT)
    assert {window.symbol for window in found.windows} == {"RELIANCE"}
    assert "TCS" in found.without["TCS"]


def test_when_no_symbol_has_bars_the_first_reason_is_told(tmp_path):
    with pytest.raises(BadInput, match="TCS"):
        plan(ask_teachers(symbols=["TCS"], directory=str(tmp_path), at=AT), at=AT)


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"window_days": 2}, BadInput, "--window-days 2"),
        ({"incremental": True, "start": dt.date(2026, 1, 1)}, BadInput, "leave --start-date"),
        ({"start": dt.date(2026, 2, 1), "end": dt.date(2026, 1, 1)}, BadInput, "lies after"),
        ({"symbols": ["NOBODY"]}, ValueError, "not a demo instrument"),
        ({"interval": "7minute"}, ValueError, "7minute"),
        ({"source": "csv", "directory": "/nowhere/at/all"}, NotFound, "/nowhere/at/all"),
    ],
)
def test_what_cannot_be_is_refused_by_name(changes, error, told):
    with pytest.raises(error, match=told):
        ask_teachers(**{**DEMO, **changes})


def test_without_symbols_those_of_the_settings_are_meant(tmp_path):
    assert ask_teachers(directory=str(tmp_path), at=AT).symbols == ("RELIANCE", "TCS", "INFY")
