"""The cache of fetched bars: the document's names and metadata, merged without loss, whole after every accident."""

import datetime as dt
import gzip
import itertools
import json
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensequant.config import ROOT
from sensequant.lib.errors import BadInput
from tests.trading.bar_files import days, minutes, write
from trading.adapters import cachefiles
from trading.adapters.barcache import BarCache, Entry, file_name, merge, told_days
from trading.adapters.columns import ColumnStore
from trading.adapters.csvfeed import CsvFeed
from trading.core.bars import INTERVALS, Bars, empty
from trading.core.calendar import IST, NSE
from trading.core.chunks import day_of, expected

MONDAY, FRIDAY = dt.date(2024, 1, 8), dt.date(2024, 1, 12)
NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=IST)


def bars(first=MONDAY, last=FRIDAY, interval="5minute", level=500.0, seed=1) -> Bars:
    """Every bar of the sessions, at prices no text rounds well."""
    ts = expected(NSE.sessions(first, last), INTERVALS[interval])
    rng = np.random.default_rng(seed)
    close = level * np.exp(np.cumsum(rng.normal(0, 0.0005, ts.size)))
    opens = np.append(level, close)[: ts.size]
    high, low = np.maximum(opens, close) * 1.0003, np.minimum(opens, close) * 0.9997
    return Bars(ts, opens, high, low, close, rng.integers(1, 10**6, ts.size).astype(float))


def same(one: Bars, other: Bars) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one.columns(), other.columns(), strict=True))


def cache(root, interval="5minute", **told) -> BarCache:
    return BarCache(root, "RELIANCE", interval, **told)


def csv_names(one: BarCache) -> list[str]:
    return cachefiles.names(one.folder)


def metadata(one: BarCache) -> dict:
    return json.loads((one.folder / "metadata.json").read_text())


def feed(root) -> CsvFeed:
    return CsvFeed(root, NOON)


# names and metadata


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("2024-01-15", "2024-01-15", "2024-01-15"),
        ("2024-01-01", "2024-01-31", "2024-01-01_to_2024-01-31"),
        ("2024-01-01", "2024-03-31", "2024-01_to_2024-03"),
        ("2023-12-29", "2024-01-02", "2023-12_to_2024-01"),
    ],
)
def test_files_are_named_as_the_document_names_them(first, last, name):
    assert file_name(dt.date.fromisoformat(first), dt.date.fromisoformat(last)) == name


def test_a_name_tells_its_days_unless_it_tells_months():
    assert told_days("2024-01-15.csv.gz") == (dt.date(2024, 1, 15), dt.date(2024, 1, 15))
    assert told_days("2024-01-01_to_2024-01-31.csv") == (dt.date(2024, 1, 1), dt.date(2024, 1, 31))
    assert told_days("2024-01_to_2024-03.csv") is None
    assert told_days("export.csv") is None


def test_the_metadata_is_the_document_s(tmp_path):
    daily = cache(tmp_path, "1day")
    first, last = dt.date(2024, 1, 1), dt.date(2024, 1, 31)
    written = daily.write(bars(first, last, "1day"), first, last, at=dt.datetime(2024, 2, 1, 10, 30, tzinfo=IST))
    assert written.path == tmp_path / "RELIANCE" / "1day" / "2024-01-01_to_2024-01-31.csv"
    assert metadata(daily) == {
        "symbol": "RELIANCE",
        "interval": "1day",
        "files": {
            "2024-01-01_to_2024-01-31.csv": {
                "date_range": "2024-01-01 to 2024-01-31",
                "rows": 22,
                "start": "2024-01-01T00:00:00+05:30",
                "end": "2024-01-31T00:00:00+05:30",
                "fetched_at": "2024-02-01T10:30:00",
                "source": "breeze_api",
            }
        },
    }


def test_a_file_reads_as_the_document_s_example(tmp_path):
    one = cache(tmp_path)
    written = one.write(bars(MONDAY, MONDAY), MONDAY, MONDAY, at=NOON)
    lines = written.path.read_text().splitlines()
    assert lines[0] == "timestamp,open,high,low,close,volume"
    assert lines[1].startswith("2024-01-08 09:15:00+05:30,500.0,")
    assert lines[1].rsplit(",", 1)[1].isdecimal()


