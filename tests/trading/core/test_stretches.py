"""A stretch traded by itself: warmed by the days before, flat at both ends, its cash the sum of its trades."""

import datetime as dt

import numpy as np
import pytest

from trading.core import demo, stretches
from trading.core.calendar import NSE
from trading.core.panel import LaneSpec, lane, panel
from trading.core.rolls import Roll
from trading.core.setups import make_setup
from trading.core.simulation import open_book, schedule, simulate
from trading.core.state import DAY_END, FILLED, OPERATOR, SIGNAL, TRADED, WIDTH
from trading.core.stretches import stretch

START, END, SINCE = dt.date(2026, 8, 31), dt.date(2026, 10, 30), dt.date(2026, 9, 21).toordinal()
CAPITAL = 1_000_000.0
SWING = {"sma": 3, "ema": 6, "rsi": 4}


def lanes(minutes):
    first = START if minutes == 5 else dt.date(2026, 1, 5)
    return [
        lane(
            LaneSpec(n, demo.instrument(n).tick),
            demo.generate(n, NSE.sessions(first, END, demo.instrument(n).segment), seed=11, minutes=minutes),
            minutes,
        )
        for n in list(demo.INSTRUMENTS)[:2]
    ]


def market(minutes):
    return panel(lanes(minutes))


CHARGES = schedule("prime-2999", "cash", dt.date(2026, 1, 5), END)


@pytest.fixture(scope="module")
def hours():
    """Five-minute bars of two shares."""
    return market(5)


def of_kind(outcome, kind):
    rows = outcome.events.reshape(-1, WIDTH)
    return rows[rows[:, 0] == kind]


@pytest.mark.parametrize(("name", "minutes"), [("intraday", 5), ("swing", 1440)])
def test_it_trades_only_its_own_days_and_ends_with_cash_that_its_trades_explain(name, minutes, hours):
    bars = hours if minutes == 5 else market(minutes)
    setup = make_setup(name, minutes, {}, {"adx_min": 0, "volume_min": 0} if name == "intraday" else SWING)
    found = stretch(name, setup, bars, SINCE, capital=CAPITAL, charges=CHARGES, compiled=False)
    sessions = of_kind(found, DAY_END)[:, 4]
    assert sessions.tolist() == sorted({s for s in bars.session.tolist() if s >= SINCE})
    last = of_kind(found, DAY_END)[-1]
    assert last[7] == pytest.approx(0.0, abs=1e-6)  # nothing is held
    assert last[5] == pytest.approx(last[6])  # equity is cash
    trades = of_kind(found, TRADED)
    assert len(trades) > 2
    assert found.equity == pytest.approx(CAPITAL + trades[:, 11].sum(), abs=0.01)


def test_its_signals_are_those_of_a_run_that_saw_all_days(hours):
    """Indicators know the days before: the first signals of the stretch are the whole run's of those days."""
    setup = make_setup("intraday", 5, {}, {"adx_min": 0, "volume_min": 0})
    whole = simulate("intraday", setup, hours, capital=CAPITAL, charges=CHARGES, compiled=False)
    part = stretch("intraday", setup, hours, SINCE, capital=CAPITAL, charges=CHARGES, compiled=False)
    begin = int(hours.ts[hours.session >= SINCE].min())
    first_day = begin + 86_400

    def said(outcome):
        rows = of_kind(outcome, SIGNAL)
        return rows[(rows[:, 3] >= begin) & (rows[:, 3] < first_day)][:, [1, 2, 3, 4, 6]]

    assert len(said(part)) > 0
    np.testing.assert_array_equal(said(part), said(whole))


def test_what_is_held_at_the_end_is_sold_and_charged():
    told = {"sma": 5, "ema": 20, "rsi": 4, "rsi_exit": 100.0, "max_hold": 60, "stop_loss": 0.5, "take_profit": 2.0}
    setup = make_setup("swing", 1440, {}, told)
    found = stretch("swing", setup, market(1440), SINCE, capital=CAPITAL, charges=CHARGES, compiled=False)
    sold = of_kind(found, TRADED)
    at_end = sold[sold[:, 12] == OPERATOR]
    assert len(at_end) > 0
    assert (at_end[:, 10] > 0.0).all()
    assert of_kind(found, FILLED)[-1][9] == 2.0


def test_room_for_events_grows_until_all_fit(hours, monkeypatch):
    setup = make_setup("intraday", 5, {}, {"adx_min": 0, "volume_min": 0})
    wide = stretch("intraday", setup, hours, SINCE, capital=CAPITAL, charges=CHARGES, compiled=False)
    asked = []

    def small(desks, capital, room, *, compiled):
        asked.append(room)
        return open_book(desks, capital, 8 if len(asked) <= 2 else room, compiled=compiled)

    monkeypatch.setattr(stretches, "open_book", small)
    tight = stretch("intraday", setup, hours, SINCE, capital=CAPITAL, charges=CHARGES, compiled=False)
    np.testing.assert_array_equal(tight.events, wide.events)
    assert len(asked) == 4


@pytest.mark.parametrize("room", [8, 1024])
def test_bars_too_many_for_memory_pass_by_and_end_the_same_what_is_held_at_the_end_included(room, monkeypatch):
    told = {"sma": 5, "ema": 20, "rsi": 4, "rsi_exit": 100.0, "max_hold": 60, "stop_loss": 0.5, "take_profit": 2.0}
    setup = make_setup("swing", 1440, {}, told)
    monkeypatch.setattr(stretches, "ROOMY", room)
    whole, bit_by_bit = (
        stretch("swing", setup, bars, SINCE, capital=CAPITAL, charges=CHARGES, compiled=False)
        for bars in (market(1440), Roll.of(lanes(1440), 60))
    )
    assert bit_by_bit.events.tobytes() == whole.events.tobytes()
    assert (of_kind(whole, TRADED)[:, 12] == OPERATOR).any()
