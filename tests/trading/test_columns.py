"""The columnar store keeps what was read, notices when it is stale or damaged, and never gives half of a series."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from sensequant.lib.errors import Unavailable
from tests.trading.bar_files import minutes, write
from trading.adapters.columns import MANIFEST, ColumnStore, Source
from trading.adapters.csvfeed import CsvFeed
from trading.core.bars import Bars, empty
from trading.core.calendar import IST, NSE, Override

MONDAY, FRIDAY = dt.date(2024, 1, 8), dt.date(2024, 1, 12)
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=IST)


def series(count: int, level: float = 1.0) -> Bars:
    column = np.full(count, level)
    return Bars(np.arange(count, dtype=np.int64), column, column, column, column, column)


@pytest.fixture
def store(tmp_path) -> ColumnStore:
    return ColumnStore(tmp_path / "columns")


@pytest.fixture
def source(tmp_path) -> Source:
    return Source.of(write(tmp_path / "X_5m.csv", minutes(MONDAY, FRIDAY, 5)), hashed=True)


@pytest.fixture
def feed(tmp_path, store, source) -> CsvFeed:
    return CsvFeed(tmp_path, NOW, store=store)


def generations(store: ColumnStore, key: str) -> list[Path]:
    return [path for path in (store.root / key).iterdir() if path.is_dir()]


def test_what_is_kept_comes_back_bit_for_bit(store, source):
    bars = series(100, 0.1 + 0.2)
    bars.volume[3] = np.nan
    store.save("x", bars, [source], {"note": 1}, [])
    entry = store.load("x", [source])
    assert entry
    for column, kept in zip(bars.columns(), entry.bars.columns(), strict=True):
        np.testing.assert_array_equal(column, kept)
        assert column.dtype == kept.dtype
    assert (entry.notes, entry.sources) == ({"note": 1}, (source,))


def test_a_reader_may_write_to_its_copy_without_touching_the_store(store, source):
    store.save("x", series(10), [source], {}, [])
    entry = store.load("x", [source])
    entry.bars.close[0] = 99.0
    assert store.load("x", [source]).bars.close[0] == 1.0


def test_no_bars_are_kept_too(store, source):
    store.save("x", empty(), [source], {}, [])
    assert len(store.load("x", [source]).bars) == 0


def test_what_was_never_kept_is_not_there(store, source):
    assert store.load("x", [source]) is None
    assert store.removed("x") == []


@pytest.mark.parametrize("change", [{"size": 1}, {"mtime_ns": 1}, {"path": "elsewhere"}])
def test_a_changed_source_makes_it_stale(store, source, change):
    store.save("x", series(10), [source], {}, [])
    now = {"path": source.path, "size": source.size, "mtime_ns": source.mtime_ns, **change}
    assert store.load("x", [Source(**now)]) is None
    assert store.load("x", [source, source]) is None


@pytest.mark.parametrize("harm", ["flip", "cut", "remove", "empty"])
def test_a_damaged_column_is_noticed(store, source, harm):
    store.save("x", series(1000), [source], {}, [])
    path = generations(store, "x")[0] / "close.npy"
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    if harm == "remove":
        path.unlink()
    else:
        path.write_bytes({"flip": bytes(data), "cut": bytes(data[:-80]), "empty": b""}[harm])
    assert store.load("x", [source]) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"schema": 1}', '{"schema": 1, "sources": 3}', '{"schema": 99}']
)
def test_a_damaged_manifest_is_noticed_and_replaced(store, source, text):
    store.save("x", series(10), [source], {}, [])
    (store.root / "x" / MANIFEST).write_text(text)
    assert store.load("x", [source]) is None
    store.save("x", series(20), [source], {}, [])
    assert len(store.load("x", [source]).bars) == 20


def test_a_new_generation_takes_the_place_of_the_old_one(store, source):
    store.save("x", series(10), [source], {}, [])
    old = store.load("x", [source])
    store.save("x", series(20, 2.0), [source], {}, [])
    assert len(generations(store, "x")) == 1
    assert old.bars.close.sum() == 10.0  # still mapped by whoever had it
    assert len(store.load("x", [source]).bars) == 20


def test_what_a_crash_left_behind_is_cleared_up_after_an_hour(store, source):
    left, young = store.root / "x" / "generation-left", store.root / "x" / "generation-young"
    left.mkdir(parents=True)
    young.mkdir()
    os.utime(left, (0, 0))
    store.save("x", series(10), [source], {}, [])
    assert not left.exists()
    assert young.exists()


def test_readers_and_writers_meet_without_a_torn_series(store, source):
    store.save("x", series(50), [source], {}, [])
    wrong: list[object] = []

    def write_some(level: float) -> None:
        for _ in range(5):
            store.save("x", series(int(50 * level), level), [source], {"level": level}, [])

    def read_some() -> None:
        for _ in range(60):
            entry = store.load("x", [source])
            if entry and (entry.bars.close != entry.notes.get("level", 1.0)).any():
                wrong.append(entry)

    threads = [threading.Thread(target=write_some, args=(level,)) for level in (2.0, 3.0)]
    threads += [threading.Thread(target=read_some) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert store.load("x", [source])


def test_a_folder_that_cannot_be_written_is_named_with_a_way_out(tmp_path, source):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable, match=r"cannot be kept in .*file/columns/x.*SENSEQUANT_HOME"):
        ColumnStore(tmp_path / "file" / "columns").save("x", series(3), [source], {}, [])


def test_the_feed_parses_once_and_then_maps(feed):
    first, second = feed.series("X", "5m"), feed.series("X", "5m")
    assert (first.parsed, second.parsed) == (True, False)
    for column, kept in zip(first.bars.columns(), second.bars.columns(), strict=True):
        np.testing.assert_array_equal(column, kept)
    assert first.report.as_dict() == second.report.as_dict()
    assert first.sources == second.sources


def test_a_changed_file_is_parsed_again(feed, tmp_path):
    feed.series("X", "5m")
    write(tmp_path / "X_5m.csv", minutes(MONDAY, dt.date(2024, 1, 15), 5))
    again = feed.series("X", "5m")
    assert (again.parsed, len(again.bars)) == (True, 6 * 75)


def test_a_damaged_store_is_rebuilt(feed, store):
    key = feed.series("X", "5m").key
    (generations(store, key)[0] / "ts.npy").write_bytes(b"")
    assert feed.series("X", "5m").parsed
    assert not feed.series("X", "5m").parsed


def test_without_a_writable_store_the_bars_come_all_the_same(tmp_path, source):
    (tmp_path / "file").write_text("in the way")
    feed = CsvFeed(tmp_path, NOW, store=ColumnStore(tmp_path / "file" / "columns"))
    series = feed.series("X", "5m")
    assert len(series.bars) == 375
    assert [found.rule for found in series.report.findings] == ["not_cached"]


def test_another_zone_is_another_series(feed, tmp_path, store):
    feed.series("X", "5m")
    other = CsvFeed(tmp_path, NOW, naive_timezone="UTC", store=store).series("X", "5m")
    assert (other.parsed, other.report.verdict) == (True, "errors")


def test_a_changed_calendar_is_judged_anew(feed, tmp_path, store):
    feed.series("X", "5m")
    closed = NSE.with_overrides([Override(dt.date(2024, 1, 9), closed=True)])
    again = CsvFeed(tmp_path, NOW, calendar=closed, store=store).series("X", "5m")
    assert (again.parsed, again.report.accepted) == (True, 300)


def test_bars_of_tomorrow_become_bars_of_yesterday(tmp_path, store):
    write(tmp_path / "Y_5m.csv", minutes(MONDAY, FRIDAY, 5))
    early = dt.datetime(2024, 1, 10, 12, tzinfo=IST)
    before = CsvFeed(tmp_path, early, store=store).series("Y", "5m")
    after = CsvFeed(tmp_path, NOW, store=store).series("Y", "5m")
    assert (len(before.bars), len(after.bars)) == (2 * 75 + 34, 375)


def test_the_rows_set_aside_are_kept_with_the_series(tmp_path, store):
    rows = minutes(MONDAY, FRIDAY, 5)
    write(tmp_path / "Y_5m.csv", [*rows[:5], rows[5].scaled(-1), *rows[6:]])
    series = CsvFeed(tmp_path, NOW, store=store).series("Y", "5m")
    kept = store.removed(series.key)
    assert [(row["rule"], row["line"]) for row in kept] == [("ohlc", 7)]
    assert kept[0]["raw"].startswith("2024-01-08 09:40:00,-")
    shutil.rmtree(store.root)
    assert store.removed(series.key) == []


def test_the_manifest_says_what_is_kept_and_from_where(feed, store):
    key = feed.series("X", "5m").key
    manifest = json.loads((store.root / key / MANIFEST).read_text())
    assert key.startswith("X_5minute-")
    assert (manifest["rows"], manifest["schema"]) == (375, 1)
    assert set(manifest["sources"][0]) == {"path", "size", "mtime_ns", "sha256"}
    assert manifest["first"] == int(dt.datetime(2024, 1, 8, 9, 15, tzinfo=IST).timestamp())


def test_a_manifest_that_promises_more_rows_than_there_are_is_noticed(store, source):
    store.save("x", series(10), [source], {}, [])
    path = store.root / "x" / MANIFEST
    path.write_text(path.read_text().replace('"rows": 10', '"rows": 11'))
    assert store.load("x", [source]) is None


def test_rows_set_aside_that_cannot_be_read_back_are_none(store, source):
    store.save("x", series(10), [source], {}, [{"rule": "ohlc"}])
    (generations(store, "x")[0] / "removed.json").write_text("{")
    assert store.removed("x") == []


def test_a_file_without_a_sound_bar_is_kept_as_such(tmp_path, store):
    rows = [row.scaled(-1) for row in minutes(MONDAY, MONDAY, 5)]
    write(tmp_path / "Y_5m.csv", rows)
    feed = CsvFeed(tmp_path, NOW, store=store)
    assert [feed.series("Y", "5m").parsed, feed.series("Y", "5m").parsed] == [True, False]