# reading back


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("interval", ["1minute", "5minute", "1day"])
def test_what_was_kept_reads_back_to_the_last_bit_also_through_the_csv_feed(tmp_path, interval, compress):
    one, kept = cache(tmp_path, interval, compress=compress), bars(interval=interval)
    kept.volume[3] = np.nan
    written = one.write(kept, MONDAY, FRIDAY, at=NOON)
    assert written.path.name.endswith(".csv.gz") == compress
    assert same(one.read(), kept)
    series = feed(tmp_path).series("RELIANCE", interval)
    assert same(series.bars, kept)
    assert {found.rule for found in series.report.findings} <= {"unknown_volume"}


def test_compressed_files_are_gzip(tmp_path):
    written = cache(tmp_path, compress=True).write(bars(), MONDAY, FRIDAY, at=NOON)
    assert gzip.decompress(written.path.read_bytes()).startswith(b"timestamp,")


def test_a_cache_without_files_is_empty(tmp_path):
    assert len(cache(tmp_path).read()) == 0
    assert cache(tmp_path).claims() == []
    cache(tmp_path).tidy()
    assert not (tmp_path / "RELIANCE").exists()


def test_only_the_files_of_the_days_asked_for_are_read(tmp_path):
    one = cache(tmp_path)
    one.write(bars(MONDAY, MONDAY), MONDAY, MONDAY, at=NOON)
    one.write(bars(FRIDAY, FRIDAY), FRIDAY, FRIDAY, at=NOON)
    assert len(one.read()) == 150
    assert {day_of(int(ts)) for ts in one.read((MONDAY, MONDAY)).ts} == {MONDAY}


# merging


def test_neighbouring_stretches_keep_files_of_their_own(tmp_path):
    one = cache(tmp_path)
    one.write(bars(MONDAY, MONDAY), MONDAY, MONDAY, at=NOON)
    one.write(bars(MONDAY + dt.timedelta(1), FRIDAY), MONDAY + dt.timedelta(1), FRIDAY, at=NOON)
    assert csv_names(one) == ["2024-01-08.csv", "2024-01-09_to_2024-01-12.csv"]
    assert one.claims() == [(MONDAY, MONDAY), (MONDAY + dt.timedelta(1), FRIDAY)]


def test_overlapping_stretches_become_one_file_in_which_the_newest_fetch_wins(tmp_path):
    one = cache(tmp_path)
    wednesday = MONDAY + dt.timedelta(2)
    older, newer = bars(MONDAY, wednesday), bars(wednesday, FRIDAY, level=520.0, seed=2)
    one.write(older, MONDAY, wednesday, at=NOON)
    written = one.write(newer, wednesday, FRIDAY, at=NOON + dt.timedelta(hours=1))
    assert written.merged == ("2024-01-08_to_2024-01-10.csv",)
    assert csv_names(one) == ["2024-01-08_to_2024-01-12.csv"]
    read = one.read()
    cut = int(newer.ts[0])
    assert same(read.between(cut, 1 << 40), newer)
    assert same(read.between(0, cut), older.between(0, cut))
    assert metadata(one)["files"]["2024-01-08_to_2024-01-12.csv"]["fetched_at"] == "2026-11-23T13:00:00"
    assert feed(tmp_path).series("RELIANCE", "5minute").report.verdict == "ok"


def test_a_later_answer_with_a_hole_takes_no_known_bar_away(tmp_path):
    one, whole = cache(tmp_path), bars()
    one.write(whole, MONDAY, FRIDAY, at=NOON)
    one.write(whole.between(int(whole.ts[10]), 1 << 40), MONDAY, FRIDAY, at=NOON)
    assert same(one.read(), whole)


def test_an_answer_without_bars_is_remembered_as_asked(tmp_path):
    one = cache(tmp_path)
    one.write(bars(FRIDAY, FRIDAY), MONDAY, FRIDAY, at=NOON)
    assert one.claims() == [(MONDAY, FRIDAY)]
    assert metadata(one)["files"]["2024-01-08_to_2024-01-12.csv"]["rows"] == 75


