"""Files are judged, what was found is remembered once, and the command says it in JSON, in words and by exit code."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError

from sensequant.lib.errors import BadInput, Unavailable
from tests.trading.bar_files import csv_text, days, minutes, write
from trading.core.calendar import IST
from trading.models import BarReport, BarSeries, QuarantinedRow
from trading.services import bars

MONDAY, FRIDAY = dt.date(2024, 1, 8), dt.date(2024, 1, 12)
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=IST)

pytestmark = pytest.mark.django_db


def run(*words: object) -> tuple[int, str, str]:
    out, err, code = StringIO(), StringIO(), 0
    try:
        call_command("validate_bars", *map(str, words), stdout=out, stderr=err)
    except SystemExit as stopped:
        code = int(str(stopped.code))
    return code, out.getvalue(), err.getvalue()


def verdicts(*words: object) -> tuple[int, dict[str, list[str]]]:
    code, out, _ = run(*words, "--json")
    files = json.loads(out)["files"]
    return code, {
        Path(file["file"]).name: [file["verdict"], *(found["rule"] for found in file["findings"])] for file in files
    }


@pytest.fixture
def spoiled(tmp_path) -> Path:
    """A file with a row whose high is below its low, on line 12."""
    rows = minutes(MONDAY, FRIDAY, 5)
    rows[10] = type(rows[10])(rows[10].time, 500, 490, 495, 500)
    return write(tmp_path / "SPOILED_5m.csv", rows)


def load(folder: Path, symbol: str, interval: str = "5minute", **options) -> bars.Loaded:
    return bars.load(folder, symbol, interval, None, None, at=NOW, naive_timezone="Asia/Kolkata", **options)


# the command


def test_a_sound_file_exits_with_nought(tmp_path):
    write(tmp_path / "X_5m.csv.gz", minutes(MONDAY, FRIDAY, 5))
    assert verdicts(tmp_path) == (0, {"X_5m.csv.gz": ["ok"]})


def test_the_json_has_the_promised_shape(spoiled):
    code, out, _ = run(spoiled, "--json")
    answer = json.loads(out)
    (file,) = answer["files"]
    expected = {"file": str(spoiled), "symbol": "SPOILED", "interval": "5minute", "rows": 375, "accepted": 374}
    assert expected.items() <= file.items()
    assert (code, file["quarantined"], file["verdict"]) == (2, 1, "errors")
    found = file["findings"][0]
    assert {"rule", "severity", "count", "message", "fix", "examples"} <= set(found)
    assert (found["rule"], found["severity"], found["count"]) == ("ohlc", "quarantine", 1)
    assert (found["examples"][0]["line"], found["examples"][0]["raw"][:19]) == (12, "2024-01-08 10:05:00")
    assert answer["summary"]["errors"] == 1


def test_the_words_name_the_file_the_rule_the_line_and_the_fix(spoiled):
    code, out, _ = run(spoiled)
    assert code == 2
    for word in ("SPOILED_5m.csv", "quarantine ohlc: 1 row with a high", "fix: mend or delete these rows", "line 12 "):
        assert word in out
    assert "1 file: 0 ok, 0 with warnings, 1 with errors" in out


def test_the_three_ways_a_downloaded_history_goes_wrong_are_told_apart(tmp_path):
    mixed = minutes(MONDAY, MONDAY, level=18_000)
    bonus = minutes(MONDAY, FRIDAY)
    daily = [
        row
        for row in days(dt.date(2020, 1, 1), dt.date(2021, 6, 2))
        if row.time.date() < dt.date(2020, 1, 18) or row.time.date() > dt.date(2020, 11, 26)
    ]
    write(tmp_path / "BANKX_1m_mixed.csv.gz", [row.scaled(0.08) if at > 2 else row for at, row in enumerate(mixed)])
    write(tmp_path / "FEDX_1m_bonus.csv.gz", [row.scaled(2) if row.time.day < 10 else row for row in bonus])
    write(tmp_path / "UPX_daily_minutes.csv.gz", [*daily, *minutes(dt.date(2021, 3, 5), dt.date(2021, 3, 5))])
    assert verdicts(tmp_path) == (
        2,
        {
            "BANKX_1m_mixed.csv.gz": ["errors", "mixed_instrument"],
            "FEDX_1m_bonus.csv.gz": ["errors", "unadjusted_action"],
            "UPX_daily_minutes.csv.gz": ["errors", "mixed_resolution", "missing_sessions"],
        },
    )


def test_every_broken_file_is_reported_and_none_stops_the_others(tmp_path):
    (tmp_path / "CUT_1m.csv.gz").write_bytes(gzip.compress(csv_text(minutes(MONDAY, FRIDAY)).encode())[:900])
    (tmp_path / "GARBAGE_1m.csv").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "EMPTY_1m.csv").write_bytes(b"")
    write(tmp_path / "HEADER_1m.csv", "timestamp,open,high,low,close,volume\n")
    write(tmp_path / "COLUMN_1m.csv", "timestamp,open,high,low,volume\n2024-01-08 09:15:00,1,2,0.5,10\n")
    write(tmp_path / "GOOD_1m.csv", minutes(MONDAY, FRIDAY))
    write(tmp_path / "quality.csv", "file,rows,sorted\nX,1,True\n")
    assert verdicts(tmp_path) == (
        2,
        {
            "COLUMN_1m.csv": ["errors", "missing_column"],
            "CUT_1m.csv.gz": ["errors", "unreadable_file"],
            "EMPTY_1m.csv": ["errors", "unreadable_file"],
            "GARBAGE_1m.csv": ["errors", "unreadable_file"],
            "GOOD_1m.csv": ["ok"],
            "HEADER_1m.csv": ["errors", "no_rows"],
            "quality.csv": ["warnings", "not_bars"],
        },
    )


def test_a_file_of_something_else_is_an_error_when_named_itself(tmp_path):
    path = write(tmp_path / "quality.csv", "file,rows,sorted\nX,1,True\n")
    assert verdicts(path) == (2, {"quality.csv": ["errors", "missing_column"]})


@pytest.mark.parametrize(("name", "step", "interval"), [("export.csv", 15, "15minute"), ("export.csv", 5, "5minute")])
def test_an_interval_no_name_tells_is_told_by_the_bars(tmp_path, name, step, interval):
    path = write(tmp_path / name, minutes(MONDAY, FRIDAY, step))
    assert json.loads(run(path, "--json")[1])["files"][0]["interval"] == interval


def test_bars_of_three_minutes_are_not_ours(tmp_path):
    path = write(tmp_path / "export.csv", minutes(MONDAY, FRIDAY, 3))
    assert verdicts(path) == (2, {"export.csv": ["errors", "wrong_interval"]})


def test_an_interval_may_be_given(tmp_path):
    path = write(tmp_path / "export.csv", minutes(MONDAY, FRIDAY, 5))
    assert verdicts(path, "--interval", "1m")[1] == {"export.csv": ["errors", "wrong_interval"]}


def test_the_zone_may_be_given_and_a_wrong_one_names_the_setting(tmp_path):
    path = write(tmp_path / "X_5m.csv", minutes(MONDAY, FRIDAY, 5))
    code, out, _ = run(path, "--naive-timezone", "UTC")
    assert code == 2
    assert "set DATA_FEED_NAIVE_TIMEZONE=Asia/Kolkata" in out


def test_the_segment_may_be_given(tmp_path):
    path = write(tmp_path / "X_5m.csv", minutes(dt.date(2026, 11, 16), dt.date(2026, 11, 16), 5))
    assert verdicts(path, "--segment", "equity_fno")[1] == {"X_5m.csv": ["warnings", "outside_hours"]}


def test_strictness_makes_warnings_fail(tmp_path):
    path = write(tmp_path / "X_5m.csv", minutes(MONDAY, FRIDAY, 5)[:-3])
    assert (run(path)[0], run(path, "--strict")[0]) == (0, 2)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("nowhere",), "nowhere does not exist (check the path)"),
        ((".", "--interval", "2m"), "interval '2m' is not known"),
        ((".", "--naive-timezone", "Mars/Base"), "time zone 'Mars/Base' is not known"),
    ],
)
def test_a_wrong_word_is_one_line_and_exit_two(words, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "X_5m.csv", minutes(MONDAY, FRIDAY, 5))
    code, out, err = run(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert complaint in err


def test_a_folder_without_files_is_bad_input(tmp_path):
    assert run(tmp_path)[0] == 2


def test_without_a_database_the_answer_is_the_same(spoiled, monkeypatch):
    def no_table(*_: object, **__: object) -> None:
        raise DatabaseError("no such table")

    monkeypatch.setattr(bars, "record_all", no_table)
    code, out, err = run(spoiled, "--json")
    assert (code, json.loads(out)["summary"]["quarantined"]) == (2, 1)
    assert "run manage.py migrate" in err


# what is remembered


def test_what_was_found_is_kept_once_with_every_row(spoiled):
    for _ in range(2):
        run(spoiled)
    assert BarReport.objects.filter(rule="ohlc").count() == 1
    row = QuarantinedRow.objects.get()
    assert (row.line, row.raw[:19], row.report.rule) == (12, "2024-01-08 10:05:00", "ohlc")


def test_nothing_is_kept_when_not_wanted(spoiled):
    run(spoiled, "--no-record")
    assert not BarReport.objects.exists()


def test_loading_remembers_the_series_and_its_report_once(spoiled):
    first = load(spoiled.parent, "SPOILED")
    again = load(spoiled.parent, "SPOILED")
    series = BarSeries.objects.get()
    assert (series.symbol, series.interval, series.rows, series.verdict) == ("SPOILED", "5minute", 374, "errors")
    assert series.first == dt.datetime(2024, 1, 8, 9, 15, tzinfo=IST)
    assert len(first.bars) == len(again.bars) == 374
    assert first.report.as_dict() == again.report.as_dict()
    assert QuarantinedRow.objects.count() == 1


def test_a_lost_database_learns_again_from_the_store(spoiled):
    load(spoiled.parent, "SPOILED")
    BarSeries.objects.all().delete()
    BarReport.objects.all().delete()
    load(spoiled.parent, "SPOILED")
    assert BarSeries.objects.count() == QuarantinedRow.objects.count() == 1


def test_a_mended_file_is_read_anew_and_the_old_report_stays(spoiled):
    load(spoiled.parent, "SPOILED")
    write(spoiled, minutes(MONDAY, FRIDAY, 5))
    assert len(load(spoiled.parent, "SPOILED").bars) == 375
    assert BarSeries.objects.get().verdict == "ok"
    assert BarReport.objects.filter(rule="ohlc").exists()


def test_the_rows_behind_a_made_interval_are_remembered(spoiled):
    loaded = load(spoiled.parent, "SPOILED", "15minute")
    assert loaded.report.derived == "5minute"
    assert (BarSeries.objects.get().interval, QuarantinedRow.objects.count()) == ("5minute", 1)


def test_what_cannot_be_used_is_remembered_before_it_is_refused(tmp_path):
    rows = [row.scaled(2) if row.time.day < 10 else row for row in minutes(MONDAY, FRIDAY, 5)]
    write(tmp_path / "X_5m.csv", rows)
    with pytest.raises(BadInput, match="1:1 bonus"):
        load(tmp_path, "X")
    assert BarReport.objects.get().severity == "reject-file"


def test_a_service_reports_on_a_folder(spoiled):
    (report,) = bars.validate(spoiled.parent, at=NOW, naive_timezone="Asia/Kolkata")
    assert report.verdict == "errors"


def test_records_speak_for_themselves(spoiled):
    load(spoiled.parent, "SPOILED")
    assert str(BarSeries.objects.get()) == "SPOILED 5minute (374 bars)"
    assert "1 row with a high below" in str(BarReport.objects.get(rule="ohlc"))
    assert str(QuarantinedRow.objects.get()).endswith("SPOILED_5m.csv:12")


def test_without_a_readable_calendar_the_shipped_one_judges(spoiled, monkeypatch):
    def no_table() -> None:
        raise Unavailable("no such table")

    monkeypatch.setattr(bars.calendars, "current", no_table)
    assert verdicts(spoiled)[1]["SPOILED_5m.csv"][:2] == ["errors", "ohlc"]


def test_a_single_date_alone_is_a_daily_bar(tmp_path):
    path = write(tmp_path / "export.csv", days(MONDAY, MONDAY))
    assert json.loads(run(path, "--json")[1])["files"][0]["interval"] == "1day"
