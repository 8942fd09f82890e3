"""The engine, moment by moment: lanes fail alone, a pause stops entries only, and it continues from its numbers."""

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.desks import engine, exact, lanes, moments, play, state
from trading.core.risk import PAUSED_BY_OPERATOR
from trading.core.simulation import schedule
from trading.core.state import BARS, DAY_END, ENTRY, EXIT, FILLED, ORDERED, SIDE, SIGNAL, TRADED
from trading.services.engine import Engine, Latency
from trading.services.parity import replay
from trading.services.recording import _plain, memory_of

DAY_ONE, DAY_LAST = dt.date(2019, 1, 1), dt.date(2022, 12, 30)
NAN, INF = float("nan"), float("inf")


@pytest.fixture(scope="module")
def week():
    """Three lively symbols over five sessions, and every moment of them."""
    over = lanes()
    return over, *moments(over)


@pytest.fixture(scope="module")
def years():
    """Three symbols over four years of daily bars."""
    over = lanes(span=(DAY_ONE, DAY_LAST), minutes=1440)
    return over, *moments(over)


def of(kind, happenings, **values):
    return [x for x in happenings if x.kind == kind and values.items() <= x.values.items()]


# lanes fail alone


@pytest.mark.parametrize("price", [NAN, INF, -INF, 0.0, -5.0])
@pytest.mark.parametrize("field", ["open", "high", "low", "close"])
def test_a_bar_that_is_none_stops_its_lane_and_the_others_trade_as_if_it_had_no_more_bars(week, field, price):
    over, _, played = week
    at = len(played) // 3
    spoiled = [
        (day, ts, [(lane, bar._replace(**{field: price}) if k == at and lane == 1 else bar) for lane, bar in rows])
        for k, (day, ts, rows) in enumerate(played)
    ]
    silent = [(d, ts, [row for row in rows if k < at or row[0] != 1]) for k, (d, ts, rows) in enumerate(played)]
    hurt, bereft = engine(over), engine(over)
    assert exact(play(hurt, spoiled)) == exact(play(bereft, silent))
    assert hurt.A == bereft.A
    assert list(hurt.halted) == [1]
    assert "no prices" in hurt.halted[1]


def test_a_strategy_that_raises_stops_its_lane_once_and_says_why(week):
    over, _, played = week
    desk = engine(over)
    react = desk.core.react

    def failing(bar, memory, floats, ints, *rest):
        if ints[BARS] == 100 and floats is desk.L[2]:
            raise ZeroDivisionError("float division by zero")
        return react(bar, memory, floats, ints, *rest)

    desk.seats = [seat._replace(core=seat.core._replace(react=failing)) for seat in desk.seats]
    steps = [desk.step(ts, rows) for _, ts, rows in played]
    assert desk.halted == {2: "ZeroDivisionError: float division by zero"}
    assert [step.halted for step in steps if step.halted] == [(2,)]
    later = [x for step in steps[101:] for x in step.happenings]
    assert {x.lane for x in later if x.kind == ORDERED} == {0, 1}
    assert desk.K[2][BARS] == 100
    assert desk.K[1][BARS] == len(played)


def test_a_stopped_lane_is_neither_counted_nor_shown_again(week):
    over, _, played = week
    desk = engine(over)
    desk.halted[0] = "an operator said so"
    for _, ts, rows in played[:50]:
        desk.step(ts, rows)
    assert desk.bars == 100
    assert set(desk.last) == set(desk.features) == {1, 2}


# the switch


def test_a_pause_lets_exits_through_but_no_entries(week):
    over, _, played = week
    desk = engine(over)
    at = next(k for k, (_, ts, rows) in enumerate(played) if desk.step(ts, rows) and any(K[SIDE] for K in desk.K))
    desk.pause(True)
    later = play(desk, played[at + 1 :])
    assert of(ORDERED, later, purpose=float(EXIT))
    assert not of(ORDERED, later, purpose=float(ENTRY))
    refused = [x for x in of(SIGNAL, later) if x.values["side"] == 0.0]
    assert refused
    assert all(int(x.values["objections"]) & PAUSED_BY_OPERATOR for x in refused)
    assert not any(K[SIDE] for K in desk.K)


def test_after_a_pause_entries_go_on(week):
    over, _, played = week
    desk = engine(over)
    desk.pause(True)
    assert not of(ORDERED, play(desk, played[:150]))
    desk.pause(False)
    assert of(ORDERED, play(desk, played[150:]), purpose=float(ENTRY))


# how long it takes


@pytest.mark.parametrize(("nanoseconds", "bound"), [(0, 1), (999, 1), (1000, 2), (3999, 4), (80_000, 128)])
def test_a_latency_is_told_as_a_power_of_two_it_stayed_below(nanoseconds, bound):
    latency = Latency()
    latency.add(nanoseconds)
    assert latency.quantile(0.5) == latency.quantile(0.99) == bound


def test_no_latency_has_no_quantile():
    assert Latency().quantile(0.99) is None


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=50), st.floats(0.01, 1.0))
def test_a_quantile_bounds_the_share_it_names(times, q):
    latency = Latency()
    for each in times:
        latency.add(each)
    bound = latency.quantile(q)
    assert sum(each / 1000 < bound for each in times) >= q * len(times)
    assert Latency(json.loads(json.dumps(latency.buckets))).quantile(q) == bound


