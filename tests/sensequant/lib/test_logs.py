"""Logs: their shape, a new file each Indian day, and that they never get in the way."""

import datetime as dt
import gzip
import json
import logging
import os
import sys
import threading

import pytest

from sensequant.lib import logs, redact
from sensequant.lib.clock import IST


@pytest.fixture
def written(tmp_path):
    """A handler on a fresh file, and a way to write one line at a chosen instant."""
    handler = logs.FileHandler(tmp_path / "logs" / "app.log")

    def write(message, at, level=logging.INFO, **context):
        record = logging.LogRecord("Engine", level, __file__, 1, message, None, None)
        record.created, record.context = at.timestamp(), context
        handler.emit(record)

    write.path = tmp_path / "logs" / "app.log"
    write.handler = handler
    yield write
    handler.close()


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def settle():
    for thread in threading.enumerate():
        if thread.name == "log tidying":
            thread.join()


def test_a_line_has_the_five_fields_of_the_document(written):
    at = dt.datetime(2026, 11, 23, 5, 2, 15, 123_000, tzinfo=dt.UTC)
    written("Generated BUY signal", at, symbol="RELIANCE", price=2456.75)
    assert lines(written.path) == [
        {
            "timestamp": "2026-11-23T10:32:15.123+05:30",
            "level": "INFO",
            "component": "Engine",
            "message": "Generated BUY signal",
            "context": {"symbol": "RELIANCE", "price": 2456.75},
        }
    ]


def test_the_file_changes_at_midnight_in_india_not_in_london(written):
    written("before", dt.datetime(2026, 11, 23, 23, 59, 59, tzinfo=IST))
    written("after", dt.datetime(2026, 11, 24, 0, 0, 1, tzinfo=IST))
    written("still the same London day", dt.datetime(2026, 11, 24, 5, 0, tzinfo=IST))
    settle()
    assert [line["message"] for line in lines(written.path)] == ["after", "still the same London day"]
    assert [line["message"] for line in lines(written.path.with_name("app.log.2026-11-23"))] == ["before"]


def test_a_file_left_by_yesterday_is_set_aside_by_the_next_process(written, tmp_path):
    written("old", dt.datetime(2026, 11, 23, 9, 0, tzinfo=IST))
    written.handler.close()
    yesterday = dt.datetime(2026, 11, 23, 9, 0, tzinfo=IST).timestamp()
    os.utime(written.path, (yesterday, yesterday))
    fresh = logs.FileHandler(written.path)
    record = logging.LogRecord("Engine", logging.INFO, __file__, 1, "new", None, None)
    record.created = dt.datetime(2026, 11, 24, 9, 0, tzinfo=IST).timestamp()
    fresh.emit(record)
    fresh.close()
    settle()
    assert [line["message"] for line in lines(written.path)] == ["new"]
    assert written.path.with_name("app.log.2026-11-23").exists()


def test_two_writers_share_one_rotation(written):
    other = logs.FileHandler(written.path)
    first, second = dt.datetime(2026, 11, 23, 12, tzinfo=IST), dt.datetime(2026, 11, 24, 12, tzinfo=IST)
    for handler in (written.handler, other):
        for at in (first, second):
            record = logging.LogRecord("x", logging.INFO, __file__, 1, "line", None, None)
            record.created = at.timestamp()
            handler.emit(record)
    other.close()
    settle()
    everything = [line for file in written.path.parent.glob("app.log*") for line in lines(file)]
    assert len(everything) == 4


def test_old_days_are_compressed_after_a_week_and_deleted_after_thirty_days(tmp_path):
    path, today = tmp_path / "app.log", dt.date(2026, 11, 30)
    for age in (1, 7, 8, 30, 31):
        (tmp_path / f"app.log.{today - dt.timedelta(days=age)}").write_text(f"{age}\n")
    (tmp_path / "app.log.of-somebody").write_text("kept")
    logs.tidy(path, today)
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == [
        "app.log.2026-10-31.gz",
        "app.log.2026-11-22.gz",
        "app.log.2026-11-23",
        "app.log.2026-11-29",
        "app.log.of-somebody",
    ]
    assert gzip.decompress((tmp_path / "app.log.2026-11-22.gz").read_bytes()) == b"8\n"


def test_a_full_disk_is_said_once_and_never_reaches_the_caller(noon, capsys):
    handler = logs.FileHandler("/dev/full")
    for _ in range(3):
        record = logging.LogRecord("Engine", logging.INFO, __file__, 1, "lost", None, None)
        record.created = noon.timestamp()
        handler.emit(record)
    handler.close()
    assert capsys.readouterr().err == "log lines are being lost: OSError: [Errno 28] No space left on device\n"


def test_a_folder_that_vanished_is_made_again(written, noon):
    written("one", noon)
    written.path.unlink()
    written("two", noon)
    assert [line["message"] for line in lines(written.path)] == ["two"]


class Odd:
    def __str__(self):
        raise RuntimeError("no words")


def test_a_value_that_cannot_be_written_costs_its_line_only(written, noon, capsys):
    written("odd", noon, value=Odd())
    written("next", noon)
    assert [line["message"] for line in lines(written.path)] == ["next"]
    assert "RuntimeError" in capsys.readouterr().err


def test_the_traceback_of_an_exception_is_in_the_context(written, noon):
    try:
        raise ValueError("password=hunter22 was wrong")
    except ValueError:
        record = logging.LogRecord("Engine", logging.ERROR, __file__, 1, "failed", None, sys.exc_info())
    record.created = noon.timestamp()
    written.handler.emit(record)
    [line] = lines(written.path)
    assert "ValueError" in line["context"]["exception"]
    assert "hunter22" not in written.path.read_text()


def test_a_named_logger_carries_its_context(caplog):
    log = logs.get_logger("IntradayStrategy")
    with caplog.at_level(logging.DEBUG):
        log.debug("a", n=1)
        log.warning("100% sure", level="high", message="a context may use any name")
    assert [record.getMessage() for record in caplog.records] == ["a", "100% sure"]
    assert caplog.records[1].context == {"level": "high", "message": "a context may use any name"}


def test_a_person_reads_one_short_line(capsys, noon):
    record = logging.LogRecord("Engine", logging.WARNING, __file__, 1, "Feed is late", None, None)
    record.created, record.context = noon.timestamp(), {"seconds": 7, "api_key": "k-123456"}
    logs.HumanHandler().emit(record)
    assert capsys.readouterr().err == "12:00:00 WARNING Engine: Feed is late seconds=7 api_key=[hidden]\n"


def test_a_registered_secret_never_reaches_the_file(written, noon):
    redact.register(["very-private-value"])
    written(
        "sent very-private-value to the broker",
        noon,
        url="https://x/?k=very-private-value",
        deep=[{"a": "very-private-value"}],
    )
    assert "very-private-value" not in written.path.read_text()
