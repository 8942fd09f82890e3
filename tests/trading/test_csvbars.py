"""Bars from CSV files as vendors write them, and the files a symbol's bars are found in."""

from __future__ import annotations

import datetime as dt
import gzip
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensequant.lib.errors import BadInput, NotFound
from tests.trading.bar_files import csv_text, days, minutes, write
from trading.adapters import barfiles, csvbars, stamps
from trading.adapters.csvfeed import CsvFeed, bounds
from trading.core.bar_rows import Rows
from trading.core.calendar import IST
from trading.core.errors import Invalid

MONDAY, FRIDAY = dt.date(2024, 1, 8), dt.date(2024, 1, 12)
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=IST)
OPEN = int(dt.datetime(2024, 1, 8, 9, 15, tzinfo=IST).timestamp())
HEADER = "timestamp,open,high,low,close,volume"


def read(path: Path, *, daily: bool | None = False, zone: str = "Asia/Kolkata") -> Rows:
    return csvbars.read(path, daily=daily, naive_timezone=zone)


def read_text(folder: Path, text: str, **options) -> Rows:
    return read(write(folder / "X_1m.csv", text), **options)


def feed(folder: Path, **options) -> CsvFeed:
    return CsvFeed(folder, NOW, **options)


# one file


def test_naive_times_are_indian(tmp_path):
    rows = read(write(tmp_path / "X_1m.csv", minutes(MONDAY, MONDAY)))
    assert (rows.ts[0], rows.zone, len(rows)) == (OPEN, "Asia/Kolkata", 375)


@pytest.mark.parametrize(
    "header",
    [
        "time,o,h,l,c,v",
        "Datetime,Open,High,Low,Close,Vol",
        "DATE,OPEN,HIGH,LOW,CLOSE,VOLUME",
        '"timestamp",o,h,l,c,vol',
    ],
)
def test_columns_go_by_many_names(tmp_path, header):
    assert not read_text(tmp_path, f"{header}\n2024-01-08 09:15:00,1,2,0.5,1.5,10\n").broken.any()


def test_columns_may_stand_in_any_order_among_others(tmp_path):
    rows = read_text(tmp_path, "volume,oi,close,low,high,open,time\n10,7,1.5,0.5,2,1,2024-01-08 09:15\n")
    assert (rows.open[0], rows.high[0], rows.low[0], rows.close[0], rows.volume[0]) == (1, 2, 0.5, 1.5, 10)


@pytest.mark.parametrize(
    "written",
    [
        "2024-01-08T09:15:00+05:30", "2024-01-08 09:15:00+0530", "2024-01-08T03:45:00Z", "2024-01-08 03:45:00+00:00",
        "2024-01-07 22:45:00-05:00", "2024-01-08 03:45:00 UTC", "2024-01-08T09:15:00.000+05:30", "1704685500",
        "1704685500000", "08-01-2024 09:15", "08/01/2024 09:15:00", "8-Jan-2024 09:15", "2024-01-08 09:15",
    ],
)  # fmt: skip
def test_a_time_may_be_written_in_many_ways(tmp_path, written):
    assert read_text(tmp_path, f"{HEADER}\n{written},1,2,0.5,1.5,10\n").ts.tolist() == [OPEN]


@pytest.mark.parametrize(
    "written", ["", "soon", "2024-13-01 09:15:00", "2024-01-08 25:00", "2024-02-30", "2024-01-08T09:15:00+5", "09:15"]
)
def test_a_time_that_is_none_breaks_its_row_only(tmp_path, written):
    rows = read_text(tmp_path, f"{HEADER}\n{written},1,2,0.5,1.5,10\n2024-01-08 09:15:00,1,2,0.5,1.5,10\n")
    assert rows.broken.tolist() == [True, False]
    assert rows.ts[1] == OPEN


def test_offsets_may_differ_from_row_to_row():
    wall, offset = stamps.parse(["2024-01-08 09:15:00+05:30", "2024-01-08 03:46:00Z", "2024-01-08 09:17:00"])
    assert offset.tolist() == [19_800, 0, stamps.BAD]
    assert (wall[:2] - offset[:2]).tolist() == [OPEN, OPEN + 60]


