"""State files survive whatever is done to them."""

import datetime as dt
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models_ml.adapters.state_files import StateManager

AT = dt.datetime(2024, 3, 16, 13, 0, 45, tzinfo=dt.UTC)
FRIDAY = dt.datetime(2024, 3, 15)  # noqa: DTZ001 - the file's dates have no zone


@pytest.fixture
def manager(tmp_path):
    return StateManager(tmp_path / "state" / "historical_fetch.json")


@pytest.fixture
def run():
    return {
        "run_id": "validation_20251012_180000", "timestamp": "2025-10-12T18:00:00+05:30", "symbols": ["RELIANCE"],
        "date_range": {"start": "2024-01-01", "end": "2024-12-31"}, "status": "completed", "dryrun": True,
        "results": {"teacher_results": {"status": "success"}},
    }  # fmt: skip


def test_what_is_kept_is_laid_out_as_the_document_says(manager):
    manager.set_last_fetch_date("RELIANCE", FRIDAY, at=AT)
    manager.set_last_run_info(
        run_type="incremental", success=True, symbols_processed=["RELIANCE"], files_created=6, errors=0, at=AT
    )
    told = json.loads(manager.path.read_text())
    assert told["symbols"] == {
        "RELIANCE": {"last_fetch_date": "2024-03-15T00:00:00", "last_updated": "2024-03-16T18:30:45+05:30"}
    }
    assert told["last_run"] == {
        "timestamp": "2024-03-16T18:30:45+05:30", "run_type": "incremental", "success": True,
        "symbols_processed": ["RELIANCE"], "files_created": 6, "errors": 0,
    }  # fmt: skip
    assert manager.get_last_fetch_date("RELIANCE") == FRIDAY
    assert manager.get_last_run_info() == told["last_run"]


def test_nothing_is_known_before_the_first_run(manager):
    assert manager.get_last_fetch_date("RELIANCE") is None
    assert manager.get_last_run_info() is None
    assert manager.get_all_symbols() == []
    assert manager.get_validation_runs() == []


def test_symbols_are_forgotten_one_by_one_and_all_together(manager):
    for symbol in ("TCS", "INFY"):
        manager.set_last_fetch_date(symbol, FRIDAY, at=AT)
    manager.clear_symbol("TCS", at=AT)
    assert manager.get_all_symbols() == ["INFY"]
    manager.clear_all(at=AT)
    assert manager.get_all_symbols() == []


def test_validations_are_found_by_state_and_kind(manager, run):
    manager.record_validation_run(run, at=AT)
    manager.record_validation_run({**run, "run_id": "two", "status": "failed", "dryrun": False}, at=AT)
    assert manager.get_validation_run(run["run_id"]) == run
    assert manager.get_validation_run("three") is None
    assert [one["run_id"] for one in manager.get_validation_runs(status="failed")] == ["two"]
    assert [one["run_id"] for one in manager.get_validation_runs(dryrun=True)] == [run["run_id"]]
    assert len(manager.get_validation_runs()) == 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(damage=st.binary(max_size=80))
def test_a_damaged_file_is_read_from_its_backup_and_never_replaces_it(tmp_path, damage):
    for old in tmp_path.iterdir():
        old.unlink()
    manager = StateManager(tmp_path / "damaged.json")
    manager.set_last_fetch_date("TCS", FRIDAY, at=AT)
    manager.set_last_fetch_date("INFY", FRIDAY, at=AT)
    manager.path.write_bytes(b"{" + damage)
    try:
        json.loads(manager.path.read_bytes())
    except ValueError:
        assert manager.get_all_symbols() == ["TCS"]
        manager.set_last_fetch_date("SBIN", FRIDAY, at=AT)
        assert manager.get_all_symbols() == ["SBIN", "TCS"]
        (aside,) = tmp_path.glob("damaged.json.*.broken")
        assert aside.read_bytes() == b"{" + damage


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"symbols": ', "\x00"])
def test_without_a_backup_a_damaged_file_is_an_empty_state(manager, text):
    manager.path.parent.mkdir(parents=True)
    manager.path.write_text(text)
    assert manager.get_all_symbols() == []
    manager.set_last_fetch_date("TCS", FRIDAY, at=AT)
    assert manager.get_last_fetch_date("TCS") == FRIDAY


def test_records_that_lack_something_keep_what_they_have(manager):
    manager.path.parent.mkdir(parents=True)
    manager.path.write_text(json.dumps({"symbols": {"TCS": {}, "INFY": 7, "SBIN": {"last_fetch_date": "soon"}}}))
    assert [manager.get_last_fetch_date(symbol) for symbol in ("TCS", "INFY", "SBIN")] == [None, None, None]
    manager.path.write_text(json.dumps({"symbols": [], "last_run": {"success": True}}))
    assert manager.get_all_symbols() == []
    assert manager.get_last_run_info() == {"success": True}
