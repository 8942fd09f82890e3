"""A tape plays its lanes session by session, in the order of time, and holds one session of them."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.desks import WEEK, lanes
from trading.adapters.columns import ColumnStore, Source
from trading.core.bars import Bars
from trading.core.calendar import NSE
from trading.core.panel import LaneSpec, lane
from trading.services.tapes import Tape, epoch_day

MONDAY = int(dt.datetime(2026, 11, 2, 3, 45, tzinfo=dt.UTC).timestamp())


@pytest.fixture(scope="module")
def week():
    return Tape(lanes())


def made(symbol, starts):
    """Return a lane of flat bars at these starts (minutes after Monday's open)."""
    ts = MONDAY + 60 * np.array(starts, np.int64)
    flat = np.full(ts.size, 100.0)
    return lane(LaneSpec(symbol), Bars(ts, flat, flat, flat, flat, flat), 1)


def test_every_bar_is_played_once_in_the_order_of_time(week):
    played = [(ts, k, bar) for day in week.days for ts, rows in week.moments(day) for k, bar in rows]
    assert [ts for ts, _, _ in played] == sorted(ts for ts, _, _ in played)
    assert len(played) == len(week) == 5 * (72 + 75 + 75)
    for k in range(3):
        mine = [bar for _, lane, bar in played if lane == k]
        columns = np.array([bar[:5] for bar in mine]).T
        assert all((a == b).all() for a, b in zip(columns, week.bars(k).columns()[1:], strict=True))
        assert [bar.ts for bar in mine] == week.bars(k).ts.tolist()


def test_a_moment_holds_the_lanes_that_have_a_bar_then_in_their_own_order():
    tape = Tape([made("A", [0, 1, 3]), made("B", [1, 2]), made("C", [])])
    (day,) = tape.days
    found = [((ts - MONDAY) // 60, [k for k, _ in rows]) for ts, rows in tape.moments(day)]
    assert found == [(0, [0]), (1, [0, 1]), (2, [1]), (3, [0])]
    assert tape.last(day) == MONDAY + 180


@given(st.lists(st.sets(st.integers(0, 374), max_size=20), min_size=1, max_size=4))
def test_however_the_lanes_lie_each_bar_comes_at_its_moment(starts):
    tape = Tape([made(f"S{k}", sorted(each)) for k, each in enumerate(starts)])
    played = [((ts - MONDAY) // 60, k) for day in tape.days for ts, rows in tape.moments(day) for k, _ in rows]
    assert played == sorted((at, k) for k, each in enumerate(starts) for at in each)


def test_a_day_belongs_to_the_exchange_and_not_to_greenwich():
    midnight = int(dt.datetime(2026, 11, 2, 0, 0, tzinfo=dt.timezone(dt.timedelta(hours=5.5))).timestamp())
    flat = np.full(1, 100.0)
    tape = Tape([lane(LaneSpec("D"), Bars(np.array([midnight]), flat, flat, flat, flat, flat), 1440)])
    assert tape.days == [epoch_day(dt.date(2026, 11, 2))]


def test_a_day_without_bars_is_empty(week):
    holiday = epoch_day(WEEK[0]) - 1
    assert week.bars_of(0, holiday) == []
    assert list(week.moments(holiday)) == []
    assert week.last(holiday) == 0


def test_the_close_before_a_day_is_the_last_one_known(week):
    first, second = week.days[:2]
    assert np.isnan(week.before(0, first))
    assert week.before(0, second) == week.bars_of(0, first)[-1].close
    assert week.before(0, second + 30) == week.bars(0).close[-1]


def test_unknown_sentiment_and_places_come_with_each_bar(week):
    bar = week.bars_of(1, week.days[0])[-1]
    session = NSE.session(WEEK[0], "equity")
    assert (bar.minute, bar.left) == (370, 0)
    assert bar.session == session.date.toordinal()
    assert Tape([made("A", [0])]).bars_of(0, epoch_day(WEEK[0]))[0].sentiment != 0


def test_bars_mapped_from_the_store_stay_readable_after_their_pages_are_handed_back(tmp_path):
    (source,) = lanes(["DEMOLABS"])
    file = tmp_path / "x.csv"
    file.write_text("")
    store = ColumnStore(tmp_path / "columns")
    store.save("key", source.bars, [Source.of(file, hashed=True)], {}, [])
    mapped = store.load("key", [Source.of(file)]).bars
    tape = Tape([lane(source.spec, mapped, 5)])
    once = repr([list(tape.moments(day)) for day in tape.days])
    assert repr([list(tape.moments(day)) for day in tape.days]) == once
    assert (mapped.close == source.bars.close).all()