def test_naive_times_may_be_of_another_zone_with_summer_time(tmp_path):
    text = f"{HEADER}\n2024-01-07 22:45:00,1,2,0.5,1.5,10\n2024-07-07 23:45:00,1,2,0.5,1.5,10\n"
    rows = read_text(tmp_path, text, zone="America/New_York")
    assert rows.ts.tolist() == [OPEN, OPEN + 182 * 86_400]


def test_an_unknown_zone_is_refused(tmp_path):
    path = write(tmp_path / "X_1m.csv", minutes(MONDAY, MONDAY))
    with pytest.raises(Invalid, match="'Mars/Base' is not known"):
        read(path, zone="Mars/Base")


def test_a_daily_date_is_the_exchanges_own_in_any_zone(tmp_path):
    path = write(tmp_path / "X_1d.csv", days(MONDAY, FRIDAY))
    assert read(path, daily=None, zone="America/New_York").ts[0] == OPEN - (9 * 60 + 15) * 60


def test_the_archive_of_the_exchange_is_read_as_it_comes(tmp_path):
    text = (
        "Symbol,Series,Date,Prev Close,Open Price,High Price,Low Price,Last Price,Close Price,VWAP,"
        "Total Traded Quantity,Turnover,No. of Trades,DeliverableQty,% Dly Qt toTraded Qty\n"
        'RELIANCE,EQ,21-Jan-2019,"1,184.35","1,194.00","1,239.95","1,188.65","1,235.00","1,237.70","1,222.77",'
        '"2,20,38,534","26,94,80,45,198.35","4,03,702","64,27,362",29.16\n'
        'RELIANCE,EQ,22-Jan-2019,"1,237.70","1,232.85","1,246.95","1,219.60","1,232.00","1,235.15","1,234.02",'
        '"1,65,52,819","20,42,65,29,561.50","2,83,673","43,73,694",26.42\n'
        'RELIANCE,BL,22-Jan-2019,"1,237.70","1,232.85","1,246.95","1,219.60","1,232.00","1,235.15","1,234.02",'
        '"1,000","20,000","1","-","-"\n'
    )
    rows = read_text(tmp_path, text, daily=None)
    assert (rows.open[0], rows.close[0], rows.volume[0]) == (1194.0, 1237.7, 22_038_534)
    assert not rows.broken.any()
    assert rows.foreign.tolist() == [False, False, True]


@pytest.mark.parametrize("empty", ["", " ", "-", "NA", "nan", "null"])
def test_an_empty_volume_is_unknown_not_zero(tmp_path, empty):
    rows = read_text(tmp_path, f"{HEADER}\n2024-01-08 09:15:00,1,2,0.5,1.5,{empty}\n")
    assert np.isnan(rows.volume).all()
    assert not rows.broken.any()


@pytest.mark.parametrize("row", ["1,,0.5,1.5,10", "1,2,x,1.5,10", "1,inf,0.5,1.5,10", "1,2,0.5,1.5,many", "1,2"])
def test_a_price_that_is_none_breaks_its_row_only(tmp_path, row):
    rows = read_text(tmp_path, f"{HEADER}\n2024-01-08 09:15:00,{row}\n2024-01-08 09:16:00,1,2,0.5,1.5,10\n")
    assert rows.broken.tolist() == [True, False]


def test_blank_lines_do_not_shift_line_numbers(tmp_path):
    text = f"{HEADER}\n\n2024-01-08 09:15:00,1,2,0.5,1.5,10\n\n\n2024-01-08 09:16:00,1,2,0.5,1.5,10\n"
    assert read_text(tmp_path, text).line.tolist() == [3, 6]


def test_a_byte_order_mark_and_windows_line_ends_are_read_over(tmp_path):
    text = "\ufeff" + csv_text(minutes(MONDAY, MONDAY)).replace("\n", "\r\n")
    assert len(read_text(tmp_path, text)) == 375


