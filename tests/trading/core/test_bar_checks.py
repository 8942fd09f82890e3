"""Each defect a bar file can have is found by its own rule, and what only looks like one is left alone."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from tests.trading.bar_files import Row, bar, days, minutes
from trading.core.bar_checks import Checked, check
from trading.core.bar_report import FileReport, Finding, Severity, restore
from trading.core.bar_rows import UNREADABLE, Rows, Setting, join
from trading.core.bars import INTERVALS
from trading.core.calendar import IST, NSE
from trading.core.zones import to_utc

MONDAY, FRIDAY = dt.date(2024, 1, 8), dt.date(2024, 1, 12)
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=IST)


moment = dt.datetime.fromisoformat


def columns(rows: list[Row], *, zone: str = "Asia/Kolkata", file: str = "X.csv") -> Rows:
    wall = np.array([int(row.time.replace(tzinfo=dt.UTC).timestamp()) for row in rows], dtype=np.int64)
    prices = [np.array([getattr(row, name) for row in rows], dtype=float) for name in ("open", "high", "low", "close")]
    volume = np.array([np.nan if row.volume is None else row.volume for row in rows], dtype=float)
    none = np.zeros(len(rows), dtype=bool)
    line = np.arange(2, len(rows) + 2, dtype=np.int32)
    return Rows(
        to_utc(wall, zone), *prices, volume, none, none.copy(), line, np.zeros(len(rows), np.int32), (file,), zone
    )


def judge(rows: list[Row] | Rows, interval: str = "1minute", *, segment: str = "equity") -> Checked:
    given = rows if isinstance(rows, Rows) else columns(rows)
    setting = Setting(interval, INTERVALS[interval], NSE, segment, int(NOW.timestamp()))
    checked = check(given, setting, file="X.csv", symbol="X")
    assert checked.report.kept + checked.report.quarantined == checked.report.rows or checked.report.rejected
    return checked


def rules(report: FileReport) -> list[str]:
    return [found.rule for found in report.findings]


def only(report: FileReport) -> Finding:
    assert len(report.findings) == 1, report.findings
    return report.findings[0]


def test_whole_sessions_are_in_order():
    checked = judge(minutes(MONDAY, FRIDAY))
    assert checked.report.verdict == "ok"
    assert checked.report.accepted == len(checked.bars) == 5 * 375
    assert (checked.report.first, checked.report.last) == ("2024-01-08 09:15:00", "2024-01-12 15:29:00")


def test_a_special_session_in_two_windows_has_no_gap_at_noon():
    rows = minutes(dt.date(2024, 3, 1), dt.date(2024, 3, 4), 5)
    assert judge(rows, "5minute").report.verdict == "ok"


def test_a_short_muhurat_session_lacks_nothing():
    assert judge(minutes(dt.date(2023, 11, 10), dt.date(2023, 11, 13), 5), "5minute").report.verdict == "ok"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"high": 480.0}, "ohlc"),
        ({"low": 510.0}, "ohlc"),
        ({"low": 0.0}, "ohlc"),
        ({"open": -5.0, "low": -6.0}, "ohlc"),
        ({"volume": -1}, "negative_volume"),
    ],
)
def test_an_impossible_row_is_set_aside_with_its_line(changes, rule):
    rows = minutes(MONDAY, MONDAY)
    rows[10] = Row(**{**vars(rows[10]), **changes})
    report = judge(rows).report
    found = report.findings[0]
    assert (found.rule, found.severity, found.count, found.examples[0].line) == (rule, Severity.QUARANTINE, 1, 12)
    assert [(row.rule, row.line) for row in report.removed] == [(rule, 12)]
    assert (report.verdict, report.accepted) == ("errors", 374)


def test_a_row_that_could_not_be_read_is_set_aside():
    rows = columns(minutes(MONDAY, MONDAY))
    rows.ts[5], rows.broken[5] = UNREADABLE, True
    found = judge(rows).report.findings[0]
    assert (found.rule, found.examples[0].line, found.examples[0].time) == ("unreadable", 7, "")


def test_rounding_in_the_last_digit_is_no_violation():
    rows = minutes(MONDAY, MONDAY)
    rows[3] = Row(rows[3].time, 500.0, 500.0, 499.0, 500.0000000001)
    assert judge(rows).report.verdict == "ok"


def test_an_unknown_volume_is_a_warning_and_stays_unknown():
    rows = [Row(row.time, row.open, row.high, row.low, row.close, None) for row in minutes(MONDAY, MONDAY)]
    checked = judge(rows)
    assert only(checked.report).rule == "unknown_volume"
    assert np.isnan(checked.bars.volume).all()
    assert checked.report.verdict == "warnings"


def test_rows_out_of_order_are_sorted_and_told():
    rows = minutes(MONDAY, MONDAY)
    rows[10], rows[20] = rows[20], rows[10]
    checked = judge(rows)
    assert only(checked.report).rule == "unsorted"
    assert np.all(np.diff(checked.bars.ts) == 60)


def test_of_equal_times_the_last_row_is_kept():
    rows = minutes(MONDAY, MONDAY)
    rows[5:5] = [rows[5]]
    rows[300:300] = [rows[300].scaled(1.01)]
    checked = judge(rows)
    assert rules(checked.report) == ["duplicate", "conflicting_duplicate"]
    assert [found.examples[0].line for found in checked.report.findings] == [7, 302]
    assert checked.bars.close[299] == rows[301].close
    assert checked.report.accepted == 375


def test_overlapping_files_are_no_conflict():
    rows = minutes(MONDAY, MONDAY)
    later = columns([row.scaled(1.001) for row in rows[300:]], file="Y.csv")
    checked = judge(join([columns(rows), later]))
    found = only(checked.report)
    assert (found.rule, found.count, found.severity) == ("duplicate", 75, Severity.DROP)
    assert found.examples[0].file == "X.csv"
    assert checked.bars.close[-1] == pytest.approx(rows[-1].close * 1.001)


def test_rows_after_hours_are_left_out():
    extra = [bar(moment("2024-01-08T15:30"), 1), bar(moment("2024-01-08T09:00"), 2)]
    report = judge(minutes(MONDAY, MONDAY) + extra[:1] + extra[1:]).report
    found = next(found for found in report.findings if found.rule == "outside_hours")
    assert (found.count, found.severity, report.accepted) == (2, Severity.DROP, 375)


def test_shares_with_futures_close_earlier_from_august_2026():
    rows = minutes(dt.date(2026, 11, 16), dt.date(2026, 11, 16))
    assert judge(rows).report.verdict == "ok"
    report = judge(rows, segment="equity_fno").report
    assert (only(report).rule, only(report).count) == ("outside_hours", 15)


def test_a_sunday_is_no_session():
    sunday = [bar(moment(f"2024-01-14T09:{15 + at}"), at) for at in range(20)]
    report = judge(minutes(MONDAY, FRIDAY) + sunday).report
    assert (only(report).rule, only(report).count) == ("not_a_session", 20)
    assert "Sunday" in only(report).examples[0].detail


def test_a_sunday_in_a_daily_file_is_no_session():
    rows = [*days(MONDAY, FRIDAY), bar(moment("2024-01-14"), 9)]
    assert only(judge(rows, "1day").report).rule == "not_a_session"


def test_dates_to_come_are_set_aside():
    rows = minutes(dt.date(2026, 11, 20), dt.date(2026, 11, 25))
    report = judge(rows).report
    found = next(found for found in report.findings if found.rule == "future")
    assert found.count == 375 + 375 - 166
    assert report.last == "2026-11-23 12:00:00"


def test_the_running_session_lacks_nothing():
    rows = [row for row in minutes(dt.date(2026, 11, 23), dt.date(2026, 11, 23)) if row.time.hour < 12]
    assert judge(rows).report.verdict == "ok"


def test_dates_beyond_the_calendar_are_used_and_told():
    rows = [bar(moment("2001-01-01") + dt.timedelta(day), day) for day in range(5)]
    assert only(judge(rows, "1day").report).rule == "calendar_unknown"


def test_missing_minutes_are_counted_by_session():
    rows = minutes(MONDAY, FRIDAY)
    del rows[100:110], rows[700]
    found = only(judge(rows).report)
    assert (found.rule, found.count, found.details) == ("missing_bars", 11, {"sessions": 2})
    assert found.examples[0].detail == "10 of 375 bars missing"


def test_a_hole_of_weeks_in_a_daily_file_is_named():
    rows = [row for row in days(dt.date(2020, 1, 1), dt.date(2020, 12, 31)) if row.time.month in {1, 2, 12}]
    found = only(judge(rows, "1day").report)
    assert found.rule == "missing_sessions"
    assert "2020-03-02 to 2020-11-27" in found.message


def test_bars_a_few_seconds_late_are_moved_to_their_minute():
    rows = [Row(row.time + dt.timedelta(seconds=4), *list(vars(row).values())[1:]) for row in minutes(MONDAY, MONDAY)]
    rows[0] = Row(rows[0].time - dt.timedelta(seconds=4), *list(vars(rows[0]).values())[1:])
    checked = judge(rows)
    assert checked.report.verdict == "ok"
    assert np.all(checked.bars.ts % 60 == 0)


def test_a_bar_between_two_minutes_is_irregular():
    rows = minutes(MONDAY, MONDAY, 5)
    rows[7] = Row(rows[7].time + dt.timedelta(seconds=90), *list(vars(rows[7]).values())[1:])
    report = judge(rows, "5minute").report
    assert (only(report).rule, report.accepted) == ("irregular_interval", 75)


def test_minute_rows_inside_a_five_minute_file_are_set_aside():
    rows = minutes(MONDAY, FRIDAY, 5)
    fine = [bar(moment(f"2024-01-09T11:{minute:02d}"), minute) for minute in range(60) if minute % 5]
    report = judge(sorted(rows + fine, key=lambda row: row.time), "5minute").report
    assert (only(report).rule, only(report).count) == ("mixed_resolution", 48)


@pytest.mark.parametrize(("interval", "holds"), [("5minute", "1minute"), ("1day", "1minute")])
def test_a_file_of_another_interval_is_rejected(interval, holds):
    report = judge(minutes(MONDAY, FRIDAY), interval).report
    assert (only(report).rule, only(report).details["usual"]) == ("wrong_interval", holds)
    assert (report.accepted, report.verdict) == (0, "errors")


def test_daily_rows_are_no_minute_file():
    assert only(judge(days(MONDAY, dt.date(2024, 2, 9))).report).details["usual"] == "1day"


def test_a_file_read_in_the_wrong_zone_names_the_one_that_fits():
    rows = minutes(MONDAY, FRIDAY)
    found = only(judge(columns(rows, zone="UTC")).report)
    assert (found.rule, found.details["fitting"]) == ("wrong_timezone", "Asia/Kolkata")
    assert "read as UTC" in found.message
    assert found.fix == "set DATA_FEED_NAIVE_TIMEZONE=Asia/Kolkata"


def test_times_in_utc_read_as_indian_name_utc():
    rows = [Row(row.time - dt.timedelta(hours=5.5), *list(vars(row).values())[1:]) for row in minutes(MONDAY, FRIDAY)]
    assert only(judge(rows).report).fix == "set DATA_FEED_NAIVE_TIMEZONE=UTC"


def test_indian_times_written_with_the_offset_of_london_are_told_so():
    aware = columns(minutes(MONDAY, FRIDAY), zone="UTC")
    aware = Rows(**{name: getattr(aware, name) for name in Rows.__slots__ if name != "zone"})
    found = only(judge(aware).report)
    assert (found.rule, "+05:30" in found.fix) == ("wrong_timezone", True)


def test_quotes_around_the_clock_are_cut_to_the_session():
    start = moment("2024-01-08")
    rows = [bar(start + dt.timedelta(minutes=minute), minute) for minute in range(1440)]
    report = judge(rows).report
    assert (only(report).rule, report.accepted) == ("outside_hours", 375)


def test_hours_that_fit_no_zone_are_rejected():
    rows = [bar(moment(f"2024-01-08T20:{minute}"), minute) for minute in range(10, 30)]
    assert "no usual time zone fits" in only(judge(rows).report).fix


def test_bars_labelled_by_their_end_are_noticed():
    rows = [Row(row.time + dt.timedelta(minutes=1), *list(vars(row).values())[1:]) for row in minutes(MONDAY, FRIDAY)]
    assert "end_labelled" in rules(judge(rows).report)


def test_a_file_without_rows_is_rejected():
    assert only(judge([]).report).rule == "no_rows"


def test_rows_of_another_symbol_column_are_set_aside():
    rows = columns(days(MONDAY, FRIDAY))
    rows.foreign[2] = True
    assert judge(rows, "1day").report.findings[0].rule == "mixed_instrument"


def test_a_session_that_jumps_to_another_level_is_two_instruments():
    rows = minutes(MONDAY, FRIDAY, level=18_000)
    rows[378:750] = [row.scaled(0.08) for row in rows[378:750]]
    report = judge(rows).report
    found = report.findings[0]
    assert (found.rule, found.count) == ("mixed_instrument", 375 - 3)
    assert found.examples[0].line == 380
    assert found.details["days"][0] == "2024-01-09"
    assert report.verdict == "errors"


def test_one_session_that_starts_as_something_else_is_wholly_in_doubt():
    rows = minutes(MONDAY, MONDAY, level=18_000)
    rows[3:] = [row.scaled(0.08) for row in rows[3:]]
    report = judge(rows).report
    assert (only(report).rule, only(report).count, report.accepted) == ("mixed_instrument", 375, 0)


def test_two_contracts_taking_turns_are_two_instruments():
    rows = [row.scaled(2.5 if at % 2 else 1) for at, row in enumerate(days(dt.date(2023, 1, 2), dt.date(2023, 6, 30)))]
    report = judge(rows, "1day").report
    assert (only(report).rule, report.accepted) == ("mixed_instrument", 0)


def test_a_single_foreign_print_costs_one_row():
    rows = minutes(MONDAY, MONDAY)
    rows[100] = rows[100].scaled(3)
    report = judge(rows).report
    assert [(row.rule, row.line) for row in report.removed] == [("mixed_instrument", 102)]


def test_a_bonus_the_older_rows_do_not_carry_is_named_with_its_date_and_ratio():
    rows = [row.scaled(2) if row.time.date() < dt.date(2024, 1, 10) else row for row in minutes(MONDAY, FRIDAY)]
    checked = judge(rows)
    found = only(checked.report)
    assert (found.rule, found.details["date"], found.details["ratio"]) == ("unadjusted_action", "2024-01-10", "2:1")
    assert "1:1 bonus" in found.message
    assert "divide the prices before 2024-01-10 by 2" in found.fix
    assert (checked.report.accepted, checked.report.kept) == (0, 5 * 375)


@pytest.mark.parametrize(("factor", "ratio"), [(1.5, "3:2"), (5, "5:1"), (10, "10:1"), (0.1, "1:10")])
def test_splits_and_consolidations_of_daily_rows_are_named(factor, ratio):
    rows = days(dt.date(2023, 1, 2), dt.date(2023, 6, 30))
    found = only(judge([row.scaled(factor) if at < 60 else row for at, row in enumerate(rows)], "1day").report)
    assert (found.rule, found.details["ratio"]) == ("unadjusted_action", ratio)


def test_only_a_range_across_the_bonus_is_refused():
    rows = [row.scaled(2) if row.time.date() < dt.date(2024, 1, 10) else row for row in minutes(MONDAY, FRIDAY)]
    report = judge(rows).report
    before, after = (int(dt.datetime(2024, 1, day, tzinfo=IST).timestamp()) for day in (10, 13))
    assert report.objection(before, after) is None
    assert report.objection(0, before) is None
    assert report.objection(0, after)


def test_a_crash_inside_the_bars_is_trading():
    """As in YES BANK on 6 March 2020: opened a tenth lower, lost four fifths within the hour, half of it came back."""
    rows = minutes(MONDAY, MONDAY)
    price = 450.0
    for at in range(5, 120):
        low = price * (0.975 if at < 65 else 1.016)
        rows[at] = Row(rows[at].time, price, max(price, low) * 1.01, min(price, low) * 0.98, low)
        price = low
    rows[120:] = [Row(row.time, price, price + 1, price - 1, price) for row in rows[120:]]
    assert judge(rows).report.verdict == "ok"


def test_a_halving_within_a_day_is_no_bonus():
    rows = days(dt.date(2020, 2, 3), dt.date(2020, 4, 30))
    crash = rows[20]
    rows[20] = Row(crash.time, crash.open * 0.9, crash.open * 0.9, crash.open * 0.2, crash.open * 0.45)
    rows[21:] = [row.scaled(0.5) for row in rows[21:]]
    assert judge(rows, "1day").report.verdict == "ok"


def test_a_gap_to_half_on_a_wild_day_is_looked_at_but_no_bonus():
    rows = days(dt.date(2020, 2, 3), dt.date(2020, 4, 30))
    wild = rows[20]
    rows[20] = Row(wild.time, wild.open * 0.5, wild.open * 0.62, wild.open * 0.35, wild.open * 0.45)
    rows[21:] = [row.scaled(0.45) for row in rows[21:]]
    found = only(judge(rows, "1day").report)
    assert (found.rule, found.severity) == ("level_break", Severity.WARN)


def test_a_limit_fall_overnight_is_trading():
    rows = days(dt.date(2008, 1, 1), dt.date(2008, 3, 31))
    assert judge([row.scaled(0.8) if at > 12 else row for at, row in enumerate(rows)], "1day").report.verdict == "ok"


def test_another_instrument_from_some_day_on_is_rejected():
    rows = days(dt.date(2023, 1, 2), dt.date(2023, 6, 30))
    found = only(judge([row.scaled(13.7) if at < 60 else row for at, row in enumerate(rows)], "1day").report)
    assert (found.rule, found.severity) == ("level_break", Severity.REJECT)


def test_ticks_of_a_penny_share_are_no_jumps():
    rows = [
        Row(row.time, p, p, p, p) for at, row in enumerate(minutes(MONDAY, MONDAY)) for p in [0.1 if at % 2 else 0.2]
    ]
    assert judge(rows).report.verdict == "ok"


def test_minute_rows_inside_a_daily_file_and_its_hole_are_both_named():
    rows = [
        row
        for row in days(dt.date(2020, 1, 1), dt.date(2021, 6, 2))
        if not dt.date(2020, 1, 18) < row.time.date() < dt.date(2020, 11, 27)
    ]
    at = next(at for at, row in enumerate(rows) if row.time.date() == dt.date(2021, 3, 5))
    rows[at + 1 : at + 1] = minutes(dt.date(2021, 3, 5), dt.date(2021, 3, 5))
    checked = judge(rows, "1day")
    assert rules(checked.report) == ["mixed_resolution", "missing_sessions"]
    mixed, hole = checked.report.findings
    assert (mixed.count, mixed.details["days"]) == (375, ["2021-03-05"])
    assert "2020-01-20 to 2020-11-26" in hole.message
    assert len(checked.bars) == checked.report.accepted == len(rows) - 375


def test_daily_bars_stamped_at_the_close_start_at_midnight():
    rows = [Row(row.time.replace(hour=15, minute=30), *list(vars(row).values())[1:]) for row in days(MONDAY, FRIDAY)]
    checked = judge(rows, "1day")
    assert checked.report.verdict == "ok"
    assert np.all((checked.bars.ts + 19_800) % 86_400 == 0)


def test_a_report_comes_back_from_plain_data():
    rows = minutes(MONDAY, MONDAY)
    rows[3] = Row(rows[3].time, 500, 400, 300, 500)
    report = judge(rows).report
    again = restore(report.dump())
    assert again.as_dict() == report.as_dict()
    assert (again.quarantined, again.removed) == (1, ())


def test_one_row_alone_is_judged_too():
    report = judge(minutes(MONDAY, MONDAY)[:1]).report
    assert (only(report).rule, only(report).count, report.accepted) == ("missing_bars", 374, 1)


def test_without_a_present_moment_any_date_will_do():
    rows = columns(minutes(dt.date(2026, 12, 1), dt.date(2026, 12, 1)))
    assert check(rows, Setting("1minute", 1, NSE), file="X.csv", symbol="X").report.verdict == "ok"


def test_minutes_beyond_the_calendar_are_used_and_told():
    day = moment("2001-01-01T09:15")
    rows = [bar(day + dt.timedelta(minutes=minute), minute) for minute in range(375)]
    assert rules(judge(rows).report) == ["calendar_unknown"]


def test_night_hours_of_sundays_are_a_matter_of_dates():
    rows = [bar(moment("2024-01-14T20:00") + dt.timedelta(minutes=minute), minute) for minute in range(30)]
    assert rules(judge(rows).report) == ["not_a_session"]


def test_hours_of_a_few_rows_do_not_tell_an_interval():
    assert judge(minutes(MONDAY, MONDAY, 5)[:2]).report.verdict == "warnings"
