"""How far bars are fetched: recorded with a seal, never ahead of the files, made anew after any damage."""

import datetime as dt
import json

import pytest

from sensequant.lib import paths
from tests.trading.served import made
from tests.trading.test_barcache import NOON, bars
from trading.adapters.barcache import BarCache
from trading.models.fetching import FetchRun, FetchState
from trading.services import fetch_plans as plans
from trading.services import fetch_states
from trading.services.fetch_states import State

pytestmark = pytest.mark.django_db

MONDAY, FRIDAY = dt.date(2024, 1, 8), dt.date(2024, 1, 12)


@pytest.fixture(autouse=True)
def home(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path / "home"


@pytest.fixture
def cache() -> BarCache:
    return plans.cache_of("RELIANCE", "5minute")


@pytest.fixture
def kept(cache):
    cache.write(bars(MONDAY, FRIDAY), MONDAY, FRIDAY, at=NOON)
    state = State("RELIANCE", "5minute", gaps={"2024-01-08": 1}, confirmed={"2024-01-08": 1})
    return fetch_states.advance(state, cache, at=NOON)


def test_a_series_nobody_fetched_has_an_empty_state(cache):
    assert fetch_states.read(cache, at=NOON) == State("RELIANCE", "5minute")


def test_what_was_recorded_is_read_again(cache, kept):
    assert fetch_states.read(cache, at=NOON) == kept
    assert kept.ranges == ((MONDAY, FRIDAY),)
    assert (kept.last_fetch, kept.rows, kept.last_bar) == (FRIDAY, 375, "2024-01-12T15:25:00+05:30")
    assert kept.fetched_at == "2026-11-23T12:00:00"
    row = FetchState.objects.get()
    assert (row.seal, row.updated_at) == (fetch_states.seal_of(row.body), NOON)


@pytest.mark.parametrize(
    "damage",
    [
        {"body": "{}"}, {"body": ""}, {"body": "[1, 2"}, {"body": "\x00"}, {"seal": ""}, {"seal": "0" * 64},
        {"body": '{"ranges": [["2024-01-08", "2031-01-01"]]}'},
    ],
)  # fmt: skip
def test_a_damaged_record_is_set_aside_and_made_anew_from_the_files(cache, kept, damage, caplog):
    if "\x00" in damage.get("body", ""):
        damage = {"body": "\x01"}  # a database may refuse a zero byte
    FetchState.objects.update(**damage)
    found = fetch_states.read(cache, at=NOON)
    assert (found.ranges, found.rows, found.last_bar) == (kept.ranges, kept.rows, kept.last_bar)
    assert (found.gaps, found.confirmed) == ({}, {})
    assert "fetch state made anew from the cache" in caplog.text
    assert not FetchState.objects.exists()
    (aside,) = paths.resolve("data/state/set_aside").iterdir()
    assert json.loads(aside.read_text())["symbol"] == "RELIANCE"


@pytest.mark.parametrize("body", ["{}", "[]", "null", '{"ranges": 3}', '{"ranges": [["x", "y"]]}'])
def test_a_sealed_record_that_makes_no_sense_is_not_believed(cache, kept, body, caplog):
    FetchState.objects.update(body=body, seal=fetch_states.seal_of(body))
    assert fetch_states.read(cache, at=NOON).ranges == kept.ranges
    assert "it cannot be read" in str([getattr(record, "context", "") for record in caplog.records])


def test_a_record_is_never_ahead_of_the_files(cache, kept, caplog):
    next(iter(cache.folder.glob("*.csv"))).unlink()
    found = fetch_states.read(cache, at=NOON)
    assert (found.ranges, found.last_fetch, found.rows, found.last_bar) == ((), None, 0, "")
    assert "bars are gone since the last fetch" in caplog.text


def test_bars_that_came_by_another_way_count(cache, kept):
    monday = FRIDAY + dt.timedelta(3)
    cache.write(bars(monday, monday), monday, monday, at=NOON)
    found = fetch_states.read(cache, at=NOON)
    assert (found.last_fetch, found.rows, found.gaps) == (monday, 450, {"2024-01-08": 1})


def test_without_a_record_the_files_tell(cache, kept):
    FetchState.objects.all().delete()
    assert fetch_states.read(cache, at=NOON).ranges == kept.ranges


def test_no_folder_for_what_is_set_aside_is_no_reason_to_stop(cache, kept, caplog):
    FetchState.objects.update(seal="")
    state = paths.resolve("data/state")
    state.parent.mkdir(parents=True, exist_ok=True)
    state.write_text("a file")
    assert fetch_states.read(cache, at=NOON).rows == 375
    assert "a damaged state could not be kept" in caplog.text


# the document's file


def a_run(**told):
    series = {"symbol": "RELIANCE", "state": "done", "files": ["a.csv", "b.csv"], "error": ""}
    bad = {"symbol": "TCS", "state": "failed", "files": [], "error": "HTTP 500"}
    usual = {"asked": {"incremental": True}, "state": "partial", "started_at": NOON, "results": {"a": series, "b": bad}}
    return FetchRun.objects.create(**{**usual, **told})


def test_the_state_file_is_laid_out_as_the_document_says(cache, kept):
    daily = plans.cache_of("RELIANCE", "1day")
    daily.write(made("RELIND", "1day", MONDAY, MONDAY), MONDAY, MONDAY, at=NOON)
    fetch_states.advance(State("RELIANCE", "1day"), daily, at=NOON)
    fetch_states.export(a_run(), at=NOON)
    told = json.loads(fetch_states.file().read_text())
    assert told["symbols"]["RELIANCE"]["last_fetch_date"] == "2024-01-08T00:00:00"  # the earliest of its intervals
    assert told["symbols"]["RELIANCE"]["intervals"]["5minute"] == {
        "last_fetch_date": "2024-01-12T00:00:00", "last_updated": "2026-11-23T12:00:00+05:30",
    }  # fmt: skip
    assert told["last_run"] == {
        "timestamp": "2026-11-23T12:00:00+05:30", "run_type": "incremental", "success": False,
        "symbols_processed": ["RELIANCE"], "files_created": 2, "errors": 1,
    }  # fmt: skip


def test_a_state_file_that_cannot_be_written_costs_nothing_else(cache, kept, caplog):
    paths.home().mkdir(exist_ok=True)
    (paths.home() / "data" / "state").write_text("a file")
    fetch_states.export(a_run(), at=NOON)
    assert "the state file was not written" in caplog.text


def told(text):
    fetch_states.file().parent.mkdir(parents=True)
    fetch_states.file().write_text(text)


def test_another_desk_s_state_file_tells_how_far_it_came():
    told('{"symbols": {"RELIANCE": {"last_fetch_date": "2024-03-15T00:00:00", "last_updated": "x"}}}')
    assert fetch_states.last_fetch_told("RELIANCE", "1day") == dt.date(2024, 3, 15)
    assert fetch_states.last_fetch_told("TCS", "1day") is None
    asked = plans.ask(
        symbols=["RELIANCE"], intervals=["1day"], start=None, end=dt.date(2024, 5, 31), lookback=7, incremental=True,
        at=NOON,
    )  # fmt: skip
    (series,) = plans.plan(asked, at=NOON)
    assert series.days[0] == dt.date(2024, 3, 18)  # no hole between what they had and the lookback


@pytest.mark.parametrize("text", ["", "{", "[]", '{"symbols": []}', '{"symbols": {"RELIANCE": 3}}',
                                  '{"symbols": {"RELIANCE": {"last_fetch_date": "soon"}}}', "\x00"])  # fmt: skip
def test_a_broken_state_file_is_no_more_than_a_warning(text, caplog):
    told(text)
    assert fetch_states.last_fetch_told("RELIANCE", "1day") is None
    assert "the state file is not believed" in caplog.text


def test_the_newest_run_is_the_last_one():
    assert fetch_states.last_run() is None
    a_run()
    newest = a_run()
    assert fetch_states.last_run() == newest