def test_a_stray_quote_costs_one_row(tmp_path):
    text = csv_text(minutes(MONDAY, MONDAY)).replace("2024-01-08 10:00:00", '"2024-01-08 10:00:00')
    rows = read_text(tmp_path, text)
    assert (len(rows), int(rows.broken.sum())) == (375, 1)


def test_a_line_of_a_million_letters_costs_one_row(tmp_path):
    lines = csv_text(minutes(MONDAY, MONDAY)).splitlines()
    lines[200] = "x" * 1_000_000
    path = write(tmp_path / "X_1m.csv", "\n".join(lines))
    report = feed(tmp_path).series("X", "1m").report
    assert (report.accepted, report.quarantined, len(report.removed[0].raw)) == (374, 1, 500)
    assert report.file == str(path)


def test_gzip_is_told_by_its_bytes_not_by_its_name(tmp_path):
    path = tmp_path / "X_1m.csv"
    path.write_bytes(gzip.compress(csv_text(minutes(MONDAY, MONDAY)).encode()))
    assert len(read(path)) == 375


def test_a_missing_column_is_named_with_the_file_and_what_is_accepted(tmp_path):
    with pytest.raises(BadInput) as refused:
        read_text(tmp_path, "timestamp,open,high,low,volume\n2024-01-08 09:15:00,1,2,0.5,10\n")
    assert "X_1m.csv has no column 'close'" in refused.value.message
    assert "close, c, close price" in refused.value.fix


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (bytes(range(256)) * 40, "is not a text file"),
        (b"a\0b\n", "is not a text file"),
        (f"{HEADER}\n".encode() + b"2024-01-08 09:15:00,1,2,\xff\xfe,1.5,10\n", "is not a text file"),
        (gzip.compress(csv_text(minutes(MONDAY, MONDAY)).encode())[:2000], "is cut off"),
        (b"\x1f\x8bnot gzip at all", "is not a sound gzip file"),
    ],
)
def test_what_is_no_sound_text_is_refused_by_name(tmp_path, content, complaint):
    path = tmp_path / "X_1m.csv.gz"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=complaint) as refused:
        read(path)
    assert str(path) in refused.value.message


