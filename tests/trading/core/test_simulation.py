"""A backtest drives a panel in the order of time, reports how far it is, and can be stopped."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from tests.trading.core.desks import indian
from tests.trading.core.panels import placed, random_panel, walk
from tests.trading.core.test_strategies import QUICK
from trading.core import charge_data, simulation
from trading.core.charges import rates_on
from trading.core.errors import Invalid
from trading.core.panel import LaneSpec, panel
from trading.core.setups import make_setup
from trading.core.simulation import NO_CHARGES, Desk, close_book, open_book, schedule, simulate
from trading.core.state import DAY_END, EVENTS, FILLED, QUIET, TRADED, WIDTH, emit, happenings, new_account

SETUP = make_setup("crossover", 5, {}, {**QUICK["crossover"], "sizing": "quantity", "flat": 0.0005})
ZEROS = (0.0,) * 10


def run(panel, **options):
    return simulate(
        "crossover", SETUP, panel, capital=1e6, charges=options.pop("charges", NO_CHARGES), compiled=False, **options
    )


def test_an_outcome_holds_every_event_every_bar_and_the_final_equity():
    whole = random_panel(1)
    out = run(whole, charges=indian())
    assert out.bars == len(whole)
    happened = out.happenings()
    assert out.measures.trades == sum(each.kind == TRADED for each in happened)
    assert happened[-1].kind == DAY_END
    assert happened[-1].values["equity"] == out.equity
    assert out.measures.days == 8


def test_events_come_in_the_order_of_time_and_lanes_in_their_own_order_within_a_moment():
    happened = [each for each in run(random_panel(2, lanes=3)).happenings() if each.lane >= 0]
    places = [(each.ts, each.lane) for each in happened]
    assert places == sorted(places)


def test_a_lane_that_starts_late_ends_early_or_has_no_bars_harms_no_other():
    late, early = (placed(walk(seed, days=8, a_day=15), 15, 5, LaneSpec("X", fixed=50)) for seed in (1, 2))
    moments = early.bars.ts[[30, 80]]
    cut = early.bars.between(*moments.tolist())
    lanes = [late, placed(early.bars.until(0), 15, 5, early.spec), placed(cut, 15, 5, early.spec)]
    together = run(panel(lanes))
    assert together.bars == 120 + 0 + 50
    for j, each in ((0, lanes[0]), (2, lanes[2])):
        mine = [h.values for h in together.happenings() if h.lane == j and h.kind == TRADED]
        assert mine == [h.values for h in run(panel([each])).happenings() if h.kind == TRADED]
        assert mine


def test_more_events_than_there_was_room_for_are_found_by_running_again():
    whole = random_panel(4, days=300)
    out = run(whole)
    assert out.events.size // WIDTH > max(1024, len(whole) // 8)
    assert out.happenings()[-1].kind == DAY_END


def test_room_that_is_just_used_up_still_takes_the_last_days_end(monkeypatch):
    whole = random_panel(5)
    expected = run(whole)
    monkeypatch.setattr(simulation, "ROOM", expected.events.size // WIDTH - 1)
    np.testing.assert_array_equal(run(whole).events, expected.events)


def test_a_watcher_hears_the_share_done_and_changes_nothing():
    whole, heard = random_panel(6), []
    out = run(whole, watch=lambda share: heard.append(share) or False)
    assert heard == sorted(heard)
    assert len(heard) == simulation.CHUNKS
    assert heard[-1] == 1.0
    np.testing.assert_array_equal(out.events, run(whole).events)


def test_a_watcher_may_stop_a_run_and_what_was_found_is_kept():
    whole = random_panel(6)
    out = run(whole, watch=lambda share: share >= 0.5)
    everything = run(whole).events
    assert 0 < out.bars < len(whole)
    assert out.events.size < everything.size
    np.testing.assert_array_equal(out.events[:-WIDTH], everything[: out.events.size - WIDTH])


def test_a_book_that_was_never_driven_closes_empty():
    whole = random_panel(7)
    desks = [Desk("crossover", SETUP, whole)]
    book = open_book(desks, 1e6, 16, compiled=False)
    out = close_book(simulation.Run(desks, NO_CHARGES, compiled=False), book, 1e6)
    assert (out.bars, out.equity, out.measures.trades, out.happenings()) == (0, 1e6, 0, [])


def test_a_schedule_has_a_row_for_every_change_of_rates_between_two_days():
    first, last = dt.date(2024, 1, 1), dt.date(2024, 12, 31)
    table = schedule("prime-2999", "margin", first, last)
    days = [dt.date.fromordinal(int(day)) for day in table.changes]
    changes = {row.since for rows in charge_data.SCHEDULE.values() for row in rows}
    assert days == [first, *sorted(day for day in changes if first < day <= last)]
    assert [tuple(row) for row in table.rates.tolist()] == [
        tuple(rates_on(day, "prime-2999", "margin")) for day in days
    ]


def test_an_unknown_plan_has_no_schedule():
    with pytest.raises(Invalid, match="unknown plan 'golden'"):
        schedule("golden", "margin", dt.date(2026, 1, 1), dt.date(2026, 2, 1))


# ---- event rows --------------------------------------------------------------------------------------------------


def test_events_that_find_no_room_are_counted_and_not_lost_in_silence():
    _, N = new_account(1.0)
    ev = [0.0] * WIDTH
    for _ in range(3):
        emit(N, ev, FILLED, 0, 0, 0, ZEROS)
    assert len(happenings(N, ev)) == 1
    assert N[simulation.OVERFLOW] == 2


def test_a_quiet_account_keeps_closed_trades_and_ends_of_days_only():
    _, N = new_account(1.0)
    N[QUIET] = 1
    ev = [0.0] * (WIDTH * 9)
    for kind in range(1, 9):
        emit(N, ev, kind, 0, 0, 0, ZEROS)
    assert [each.kind for each in happenings(N, ev)] == [TRADED, DAY_END]
    assert N[EVENTS] == 2
