"""Requests tile the sessions and never ask for too much; what an answer lacks, or has crossed, is told."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.core import chunks as laid
from trading.core import gaps as lacking
from trading.core.bars import INTERVALS, Bars
from trading.core.calendar import IST, NSE, SEGMENTS, Session
from trading.core.errors import Invalid

JANUARY = dt.date(2024, 1, 1), dt.date(2024, 1, 31)
MONDAY = dt.date(2024, 1, 8)
AUCTION = dt.date(2026, 11, 23)  # shares with F&O trade until 15:15, then a closing auction
LATER_AUCTION = dt.date(2026, 12, 8)
DRILL = dt.date(2024, 3, 2)  # two short windows
ASKED = ("1minute", "5minute", "1day")

names = st.sampled_from([*INTERVALS])
days = st.dates(dt.date(2010, 10, 18), NSE.known_until)
spans = st.tuples(days, st.integers(0, 400)).map(
    lambda pair: (pair[0], min(pair[0] + dt.timedelta(pair[1]), NSE.known_until))
)


def session(day: dt.date, segment: str = "equity") -> Session:
    found = NSE.session(day, segment)
    assert found is not None
    return found


def sessions(first: dt.date, last: dt.date, segment: str = "equity") -> list[Session]:
    return NSE.sessions(first, last, segment)


def between(first: dt.date, last: dt.date) -> list[dt.date]:
    return [each.date for each in sessions(first, last)]


def asked_for(found, segment, name):
    """Return every bar start the requests would be answered with, in the order they are asked."""
    minutes = INTERVALS[laid.asked_as(name)]
    parts = []
    for chunk in found:
        every = laid.expected(sessions(chunk.first, chunk.last, segment), minutes)
        inside = (every >= chunk.start.timestamp()) & (every <= chunk.end.timestamp())
        parts.append(every[inside])
    return np.concatenate([np.empty(0, np.int64), *parts])


def clock(day: dt.date, hour: int, minute: int) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=IST)


# requests


@settings(max_examples=60, deadline=None)
@given(span=spans, name=names, segment=st.sampled_from(SEGMENTS))
def test_requests_tile_the_sessions_exactly(span, name, segment):
    found = laid.chunks(between(*span), name, NSE, segment)
    wanted = laid.expected(sessions(*span, segment), INTERVALS[laid.asked_as(name)])
    assert np.array_equal(asked_for(found, segment, name), wanted)
    assert [day for chunk in found for day in chunk.days] == between(*span)


@settings(max_examples=60, deadline=None)
@given(span=spans, name=names, segment=st.sampled_from(SEGMENTS), data=st.data())
def test_any_choice_of_days_is_asked_once_and_never_beyond_what_an_answer_holds(span, name, segment, data):
    there = between(*span)
    wanted = data.draw(st.lists(st.sampled_from(there), unique=True)) if there else []
    found = laid.chunks(wanted, name, NSE, segment)
    assert [day for chunk in found for day in chunk.days] == sorted(wanted)
    starts = asked_for(found, segment, name)
    assert (np.diff(starts) > 0).all()
    assert all(chunk.candles <= laid.MOST for chunk in found)
    for chunk in found:
        inside = laid.expected(sessions(chunk.first, chunk.last, segment), INTERVALS[laid.asked_as(name)])
        assert inside.size <= chunk.candles


@pytest.mark.parametrize(("name", "most"), [("1minute", 2), ("5minute", 13), ("15minute", 13)])
def test_a_request_holds_as_many_sessions_as_breeze_answers(name, most):
    found = laid.chunks(between(dt.date(2023, 1, 1), dt.date(2023, 10, 31)), name, NSE)
    assert {len(chunk.days) for chunk in found[:-1]} == {most}


def test_a_request_holds_four_years_of_days():
    first, second = laid.chunks(between(dt.date(2016, 1, 1), dt.date(2023, 12, 31)), "1day", NSE)
    assert (len(first.days), first.last.year, second.candles) == (1000, 2020, len(second.days))


def test_a_year_of_minutes_takes_as_many_requests_as_the_field_says():
    assert len(laid.chunks(between(dt.date(2023, 1, 1), dt.date(2023, 12, 31)), "1minute", NSE)) == 123


def test_a_request_names_its_first_and_last_bar():
    (chunk,) = laid.chunks([MONDAY], "5minute", NSE)
    assert (chunk.start, chunk.end, chunk.candles) == (clock(MONDAY, 9, 15), clock(MONDAY, 15, 25), 75)
    (chunk,) = laid.chunks([MONDAY], "1day", NSE)
    assert chunk.start == clock(MONDAY, 0, 0)
    assert chunk.end == clock(MONDAY, 23, 59).replace(second=59)


def test_fifteen_minutes_are_asked_as_five():
    assert laid.chunks([MONDAY], "15m", NSE) == laid.chunks([MONDAY], "5minute", NSE)
    assert [laid.asked_as(name) for name in ("1m", "5m", "15m", "1d")] == ["1minute", "5minute", "5minute", "1day"]


def test_room_is_left_for_the_closing_auction():
    assert laid.room(session(AUCTION, "equity"), 1) == 375
    assert laid.room(session(AUCTION, "equity_fno"), 1) == 360 + 20
    assert laid.room(session(LATER_AUCTION, "equity_fno"), 5) == 75 + 2


def test_two_wanted_days_near_each_other_share_a_request():
    monday, wednesday = dt.date(2024, 1, 8), dt.date(2024, 1, 10)
    (chunk,) = laid.chunks([wednesday, monday], "5minute", NSE)
    assert (chunk.days, chunk.candles) == ((monday, wednesday), 3 * 75)
    assert len(laid.chunks([monday, wednesday], "1minute", NSE)) == 2


def test_nothing_wanted_is_nothing_asked_and_unknown_years_are_refused():
    assert laid.chunks([], "1day", NSE) == []
    with pytest.raises(Invalid, match="calendar does not know"):
        laid.chunks([dt.date(2031, 1, 1)], "1day", NSE)
    with pytest.raises(Invalid, match="3minute"):
        laid.chunks([MONDAY], "3minute", NSE)


def test_a_full_answer_is_asked_again_in_halves_unless_it_is_one_session():
    (chunk,) = laid.chunks(between(MONDAY, dt.date(2024, 1, 12)), "5minute", NSE)
    one, other = laid.halves(chunk, "5minute", NSE)
    assert (*one.days, *other.days) == chunk.days
    assert laid.halves(laid.chunks([MONDAY], "5minute", NSE)[0], "5minute", NSE) == []


# what a session's bars are


@pytest.mark.parametrize(
    ("day", "segment", "name", "count"),
    [
        (MONDAY, "equity", "1minute", 375), (MONDAY, "equity", "5minute", 75), (MONDAY, "equity", "15minute", 25),
        (MONDAY, "equity", "1day", 1), (AUCTION, "equity", "1minute", 375), (AUCTION, "equity_fno", "1minute", 360),
        (AUCTION, "equity_fno", "5minute", 72), (LATER_AUCTION, "equity_fno", "1minute", 375),
        (DRILL, "equity", "1minute", 105), (DRILL, "equity", "15minute", 7), (dt.date(2024, 11, 1), "equity", "1m", 60),
    ],
)  # fmt: skip
def test_a_session_has_the_bars_of_its_windows(day, segment, name, count):
    minutes = INTERVALS[{"1m": "1minute"}.get(name, name)]
    assert laid.starts(session(day, segment), minutes).size == count


@settings(max_examples=40, deadline=None)
@given(day=days, minutes=st.sampled_from([1, 5, 15]), segment=st.sampled_from(SEGMENTS))
def test_every_expected_bar_stands_inside_the_session_of_the_calendar(day, minutes, segment):
    for each in NSE.sessions(day, min(day + dt.timedelta(10), NSE.known_until), segment):
        starts = laid.starts(each, minutes)
        places = NSE.session_columns(starts, minutes, segment)
        assert places.inside.all()
        assert not (places.minute % minutes).any()


def test_a_bar_counts_once_it_is_complete_and_a_day_a_while_after_its_auction():
    assert laid.starts(session(MONDAY), 5, clock(MONDAY, 9, 24)).size == 1
    assert laid.starts(session(MONDAY), 5, clock(MONDAY, 9, 25)).size == 2
    fno = session(AUCTION, "equity_fno")
    assert not laid.over(fno, clock(AUCTION, 15, 39))
    assert laid.over(fno, clock(AUCTION, 15, 40))
    assert laid.starts(fno, 1440, clock(AUCTION, 15, 20)).size == 0
    assert laid.starts(session(AUCTION), 1440, clock(AUCTION, 15, 34)).size == 0
    assert laid.starts(session(AUCTION), 1440, clock(AUCTION, 15, 35)).size == 1


def test_a_session_that_goes_on_is_asked_up_to_its_last_complete_bar():
    assert laid.begun(session(MONDAY), 5, clock(MONDAY, 9, 19)) is None
    chunk = laid.begun(session(MONDAY), 5, clock(MONDAY, 11, 3))
    assert (chunk.start, chunk.end, chunk.candles) == (clock(MONDAY, 9, 15), clock(MONDAY, 10, 55), 21)


def test_days_and_runs_of_neighbours():
    week = between(MONDAY, dt.date(2024, 1, 16))
    assert laid.spans([week[0], week[1], week[4], week[6]], week) == [
        (week[0], week[1]), (week[4], week[4]), (week[6], week[6]),
    ]  # fmt: skip
    ts = laid.expected(sessions(MONDAY, dt.date(2024, 1, 9)), 5)
    assert laid.days_of(ts) == {MONDAY, dt.date(2024, 1, 9)}
    assert laid.day_of(int(ts[0])) == MONDAY


# gaps


def without(ts, *positions):
    return np.delete(ts, positions)


def test_a_full_week_has_no_gap():
    week = sessions(MONDAY, dt.date(2024, 1, 12))
    assert lacking.gaps(laid.expected(week, 1), week, 1) == []


def test_each_kind_of_gap_is_told_by_its_name():
    week = sessions(MONDAY, dt.date(2024, 1, 12))
    ts = laid.expected(week, 5)
    missing = [0, 85, 86, *range(75 * 2 + 70, 75 * 3), *range(75 * 3, 75 * 4)]
    found = lacking.gaps(without(ts, *missing), week, 5)
    assert [(gap.kind, gap.day.day, gap.bars) for gap in found] == [
        ("first", 8, 1), ("hole", 9, 2), ("last", 10, 5), ("session", 11, 75),
    ]  # fmt: skip
    assert found[0].told == "2024-01-08: the session begins late: 1 bar missing, 09:15"
    assert found[1].told == "2024-01-09: a hole: 2 bars missing, 10:05 to 10:10"
    assert found[2].told == "2024-01-10: the session ends early: 5 bars missing, 15:05 to 15:25"
    assert found[3].told == "2024-01-11: no bar at all (75 bars missing)"
    assert found[0].as_dict() == {"kind": "first", "day": "2024-01-08", "bars": 1, "start": "09:15"}
    assert lacking.counted_kinds(found) == "1 missing session, 1 late start, 1 hole, 1 early end"
    assert lacking.missing_by_day(found) == {gap.day: gap.bars for gap in found}


def test_a_session_that_goes_on_lacks_nothing_of_its_future():
    day = [session(MONDAY)]
    ts = laid.expected(day, 5, clock(MONDAY, 11, 0))
    assert lacking.gaps(ts, day, 5, clock(MONDAY, 11, 0)) == []
    assert lacking.gaps(ts[:-1], day, 5, clock(MONDAY, 11, 0))[0].bars == 1
    assert lacking.gaps(np.empty(0, np.int64), day, 1440, clock(MONDAY, 11, 0)) == []


def test_a_share_with_a_closing_auction_lacks_no_continuous_bar_after_a_quarter_past_three():
    fno, plain = session(AUCTION, "equity_fno"), session(AUCTION)
    ts = laid.starts(fno, 1)
    assert lacking.gaps(ts, [fno], 1) == []
    assert [(gap.kind, gap.bars) for gap in lacking.gaps(ts, [plain], 1)] == [("last", 15)]


@settings(max_examples=60, deadline=None)
@given(data=st.data(), name=st.sampled_from(["5minute", "15minute", "1day"]))
def test_gaps_and_bars_together_are_the_whole(data, name):
    minutes = INTERVALS[name]
    there = sessions(*JANUARY)
    whole = laid.expected(there, minutes)
    gone = data.draw(st.lists(st.integers(0, whole.size - 1), unique=True, max_size=60))
    found = lacking.gaps(np.delete(whole, gone), there, minutes)
    assert sum(gap.bars for gap in found) == len(gone)
    lost = set(whole[gone].tolist())
    inside = {ts for gap in found for ts in whole.tolist() if gap.start <= ts <= gap.end}
    assert inside == lost


# open and close exchanged


def walk(first=dt.date(2024, 1, 1), last=dt.date(2024, 3, 1), seed=3):
    """Return daily bars with small nights and large days, and the five-minute bars they are made of."""
    there = sessions(first, last)
    rng = np.random.default_rng(seed)
    ts = laid.expected(there, 5)
    steps = rng.normal(0, 0.003, ts.size)
    close = 1000 * np.exp(np.cumsum(steps))
    opens = np.append(1000.0, close[:-1])
    fine = Bars(ts, opens, np.maximum(opens, close), np.minimum(opens, close), close, np.full(ts.size, 10.0))
    first_bar = np.searchsorted(ts, [each.open.timestamp() for each in there])
    last_bar = np.append(first_bar[1:], ts.size) - 1
    lows, highs = np.minimum.reduceat(fine.low, first_bar), np.maximum.reduceat(fine.high, first_bar)
    days = laid.expected(there, 1440)
    return Bars(days, opens[first_bar], highs, lows, close[last_bar], np.full(days.size, 1e6)), fine


def crossed(daily: Bars, *places) -> Bars:
    opens, closes = daily.open.copy(), daily.close.copy()
    for at in places:
        opens[at], closes[at] = daily.close[at], daily.open[at]
    return Bars(daily.ts, opens, daily.high, daily.low, closes, daily.volume)


def far_apart(daily: Bars, share=0.02) -> list[int]:
    return np.flatnonzero(np.abs(daily.open / daily.close - 1) > share).tolist()


def test_sound_days_are_not_suspected():
    daily, fine = walk()
    assert lacking.swapped(daily, [fine]) == []
    assert lacking.swapped(daily) == []


def test_intraday_bars_prove_which_days_have_open_and_close_exchanged():
    daily, fine = walk()
    places = far_apart(daily, 0.004)[:9]
    found = lacking.swapped(crossed(daily, *places), [fine])
    assert [laid.day_of(int(daily.ts[at])) for at in places] == [swap.day for swap in found]
    assert all(swap.proved for swap in found)
    assert "have changed places: the day's own bars" in found[0].told


def test_an_official_close_away_from_the_last_trade_is_no_exchange():
    daily, fine = walk()
    shifted = Bars(daily.ts, daily.open, daily.high, daily.low, daily.close * 1.003, daily.volume)
    assert lacking.swapped(shifted, [fine]) == []


def test_without_intraday_bars_a_clear_case_is_only_suspected():
    daily, _ = walk()
    at = next(at for at in far_apart(daily) if 0 < at < len(daily) - 1)
    (found,) = lacking.swapped(crossed(daily, at))
    assert (found.proved, found.day) == (False, laid.day_of(int(daily.ts[at])))
    assert "may have changed places" in found.told


def test_a_series_exchanged_throughout_is_noticed_as_a_whole():
    daily, _ = walk()
    found = lacking.swapped(crossed(daily, *range(len(daily))))
    assert len(found) > 0.8 * len(daily)
    assert lacking.swapped(crossed(daily, *range(len(daily))).until(10)) == []  # too short to tell


def test_intraday_bars_of_some_days_decide_for_those_days_only():
    daily, fine = walk()
    half = fine.until(75 * 20)
    sure, unsure = (next(at for at in far_apart(daily) if test(at)) for test in (lambda a: a < 20, lambda a: a > 21))
    found = lacking.swapped(crossed(daily, sure, unsure), [half])
    assert {(swap.day, swap.proved) for swap in found} >= {(laid.day_of(int(daily.ts[sure])), True)}
    assert all(swap.proved == (swap.day <= laid.day_of(int(half.ts[-1]))) for swap in found)