def test_a_damaged_gzip_body_is_refused(tmp_path):
    packed = bytearray(gzip.compress(csv_text(minutes(MONDAY, MONDAY)).encode()))
    packed[len(packed) // 2] ^= 0xFF
    path = tmp_path / "X_1m.csv.gz"
    path.write_bytes(packed)
    with pytest.raises(BadInput):
        read(path)


def test_a_folder_instead_of_a_file_and_no_file_are_refused(tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        read(tmp_path)
    with pytest.raises(NotFound, match="does not exist"):
        read(tmp_path / "none.csv")


prices = st.floats(0.05, 1e6).map(lambda price: round(price, 2))
stamp_seconds = st.integers(946_684_800, 1_900_000_000)


@given(
    table=st.lists(
        st.tuples(stamp_seconds, prices, prices, prices, prices, st.none() | st.integers(0, 10**10)), min_size=1
    ),
    packed=st.booleans(),
)
def test_what_is_written_is_read_back(table, packed):
    lines = [
        f"{dt.datetime.fromtimestamp(ts, IST):%Y-%m-%d %H:%M:%S},{o!r},{h!r},{low!r},{c!r},{'' if v is None else v}"
        for ts, o, h, low, c, v in table
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / f"X_1m.csv{'.gz' if packed else ''}", "\n".join([HEADER, *lines]))
        rows = read(path)
    assert rows.ts.tolist() == [row[0] for row in table]
    for at, column in enumerate((rows.open, rows.high, rows.low, rows.close), 1):
        assert column.tolist() == [row[at] for row in table]
    volume = [np.nan if row[5] is None else float(row[5]) for row in table]
    np.testing.assert_array_equal(rows.volume, volume)
    assert not rows.broken.any()


# finding files


@pytest.mark.parametrize(
    "place",
    [
        "M&M_5m.csv", "M&M_5m.csv.gz", "minute/M&M_5m.csv.gz", "M&M/5minute/2024-01-08.csv", "M&M/5m/all.csv.gz",
        "minute/M&M/5minute/2024-01-08_to_2024-01-12.csv",
    ],
)  # fmt: skip
def test_a_series_is_found_in_either_layout_and_one_folder_deep(tmp_path, place):
    path = write(tmp_path / place, minutes(MONDAY, FRIDAY, 5))
    assert feed(tmp_path).sources("m&m", "5m") == [path]
    assert feed(tmp_path).symbols("5minute") == ["M&M"]
    assert len(feed(tmp_path).get_historical_bars("M&M", None, None, "5minute")) == 375


def test_a_symbol_may_carry_a_hyphen(tmp_path):
    write(tmp_path / "BAJAJ-AUTO_1d.csv", days(MONDAY, FRIDAY))
    assert len(feed(tmp_path).get_historical_bars("bajaj-auto", MONDAY, FRIDAY, "1d")) == 5


def test_the_files_of_a_folder_are_one_series_and_the_last_word_counts(tmp_path):
    rows = minutes(MONDAY, FRIDAY, 5)
    folder = tmp_path / "X" / "5minute"
    write(folder / "2024-01-08_to_2024-01-10.csv", rows[: 3 * 75])
    write(folder / "2024-01-10_to_2024-01-12.csv.gz", [row.scaled(1.001) for row in rows[2 * 75 :]])
    series = feed(tmp_path).series("X", "5minute")
    assert len(series.bars) == 375
    assert series.bars.close[2 * 75] == pytest.approx(rows[2 * 75].close * 1.001, abs=0.01)
    assert [found.rule for found in series.report.findings] == ["duplicate"]
    assert series.report.removed[0].file.endswith("2024-01-08_to_2024-01-10.csv")
    assert series.report.file == str(folder)


def test_a_series_in_two_places_is_not_guessed_at(tmp_path):
    for folder in ("a", "b"):
        write(tmp_path / folder / "X_1d.csv", days(MONDAY, FRIDAY))
    with pytest.raises(BadInput, match="name one of these folders"):
        feed(tmp_path).series("X", "1day")


def test_an_unknown_symbol_is_told_its_neighbours(tmp_path):
    for name in ("RELIANCE", "RELINFRA", "TCS"):
        write(tmp_path / f"{name}_1d.csv", days(MONDAY, FRIDAY))
    with pytest.raises(NotFound) as refused:
        feed(tmp_path).series("RELIANSE", "1day")
    assert "did you mean RELIANCE" in refused.value.fix


def test_an_interval_that_is_not_there_is_told_what_is(tmp_path):
    write(tmp_path / "TCS_1d.csv", days(MONDAY, FRIDAY))
    with pytest.raises(NotFound, match="there are 1day bars of it"):
        feed(tmp_path).series("TCS", "5minute")


def test_an_empty_or_missing_folder_is_named(tmp_path):
    with pytest.raises(NotFound, match="no such bars at all"):
        feed(tmp_path).series("TCS", "5minute")
    with pytest.raises(NotFound, match="does not exist"):
        feed(tmp_path / "none").series("TCS", "5minute")


@pytest.mark.parametrize("symbol", ["", "../etc", "A/B", "X..", "x" * 40])
def test_what_is_no_symbol_never_reaches_the_disk(tmp_path, symbol):
    with pytest.raises(BadInput, match="is not a symbol"):
        feed(tmp_path).series(symbol, "5minute")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("RELIANCE_5m.csv.gz", ("RELIANCE", "5minute")),
        ("UPL_daily_with_minute_rows.csv", ("UPL", "1day")),
        ("BANKNIFTY_1m_2015-06-24_mixed.csv.gz", ("BANKNIFTY", "1minute")),
        ("RELIANCE_nse_archive_2019.csv", ("RELIANCE", "")),
        ("M&M/15minute/2024-01.csv", ("M&M", "15minute")),
    ],
)
def test_a_file_tells_what_it_holds_by_its_name(name, told):
    assert barfiles.told_by_name(Path(name)) == told


# ranges


