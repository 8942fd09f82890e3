"""The shipped calendar against published ones, its special sessions and hours, overrides, and the bar columns."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time

import exchange_calendars
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.core import calendar_data
from trading.core.calendar import IST, NSE, SEGMENTS, Override, Phase, Session
from trading.core.errors import Invalid

DIWALI = "a Diwali evening session: XBOM keeps the day as a holiday"
WEEKDAY_DIFFERENCES = {
    dt.date(2013, 11, 14): "Moharram was moved to the 15th; the exchange traded on the 14th",
    dt.date(2013, 11, 15): "Moharram was moved to the 15th; XBOM closes the 14th",
    dt.date(2014, 10, 23): DIWALI,
    dt.date(2015, 11, 11): DIWALI,
    dt.date(2017, 10, 19): DIWALI,
    dt.date(2018, 11, 7): DIWALI,
    dt.date(2021, 11, 4): DIWALI,
    dt.date(2022, 10, 24): DIWALI,
    dt.date(2024, 11, 1): DIWALI,
    dt.date(2025, 10, 21): DIWALI,
}
WEEKEND_SESSIONS = [
    "2009-10-17", "2010-02-06", "2012-01-07", "2012-03-03", "2012-04-28", "2012-09-08", "2013-05-11", "2013-11-03",
    "2014-03-22", "2015-02-28", "2016-10-30", "2019-10-27", "2020-02-01", "2020-11-14", "2023-11-12", "2024-01-20",
    "2024-03-02", "2024-05-18", "2025-02-01", "2026-02-01", "2026-11-08",
]  # fmt: skip


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=IST)


def seconds(text: str) -> int:
    return int(at(text).timestamp())


def session_of(text: str, segment: str = "equity") -> Session:
    session = NSE.session(day(text), segment)
    assert session is not None
    return session


def hours(phases: tuple[Phase, ...]) -> str:
    return ", ".join(f"{phase.name} {phase.start:%H:%M}-{phase.end:%H:%M}" for phase in phases)


@pytest.mark.filterwarnings("ignore:Series.values returning")  # exchange_calendars 4.13 under pandas 3.1
def test_weekdays_agree_with_exchange_calendars_but_for_the_listed_days():
    # XBOM ends at its bound of 31 Dec 2026. Under pandas 3 it loses its weekend sessions, so weekdays are compared.
    published = exchange_calendars.get_calendar("XBOM", start="2008-01-01", end="2026-12-31")
    theirs = {stamp.date() for stamp in published.sessions if stamp.weekday() < 5}
    ours = {s.date for s in NSE.sessions(day("2008-01-01"), day("2026-12-31")) if s.date.weekday() < 5}
    assert ours ^ theirs == set(WEEKDAY_DIFFERENCES)


def test_weekends_are_closed_but_for_the_listed_sessions():
    sessions = NSE.sessions(NSE.known_from, NSE.known_until)
    assert [str(s.date) for s in sessions if s.date.weekday() >= 5] == WEEKEND_SESSIONS


@pytest.mark.parametrize(("year", "weekdays"), [(2024, 246), (2025, 248), (2026, 245)])
def test_recent_years_have_as_many_weekday_sessions_as_the_circulars_leave(year, weekdays):
    sessions = NSE.sessions(dt.date(year, 1, 1), dt.date(year, 12, 31))
    regular = [s for s in sessions if s.date.weekday() < 5]
    assert len(regular) == weekdays


def test_every_year_has_its_muhurat_session():
    muhurat = [s.date.year for s in NSE.sessions(NSE.known_from, NSE.known_until) if s.kind == "muhurat"]
    assert muhurat == list(range(2007, 2027))


def test_the_data_names_every_closure_and_only_weekdays():
    closed = calendar_data.named_days(calendar_data.CLOSURES)
    assert all(name and date.weekday() < 5 for date, name in closed.items())
    assert {date.year for date in closed} == set(range(2007, 2027))
    assert not closed.keys() & calendar_data.special_plans().keys()


def test_phases_of_every_session_are_in_order_and_hold_a_continuous_one():
    for segment in SEGMENTS:
        for session in NSE.sessions(NSE.known_from, NSE.known_until, segment):
            for stretches in (session.phases, session.steps):
                edges = [edge for phase in stretches for edge in (phase.start, phase.end)]
                assert edges == sorted(edges)
            assert session.open < session.close
            assert session.open.date() == session.close.date() == session.date


@pytest.mark.parametrize(
    ("date", "segment", "expected"),
    [
        ("2009-06-01", "equity", "continuous 09:55-15:30"),
        ("2010-01-04", "equity", "continuous 09:00-15:30"),
        ("2010-10-15", "equity", "continuous 09:00-15:30"),
        ("2010-10-18", "equity", "pre_open 09:00-09:15, continuous 09:15-15:30, post_close 15:40-16:00"),
        ("2026-07-31", "equity_fno", "pre_open 09:00-09:15, continuous 09:15-15:30, post_close 15:40-16:00"),
        ("2026-08-03", "equity", "pre_open 09:00-09:15, continuous 09:15-15:30, post_close 15:50-16:00"),
        (
            "2026-08-03",
            "equity_fno",
            "pre_open 09:00-09:15, continuous 09:15-15:15, closing_auction 15:15-15:35, post_close 15:50-16:00",
        ),
        (
            "2026-12-04",
            "equity_fno",
            "pre_open 09:00-09:15, continuous 09:15-15:15, closing_auction 15:15-15:35, post_close 15:50-16:00",
        ),
        (
            "2026-12-07",
            "equity_fno",
            "pre_open 09:00-09:15, continuous 09:15-15:30, closing_auction 15:30-15:40, post_close 15:50-16:00",
        ),
        ("2026-12-07", "equity", "pre_open 09:00-09:15, continuous 09:15-15:30, post_close 15:50-16:00"),
    ],
)
def test_hours_follow_the_rules_in_force_on_the_date(date, segment, expected):
    session = session_of(date, segment)
    assert hours(session.phases) == expected
    assert session.kind == "regular"


def test_the_auctions_have_their_steps():
    assert hours(session_of("2020-06-01").steps) == (
        "order_entry 09:00-09:08, matching 09:08-09:12, buffer 09:12-09:15"
    )
    assert hours(session_of("2026-08-03", "equity_fno").steps[3:]) == (
        "reference_price 15:15-15:20, limit_and_market 15:20-15:25, limit_only 15:25-15:30, matching 15:30-15:35"
    )
    assert hours(session_of("2026-09-07").steps) == (
        "limit_and_market 09:00-09:05, limit_only 09:05-09:10, matching 09:10-09:12, buffer 09:12-09:15"
    )
    assert hours(session_of("2026-12-07", "equity_fno").steps[4:]) == (
        "reference_price 15:30-15:31, limit_and_market 15:31-15:36, limit_only 15:36-15:40"
    )


@pytest.mark.parametrize(
    ("date", "kind", "windows"),
    [
        ("2012-11-13", "muhurat", ["15:45-17:00"]),
        ("2015-02-28", "special", ["09:15-15:30"]),
        ("2021-02-24", "special", ["09:15-11:40", "15:45-17:00"]),
        ("2024-01-20", "special", ["09:15-15:30"]),
        ("2024-03-02", "special", ["09:15-10:00", "11:30-12:30"]),
        ("2024-05-18", "special", ["09:15-10:00", "11:45-12:40"]),
        ("2024-11-01", "muhurat", ["18:00-19:00"]),
        ("2025-10-21", "muhurat", ["13:45-14:45"]),
        ("2026-02-01", "special", ["09:15-15:30"]),
        ("2026-11-08", "muhurat", ["18:15-19:15"]),
    ],
)
def test_special_sessions_have_their_windows(date, kind, windows):
    session = session_of(date)
    assert session.kind == kind
    assert [f"{w.start:%H:%M}-{w.end:%H:%M}" for w in session.windows] == windows


def test_an_unconfirmed_session_says_so():
    assert session_of("2026-11-08").provisional
    assert not session_of("2025-10-21").provisional


def test_a_session_contains_its_windows_and_not_the_break_between_them():
    session = session_of("2024-03-02")
    assert session.contains(at("2024-03-02 09:59:59"))
    assert not session.contains(at("2024-03-02 10:00"))
    assert session.contains(at("2024-03-02 11:30").astimezone(dt.UTC))
    assert (session.open, session.close) == (at("2024-03-02 09:15"), at("2024-03-02 12:30"))


@pytest.mark.parametrize(
    ("instant", "segment", "phase"),
    [
        ("2026-11-20 08:59", "equity", "closed"),
        ("2026-11-20 09:00", "equity", "pre_open"),
        ("2026-11-20 09:15", "equity", "continuous"),
        ("2026-11-20 15:20", "equity", "continuous"),
        ("2026-11-20 15:20", "equity_fno", "closing_auction"),
        ("2026-11-20 15:40", "equity_fno", "closed"),
        ("2026-11-20 15:55", "equity_fno", "post_close"),
        ("2026-12-07 15:20", "equity_fno", "continuous"),
        ("2026-12-07 15:35", "equity_fno", "closing_auction"),
        ("2026-11-24 11:00", "equity", "closed"),
        ("2026-11-21 11:00", "equity", "closed"),
    ],
)
def test_the_phase_of_an_instant(instant, segment, phase):
    assert NSE.phase(at(instant), segment) == phase
    assert NSE.phase(at(instant).astimezone(dt.UTC), segment) == phase


def test_neighbouring_sessions_skip_weekends_and_holidays():
    assert NSE.next_session(day("2026-11-23")) == day("2026-11-25")
    assert NSE.previous_session(day("2026-11-25")) == day("2026-11-23")
    assert NSE.next_session(day("2026-11-06")) == day("2026-11-08")
    assert NSE.previous_session(day("2027-01-01")) == day("2026-12-31")


def test_a_closure_has_a_name_and_a_weekend_none():
    assert NSE.closure(day("2026-01-15")) == "Municipal elections"
    assert NSE.closure(day("2026-01-17")) is None
    assert NSE.closure(day("2026-01-16")) is None


@pytest.mark.parametrize(
    ("date", "settles"),
    [
        ("2026-11-20", True),
        ("2026-02-19", False),
        ("2026-04-01", False),
        ("2026-08-26", False),
        ("2026-01-26", False),
        ("2026-02-01", False),
        ("2025-10-21", False),
        ("2021-02-24", True),
    ],
)
def test_money_and_shares_settle_on_working_days_of_the_banks(date, settles):
    assert NSE.is_settlement_day(day(date)) is settles


@pytest.mark.parametrize("date", ["2006-12-29", "2027-01-01", "2027-06-15"])
def test_a_day_outside_the_known_range_is_refused_with_the_range_and_the_fix(date):
    for ask in (NSE.session, NSE.is_session, NSE.is_settlement_day):
        with pytest.raises(Invalid, match=rf"{date}.*2007-01-01 to 2026-12-31.*add the exchange's circular"):
            ask(day(date))
    with pytest.raises(Invalid, match="add the exchange's circular to the calendar overrides"):
        NSE.session_columns(np.array([seconds(f"{date} 10:00")]), 1)


def test_the_last_known_session_has_no_known_successor():
    with pytest.raises(Invalid, match="2027-01-01"):
        NSE.next_session(day("2026-12-31"))


def test_an_unknown_segment_and_a_naive_instant_are_refused():
    with pytest.raises(Invalid, match="'currency' is not known: use one of equity, equity_fno"):
        NSE.session(day("2026-11-20"), "currency")
    with pytest.raises(Invalid, match="no time zone"):
        NSE.phase(dt.datetime(2026, 11, 20, 10))  # noqa: DTZ001 - naive on purpose
    with pytest.raises(Invalid, match="from 1, not 0"):
        NSE.session_columns(np.array([0]), 0)


def test_an_override_closes_a_day_and_leaves_the_shipped_calendar_alone():
    mended = NSE.with_overrides([Override(day("2026-12-01"), closed=True, name="State funeral")])
    assert mended.session(day("2026-12-01")) is None
    assert mended.closure(day("2026-12-01")) == "State funeral"
    assert mended.next_session(day("2026-11-30")) == day("2026-12-02")
    assert NSE.is_session(day("2026-12-01"))


def test_an_override_opens_a_holiday_with_its_usual_hours_or_given_ones():
    window = (dt.time(11, 0), dt.time(12, 30))
    mended = NSE.with_overrides(
        [Override(day("2026-12-25"), name="Open after all"), Override(day("2026-12-12"), windows=(window,))]
    )
    christmas, saturday = mended.session(day("2026-12-25"), "equity_fno"), mended.session(day("2026-12-12"))
    assert christmas
    assert saturday
    assert (christmas.kind, christmas.close) == ("regular", at("2026-12-25 15:30"))
    assert (saturday.kind, saturday.open, saturday.close) == (
        "special", at("2026-12-12 11:00"), at("2026-12-12 12:30"),
    )  # fmt: skip
    bars = np.array([seconds("2026-12-12 12:29"), seconds("2026-12-12 12:30")])
    assert mended.session_columns(bars, 1).inside.tolist() == [True, False]


def test_an_override_confirms_the_muhurat_hours():
    confirmed = Override(day("2026-11-08"), windows=((dt.time(17, 30), dt.time(18, 30)),), name="Muhurat")
    session = NSE.with_overrides([confirmed]).session(day("2026-11-08"))
    assert session
    assert (session.kind, session.provisional, session.open) == ("muhurat", False, at("2026-11-08 17:30"))


def test_an_overridden_day_of_next_year_is_known_and_its_neighbours_are_not():
    mended = NSE.with_overrides([Override(day("2027-01-26"), closed=True, name="Republic Day")])
    assert not mended.is_session(day("2027-01-26"))
    with pytest.raises(Invalid):
        mended.is_session(day("2027-01-27"))
    with pytest.raises(Invalid):
        mended.session_columns(np.array([seconds("2027-01-20 10:00")]), 1)


def test_completing_a_year_extends_the_known_range_year_by_year():
    first = Override(day("2027-01-26"), closed=True, name="Republic Day", completes_year=True)
    later = Override(day("2029-01-26"), closed=True, name="Republic Day", completes_year=True)
    mended = NSE.with_overrides([first, later])
    assert mended.known_until == day("2027-12-31")
    assert mended.next_session(day("2027-01-25")) == day("2027-01-27")
    assert mended.with_overrides([]).known_until == day("2027-12-31")


def test_a_contradictory_override_is_refused():
    with pytest.raises(Invalid, match="closed and yet"):
        Override(day("2026-12-01"), closed=True, windows=((dt.time(9), dt.time(10)),))
    with pytest.raises(Invalid, match="end after they began"):
        Override(day("2026-12-01"), windows=((dt.time(10), dt.time(9)),))
    with pytest.raises(Invalid, match="whole minutes"):
        Override(day("2026-12-01"), windows=((dt.time(9), dt.time(10, 0, 30)),))


def test_columns_of_the_last_regular_bars_and_of_the_auction_day():
    ts = np.array([seconds(f"2026-11-20 {clock}") for clock in ("09:14", "09:15", "15:14", "15:15", "15:29")])
    plain, fno = NSE.session_columns(ts, 1), NSE.session_columns(ts, 1, "equity_fno")
    assert plain.minute.tolist() == [-1, 0, 359, 360, 374]
    assert plain.left.tolist() == [375, 374, 15, 14, 0]
    assert fno.left.tolist() == [360, 359, 0, 0, 0]
    assert plain.inside.tolist() == [False, True, True, True, True]
    assert fno.inside.tolist() == [False, True, True, False, False]
    assert set(plain.session.tolist()) == {day("2026-11-20").toordinal()}


def test_daily_bars_stand_at_nought_and_are_inside_on_trading_days():
    ts = np.array([seconds(f"{date} 00:00") for date in ("2026-11-20", "2026-11-21", "2026-11-24", "2026-11-08")])
    columns = NSE.session_columns(ts, 1440)
    assert columns.inside.tolist() == [True, False, False, True]
    assert not columns.minute.any()
    assert not columns.left.any()


def test_no_bars_give_empty_columns():
    columns = NSE.session_columns(np.zeros(0, np.int64), 5)
    assert (columns.session.size, columns.inside.dtype) == (0, np.bool_)


EDGE_DAYS = [day(text) for text in (*WEEKEND_SESSIONS, "2021-02-24", "2026-08-03", "2026-12-07", "2026-11-24")]
DAYS = st.one_of(st.sampled_from(EDGE_DAYS), st.dates(NSE.known_from, NSE.known_until))
INSTANTS = st.tuples(DAYS, st.integers(0, 86_399))


def scalar(instant: int, minutes: int, segment: str) -> tuple[int, int, int, bool]:
    """Answer for one bar by the definition, with datetimes."""
    start = dt.datetime.fromtimestamp(instant, IST)
    session = NSE.session(start.date(), segment)
    if session is None or minutes == 1440:
        return start.date().toordinal(), 0, 0, session is not None
    end = start + dt.timedelta(minutes=minutes)
    left = max((session.close - end) // dt.timedelta(minutes=1), 0)
    minute = (start - session.open) // dt.timedelta(minutes=1)
    return start.date().toordinal(), minute, left, session.contains(start)


@settings(max_examples=150, deadline=None)
@given(st.lists(INSTANTS, min_size=1, max_size=40), st.sampled_from((1, 5, 15, 1440)), st.sampled_from(SEGMENTS))
def test_columns_agree_with_the_scalar_definition_in_any_order_of_bars(instants, minutes, segment):
    midnights = [dt.datetime(d.year, d.month, d.day, tzinfo=IST).timestamp() for d, _ in instants]
    ts = np.array([int(m) + s for m, (_, s) in zip(midnights, instants, strict=True)], np.int64)
    columns = NSE.session_columns(ts, minutes, segment)
    assert {c.dtype for c in (columns.session, columns.minute, columns.left)} == {np.dtype(np.int32)}
    found = zip(columns.session, columns.minute, columns.left, columns.inside, strict=True)
    assert [tuple(row) for row in found] == [scalar(int(t), minutes, segment) for t in ts]


@settings(max_examples=60, deadline=None)
@given(DAYS, st.sampled_from((1, 5, 15)), st.sampled_from(SEGMENTS))
def test_bars_of_a_whole_session_count_up_from_the_open_and_down_to_the_close(date, minutes, segment):
    session = NSE.session(date, segment)
    if session is None:
        return
    starts = [np.arange(int(w.start.timestamp()), int(w.end.timestamp()), 60 * minutes) for w in session.windows]
    columns = NSE.session_columns(np.concatenate(starts), minutes, segment)
    assert columns.inside.all()
    assert (columns.minute[0], columns.left[-1]) == (0, 0)
    assert (np.diff(columns.minute) >= minutes).all()
    assert (np.diff(columns.left) <= 0).all()


def test_a_hundred_thousand_bars_take_a_moment_even_the_first_time():
    sessions = NSE.sessions(day("2025-01-01"), day("2026-02-28"))
    ts = np.concatenate([np.arange(int(s.open.timestamp()), int(s.close.timestamp()), 60) for s in sessions])[:100_000]
    fresh = NSE.with_overrides([])
    started = time.perf_counter()
    columns = fresh.session_columns(ts, 1)
    assert time.perf_counter() - started < 0.1  # about 5 ms where nothing else runs
    assert columns.inside.all()


def test_the_calendar_needs_neither_pandas_nor_django():
    code = "import sys, trading.core.calendar; assert not {'pandas', 'django', 'exchange_calendars'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