def test_every_bar_is_timed(week):
    over, _, played = week
    desk = engine(over)
    play(desk, played[:40])
    assert sum(desk.latency.buckets) == desk.bars == 120


# it continues from its numbers


def kept(desk, tape, played):
    """Drive the engine through all moments; return what happened, and before each moment what recording would keep."""
    notes, told, memory, today = [], [], [], None
    for day, ts, rows in played:
        if day != today:
            today, memory = day, [(_plain(m), K[BARS]) for m, K in zip(desk.m, desk.K, strict=True)]
        notes.append((json.dumps([desk.numbers(), memory]), day, len(told)))
        told.extend(desk.step(ts, rows).happenings)
    return notes, exact(told)


def continued(over, tape, note, **how) -> Engine:
    text, day, _ = note
    numbers, memory = json.loads(text)
    fresh = engine(over, **how)
    bars = [tape.bars_of(lane, day) for lane in range(len(over))]
    fresh.restore(numbers, [(memory_of(saved), seen) for saved, seen in memory], bars)
    return fresh


@pytest.fixture(scope="module")
def uninterrupted(week):
    over, tape, played = week
    desk = engine(over)
    return desk, *kept(desk, tape, played)


@given(data=st.data())
def test_cut_at_any_moment_it_continues_bit_for_bit(week, uninterrupted, data):
    over, tape, played = week
    desk, notes, told = uninterrupted
    cut = data.draw(st.integers(0, len(played) - 1))
    again = continued(over, tape, notes[cut])
    assert exact(play(again, played[cut:])) == told[notes[cut][2] :]
    assert state(again) == state(desk)
    assert (again.bars, again.latency.quantile(0.5) is None) == (desk.bars, False)


@given(data=st.data())
def test_cut_again_and_again_it_still_continues_bit_for_bit(week, uninterrupted, data):
    over, tape, played = week
    desk, notes, told = uninterrupted
    cuts = sorted(data.draw(st.sets(st.integers(1, len(played) - 1), min_size=2, max_size=4)))
    found, part = [], engine(over)
    for start, end in zip([0, *cuts], [*cuts, len(played)], strict=True):
        found += exact(play(part, played[start:end]))
        if end < len(played):
            memory = json.loads(notes[end][0])[1]
            part = continued(over, tape, (json.dumps([part.numbers(), memory]), played[end][0], 0))
    assert found == told
    assert state(part) == state(desk)


@pytest.mark.parametrize("share", [0.0, 0.35, 0.5, 0.99])
def test_swing_continues_with_positions_held_over_night(years, share):
    over, tape, played = years
    desk = engine(over, "swing", 1440, allow_short=1)
    notes, told = kept(desk, tape, played)
    cut = int(share * len(played))
    again = continued(over, tape, notes[cut], name="swing", minutes=1440, allow_short=1)
    assert exact(play(again, played[cut:])) == told[notes[cut][2] :]
    assert state(again) == state(desk)


def test_what_is_shown_again_is_not_acted_on_again(week, uninterrupted):
    over, tape, _ = week
    _, notes, _ = uninterrupted
    at = 120
    again = continued(over, tape, notes[at])
    assert json.dumps(again.numbers()) == json.dumps(json.loads(notes[at][0])[0])
    assert again.step(0, []).happenings == []
    assert set(again.last) == {0, 1, 2}


def test_looking_at_bars_beforehand_warms_the_indicators_and_nothing_else(week):
    over, tape, played = week
    first, second = tape.days[:2]
    cold, warm = engine(over), engine(over)
    for _, ts, rows in played:
        if rows[0][1].ts < tape.bars_of(0, second)[0].ts:
            cold.step(ts, rows)
    for lane in range(len(over)):
        warm.warm(lane, tape.bars_of(lane, first))
    assert warm.m == cold.m
    assert [K[BARS] for K in warm.K] == [K[BARS] for K in cold.K]
    assert (warm.N[SIDE], warm.A[0]) == (engine(over).N[SIDE], 1e6)


# the books


def test_each_session_is_closed_once_and_the_last_one_at_the_end(week):
    over, tape, played = week
    desk = engine(over)
    told = [*play(desk, played), *desk.finish(played[-1][1]).happenings]
    closed = of(DAY_END, told)
    assert [int(x.values["session"]) - 719_163 for x in closed] == tape.days
    assert closed[-1].values["equity"] == desk.A[1]


def test_fills_charges_and_trades_add_up_to_the_equity(week):
    over, _, _ = week
    charges = schedule("i-secure", "cash", DAY_ONE, dt.date(2026, 11, 20))
    told = replay("intraday", engine(over).setup, over, capital=1e6, charges=charges)
    trades, fills = of(TRADED, told), of(FILLED, told)
    assert len(trades) >= 10
    end = of(DAY_END, told)[-1].values["equity"]
    assert end == pytest.approx(1e6 + sum(x.values["net"] for x in trades), abs=0.02 * len(trades))
    assert sum(x.values["charge"] for x in fills) == pytest.approx(sum(x.values["charges"] for x in trades), abs=0.01)