@pytest.fixture
def week(tmp_path) -> CsvFeed:
    write(tmp_path / "X_5m.csv", minutes(MONDAY, FRIDAY, 5))
    return feed(tmp_path)


def test_a_range_of_dates_takes_both_ends(week):
    assert len(week.get_historical_bars("X", dt.date(2024, 1, 9), dt.date(2024, 1, 10), "5minute")) == 150


def test_one_midnight_twice_is_that_day(week):
    day = dt.datetime.fromisoformat("2024-01-09")
    assert len(week.get_historical_bars("X", day, day, "5minute")) == 75


def test_an_instant_takes_its_own_bar(week):
    start = dt.datetime(2024, 1, 9, 4, 0, tzinfo=dt.UTC)
    end = dt.datetime.fromisoformat("2024-01-09T09:40:00")
    assert len(week.get_historical_bars("X", start, end, "5minute")) == 3


def test_a_range_that_ends_before_it_starts_is_refused():
    with pytest.raises(BadInput, match="range 2024-01-12 to 2024-01-08 is empty"):
        bounds(FRIDAY, MONDAY)


def test_a_range_without_bars_is_told_what_the_file_covers(week):
    with pytest.raises(NotFound, match="covers 2024-01-08 09:15:00 to 2024-01-12 15:25:00"):
        week.get_historical_bars("X", dt.date(2025, 1, 1), None, "5minute")


def test_a_range_across_a_bonus_is_refused_and_one_after_it_is_not(tmp_path):
    rows = [row.scaled(2) if row.time.date() < dt.date(2024, 1, 10) else row for row in minutes(MONDAY, FRIDAY, 5)]
    write(tmp_path / "X_5m.csv", rows)
    with pytest.raises(BadInput, match=r"2024-01-10 .* 1:1 bonus"):
        feed(tmp_path).get_historical_bars("X", MONDAY, FRIDAY, "5minute")
    assert len(feed(tmp_path).get_historical_bars("X", dt.date(2024, 1, 10), FRIDAY, "5minute")) == 225


def test_a_file_without_a_sound_bar_says_why(tmp_path):
    rows = minutes(MONDAY, MONDAY, level=18_000)
    write(tmp_path / "X_1m.csv", [row.scaled(0.08) if at > 2 else row for at, row in enumerate(rows)])
    with pytest.raises(BadInput, match="mixing two price levels"):
        feed(tmp_path).get_historical_bars("X", None, None, "1minute")


def test_quarter_hours_are_made_from_what_there_is_and_the_report_says_so(tmp_path):
    write(tmp_path / "X_1m.csv", minutes(dt.date(2024, 3, 1), dt.date(2024, 3, 4)))
    series = feed(tmp_path).series("X", "15minute")
    assert (series.report.derived, series.report.interval) == ("1minute", "15minute")
    assert "derived" in [found.rule for found in series.report.findings]
    saturday = series.bars.between(
        int(dt.datetime(2024, 3, 2, tzinfo=IST).timestamp()), int(dt.datetime(2024, 3, 3, tzinfo=IST).timestamp())
    )
    clocks = [dt.datetime.fromtimestamp(ts, IST).strftime("%H:%M") for ts in saturday.ts.tolist()]
    assert clocks == ["09:15", "09:30", "09:45", "11:30", "11:45", "12:00", "12:15"]


def test_the_coarsest_file_that_fits_is_resampled(tmp_path):
    write(tmp_path / "X_1m.csv", minutes(MONDAY, FRIDAY))
    write(tmp_path / "X_5m.csv", minutes(MONDAY, FRIDAY, 5))
    assert feed(tmp_path).series("X", "15minute").report.derived == "5minute"
    assert feed(tmp_path).series("X", "1day").bars.ts.size == 5


def test_sources_of_what_is_not_there_are_refused(week):
    with pytest.raises(NotFound, match="did you mean X"):
        week.sources("X1", "5minute")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    path = write(tmp_path / "X_5m.csv", minutes(MONDAY, FRIDAY, 5))
    with pytest.raises(BadInput, match="cannot be read: Not a directory"):
        feed(path).series("X", "5minute")