@settings(max_examples=25, deadline=None)
@given(stretches=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12), st.booleans()), min_size=1, max_size=7))
def test_however_stretches_arrive_files_never_overlap_and_the_last_word_counts(tmp_path_factory, stretches):
    root = tmp_path_factory.mktemp("cache")
    known: dict[int, float] = {}
    for number, (begin, length, compress) in enumerate(stretches):
        first = MONDAY + dt.timedelta(begin)
        last = first + dt.timedelta(length)
        fresh = bars(first, last, "1day", level=100.0 + number)
        cache(root, "1day", compress=compress).write(fresh, first, last, at=NOON + dt.timedelta(minutes=number))
        known.update(zip(fresh.ts.tolist(), fresh.close.tolist(), strict=True))
    one = cache(root, "1day")
    read = one.read()
    assert dict(zip(read.ts.tolist(), read.close.tolist(), strict=True)) == known
    claims = one.claims()
    assert all(before[1] < after[0] for before, after in itertools.pairwise(claims))
    assert list(metadata(one)["files"]) == csv_names(one)


def test_of_bars_that_start_together_the_last_stays():
    one, other = bars(), bars(level=900.0)
    assert same(merge([one, other]), other)
    assert same(merge([empty(), one]), one)
    assert len(merge([])) == 0


# accidents


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"symbol": "TCS", "interval": "5minute", "files": {}}', '{"files": null}', "\x00\xff",
     '{"symbol": "RELIANCE", "interval": "5minute", "files": {"2024-01-08_to_2024-01-12.csv": {"rows": 3}}}',
     '{"symbol": "RELIANCE", "interval": "5minute", "files": {"2024-01-08_to_2024-01-12.csv": {"date_range": "x to y",'
     '"rows": 1, "start": "", "end": "", "fetched_at": "2024-01-01T00:00:00", "source": "s"}}}'],
)  # fmt: skip
def test_broken_metadata_is_made_anew_from_the_files_with_a_warning(tmp_path, caplog, text):
    one, kept = cache(tmp_path), bars()
    one.write(kept, MONDAY, FRIDAY, at=NOON)
    (one.folder / "metadata.json").write_text(text, encoding="latin-1")
    assert one.claims() == [(MONDAY, FRIDAY)]
    assert same(one.read(), kept)
    assert "cache metadata made anew from the files" in caplog.text
    one.tidy()
    assert metadata(one)["files"]["2024-01-08_to_2024-01-12.csv"]["rows"] == 375


def test_a_file_somebody_else_put_there_counts(tmp_path):
    one = cache(tmp_path)
    one.write(bars(MONDAY, MONDAY), MONDAY, MONDAY, at=NOON)
    write(one.folder / "export.csv", minutes(FRIDAY, FRIDAY, 5))
    assert one.claims() == [(MONDAY, MONDAY), (FRIDAY, FRIDAY)]
    one.tidy()
    assert metadata(one)["files"]["export.csv"]["source"] == "csv_file"


def test_daily_bars_of_others_start_at_midnight_like_ours(tmp_path):
    one = cache(tmp_path, "1day")
    rows = days(MONDAY, FRIDAY)
    write(
        one.folder / "a.csv",
        "\n".join(["date,open,high,low,close,volume", *(r.text().replace("00:00:00", "09:15:00") for r in rows)]),
    )
    one.write(bars(interval="1day"), MONDAY, FRIDAY, at=NOON)
    assert same(one.read(), bars(interval="1day"))


def test_a_file_that_went_is_forgotten(tmp_path):
    one = cache(tmp_path)
    one.write(bars(MONDAY, MONDAY), MONDAY, MONDAY, at=NOON).path.unlink()
    assert one.claims() == []
    one.write(bars(FRIDAY, FRIDAY), FRIDAY, FRIDAY, at=NOON)
    assert list(metadata(one)["files"]) == ["2024-01-12.csv"]


def test_an_unreadable_file_is_set_aside_and_not_deleted(tmp_path, caplog):
    one = cache(tmp_path, compress=True)
    path = one.write(bars(), MONDAY, FRIDAY, at=NOON).path
    path.write_bytes(path.read_bytes()[:200])
    damaged = path.read_bytes()
    one.write(bars(), MONDAY, FRIDAY, at=NOON)
    assert same(one.read(), bars())
    assert path.with_name(path.name + ".unreadable").read_bytes() == damaged
    assert "unreadable cache file left out" in caplog.text


def test_a_crash_between_the_new_file_and_the_old_ones_is_mended(tmp_path):
    one = cache(tmp_path)
    wednesday = MONDAY + dt.timedelta(2)
    older = one.write(bars(MONDAY, wednesday), MONDAY, wednesday, at=NOON).path
    left = older.read_bytes()
    newer = bars(wednesday, FRIDAY, level=520.0)
    one.write(newer, wednesday, FRIDAY, at=NOON + dt.timedelta(hours=1))
    whole = one.read()
    older.write_bytes(left)
    os.utime(older, (NOON.timestamp(),) * 2)
    (one.folder / ".2024-01-08.csv.part").write_text("half a")
    one.tidy()
    assert same(one.read(), whole)
    assert sorted(path.name for path in one.folder.iterdir()) == [
        ".lock", "2024-01-08_to_2024-01-12.csv", "metadata.json",
    ]  # fmt: skip


def test_a_folder_that_can_not_be_written_is_named_and_nothing_is_lost(tmp_path):
    (tmp_path / "RELIANCE").write_text("a file where a folder should be")
    with pytest.raises(BadInput, match=r"bars cannot be kept in .*RELIANCE/5minute.*DATA_FEED_CSV_DIRECTORY"):
        cache(tmp_path).write(bars(), MONDAY, FRIDAY, at=NOON)
    assert (tmp_path / "RELIANCE").read_text() == "a file where a folder should be"


def test_a_full_disk_leaves_the_old_file(tmp_path):
    """A device without room stands for the disk."""
    path = tmp_path / "x.csv"
    cachefiles.put(path, "before")
    (tmp_path / ".x.csv.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        cachefiles.put(path, "after" * 10_000)
    assert path.read_text() == "before"


KILLED = """
    import datetime as dt, os, sys
    from pathlib import Path
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from tests.trading.test_barcache import FRIDAY, MONDAY, NOON, bars, cache
    one = cache(Path(sys.argv[1]), "1minute")
    print("ready", flush=True)
    for number in range(10_000):
        one.write(bars(interval="1minute", level=100.0 + number), MONDAY, FRIDAY, at=NOON)
"""


def test_a_writer_killed_at_any_moment_leaves_a_whole_file(tmp_path):
    for wait in (0.05, 0.13, 0.2):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
        )
        assert process.stdout.readline() == b"ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.1 + wait)
        process.kill()
        process.communicate()
        one = cache(tmp_path, "1minute")
        one.tidy()
        assert len(one.read()) == 5 * 375
        assert feed(tmp_path).series("RELIANCE", "1minute").report.verdict == "ok"
        assert csv_names(one) == ["2024-01-08_to_2024-01-12.csv"]


def test_writers_take_turns(tmp_path):
    one = cache(tmp_path)
    one.folder.mkdir(parents=True)
    with cachefiles.locked(one.folder), pytest.raises(BlockingIOError), cachefiles.locked(one.folder, wait=False):
        pass
    with cachefiles.locked(one.folder, wait=False):
        pass


def test_a_reader_waits_for_a_writer_and_writers_for_readers(tmp_path):
    with cachefiles.still(tmp_path):  # nobody has written here yet
        pass
    with cachefiles.locked(tmp_path):
        pass
    reading, blocked = cachefiles.still(tmp_path), pytest.raises(BlockingIOError)
    with cachefiles.still(tmp_path), reading, blocked, cachefiles.locked(tmp_path, wait=False):
        pass


def test_a_series_that_grows_day_by_day_keeps_one_place_in_the_columnar_store(tmp_path):
    one, store = cache(tmp_path / "bars"), ColumnStore(tmp_path / "columns")
    for day in (8, 9, 10, 11):
        date = dt.date(2024, 1, day)
        one.write(bars(date, date), date, date, at=NOON)
        series = CsvFeed(tmp_path / "bars", NOON, store=store).series("RELIANCE", "5minute")
        assert len(series.bars) == 75 * (day - 7)
    assert len(list((tmp_path / "columns").iterdir())) == 1


def test_an_entry_tells_its_days():
    entry = Entry("2024-01-01 to 2024-01-31", 1, "", "", "2024-02-01T10:30:00", "breeze_api")
    assert entry.days == (dt.date(2024, 1, 1), dt.date(2024, 1, 31))
