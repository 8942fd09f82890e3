"""One bar through the desk: what waits is filled at the next open, what is held is watched, what is late is refused."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.core.desks import Desk, bar, market, rules, sized
from trading.core import risk
from trading.core import state as slot
from trading.core.signals import FLAT, LONG, SHORT
from trading.core.state import EXIT_REASONS


def entered(setup, price=100.0, say=LONG, **kind):
    """Return a desk that bought (or sold short) 100 at ``price`` on its second bar."""
    desk = Desk(setup, **kind)
    desk.feed(bar(price, say=say))
    desk.feed(bar(price))
    return desk


def left(desk):
    """Return why and at what price the last trade was left."""
    trade = desk.trades()[-1]
    return EXIT_REASONS[int(trade["why"])], trade["exit_price"]


def objections(desk):
    """Return the objections of the last signal, as sentences."""
    return risk.reasons(int(desk.happened(slot.SIGNAL)[-1].values["objections"]))


# ---- entering and leaving ----------------------------------------------------------------------------------------


def test_a_signal_fills_at_the_next_bars_open_and_not_before():
    desk = Desk(rules())
    first = desk.feed(bar(100, say=LONG))
    assert [each.kind for each in first] == [slot.SIGNAL, slot.ORDERED, slot.NOTED]
    assert desk.position() == 0
    second = desk.feed(bar(103, o=101))
    assert [each.kind for each in second] == [slot.FILLED]
    assert second[0].values["price"] == 101
    assert desk.position() == 100
    assert desk.equity == pytest.approx(1_000_200)


def test_a_trade_from_the_signal_to_the_last_rupee():
    desk = entered(rules(flat=0.001))
    desk.feed(bar(110, say=FLAT))
    desk.feed(bar(112, o=111))
    (trade,) = desk.trades()
    assert (trade["side"], trade["quantity"], trade["entry_price"], trade["exit_price"]) == (1, 100, 100, 111)
    assert trade["charges"] == pytest.approx(10.0 + 11.1)
    assert trade["net"] == pytest.approx(1100 - 21.1)
    assert left(desk) == ("signal_flat", 111)
    assert desk.cash == desk.equity == pytest.approx(1_000_000 + trade["net"])


def test_a_short_sells_first_and_wins_when_the_price_falls():
    desk = entered(rules(allow_short=1), say=SHORT)
    assert desk.position() == -100
    desk.feed(bar(90, say=LONG))
    desk.feed(bar(90))
    assert desk.trades()[0]["net"] == 1000
    assert left(desk) == ("signal_reversal", 90)


def test_a_reversal_only_leaves_the_other_side_has_to_be_asked_for_again():
    desk = entered(rules(allow_short=1))
    desk.feed(bar(99, say=SHORT))
    desk.feed(bar(99))
    assert desk.position() == 0
    assert desk.waiting == 0


def test_the_same_opinion_while_it_is_held_orders_nothing():
    desk = entered(rules())
    assert desk.feed(bar(101, say=LONG)) == []


def test_an_order_still_waiting_is_an_objection_to_another():
    desk = Desk(rules(participation=0.1))
    desk.feed(bar(100, say=LONG))
    desk.feed(bar(100, v=0, say=LONG))
    assert objections(desk) == ["an order in this symbol is still working"]


# ---- stop and target ---------------------------------------------------------------------------------------------

PROTECTED = {"stop_loss": 0.02, "take_profit": 0.04}


def test_a_stop_fills_at_its_level_and_through_a_gap_at_the_open():
    desk = entered(rules(**PROTECTED))
    desk.feed(bar(98.5, l=97.5))
    assert left(desk) == ("stop_loss", 98.0)
    desk = entered(rules(**PROTECTED))
    desk.feed(bar(95.5, o=95))
    assert left(desk) == ("stop_loss", 95.0)


def test_a_stop_slips_and_a_target_which_is_a_limit_order_does_not():
    desk = entered(rules(**PROTECTED, slippage=10.0))
    assert desk.fills()[0]["price"] == 100.10
    desk.feed(bar(98, o=99, l=97))
    assert left(desk) == ("stop_loss", 97.95)  # 98.098 less 10 bps, and down to the tick
    desk = entered(rules(**PROTECTED, slippage=10.0))
    desk.feed(bar(104, h=105))
    assert left(desk) == ("take_profit", 104.10)


def test_both_levels_in_one_bar_are_a_stop():
    desk = entered(rules(**PROTECTED))
    desk.feed(bar(100, h=110, l=90))
    assert left(desk) == ("stop_loss", 98.0)


def test_the_bar_of_the_fill_is_watched_only_when_armed():
    for armed, position in ((1, 0), (0, 100)):
        desk = Desk(rules(**PROTECTED, arm_on_fill_bar=armed))
        desk.feed(bar(100, say=LONG))
        desk.feed(bar(99, o=100, l=97))
        assert desk.position() == position


def test_a_stop_of_a_short_lies_above_it():
    desk = entered(rules(allow_short=1, **PROTECTED), say=SHORT)
    desk.feed(bar(101, h=103))
    assert left(desk) == ("stop_loss", 102.0)


# ---- volume ------------------------------------------------------------------------------------------------------


def test_an_order_fills_in_parts_by_its_share_of_each_bars_volume():
    desk = Desk(rules(participation=0.1))
    desk.feed(bar(100, say=LONG))
    for volume in (300, 0, 450, 9999):
        desk.feed(bar(100, v=volume))
    assert [fill["quantity"] for fill in desk.fills()] == [30, 45, 25]
    assert [fill["remaining"] for fill in desk.fills()] == [70, 25, 0]
    assert desk.reserved == pytest.approx(0)


def test_an_unknown_volume_sets_no_cap():
    desk = Desk(rules(participation=0.1))
    desk.feed(bar(100, say=LONG))
    desk.feed(bar(100, v=math.nan))
    assert desk.position() == 100


def test_parts_are_averaged_and_stop_and_target_follow_the_average():
    desk = Desk(rules(participation=0.1, **PROTECTED, arm_on_fill_bar=0))
    desk.feed(bar(100, say=LONG))
    desk.feed(bar(100, v=500))
    desk.feed(bar(102, v=9999))
    assert desk.L[0][slot.AVG] == 101.0
    assert desk.L[0][slot.STOP] == pytest.approx(98.98)
    assert desk.L[0][slot.TARGET] == pytest.approx(105.04)


def test_an_exit_that_finds_no_volume_goes_on_at_the_next_open():
    desk = entered(rules(participation=0.1, **PROTECTED))
    desk.feed(bar(97.5, o=99, v=600))
    assert desk.position() == 40
    desk.feed(bar(96, v=0))
    assert desk.position() == 40
    desk.feed(bar(95, v=9999))
    (trade,) = desk.trades()
    assert trade["exit_price"] == pytest.approx((60 * 98 + 40 * 95) / 100)
    assert left(desk)[0] == "stop_loss"


def test_what_was_bought_at_the_open_uses_up_the_bars_volume_for_its_stop():
    desk = Desk(rules(participation=0.1, **PROTECTED))
    desk.feed(bar(100, say=LONG))
    desk.feed(bar(99, o=100, l=97, v=1200))
    assert [fill["quantity"] for fill in desk.fills()] == [100, 20]


def test_parts_are_whole_lots():
    desk = Desk(rules(participation=0.1), lot=25, fixed=100)
    desk.feed(bar(100, say=LONG))
    desk.feed(bar(100, v=600))
    assert desk.position() == 50


@given(st.integers(0, 2**32 - 1))
def test_we_are_never_more_than_our_share_of_a_bars_volume(seed):
    desk = Desk(rules(participation=0.1, allow_short=1, **PROTECTED, intraday=0), lanes=2, fixed=300)
    for lane, each in market(seed, lanes=2, thin=True):
        ours = sum(h.values["quantity"] for h in desk.feed(each, lane) if h.kind == slot.FILLED)
        assert not ours > each.volume * 0.1


def test_a_stop_while_the_entry_still_works_takes_the_rest_back():
    desk = Desk(rules(participation=0.1, **PROTECTED))
    desk.feed(bar(100, say=LONG))
    desk.feed(bar(100, v=500))
    found = desk.feed(bar(98, o=99, l=97, v=200))
    assert [each.kind for each in found] == [slot.FILLED, slot.EXPIRED, slot.ORDERED]
    assert found[-1].values["quantity"] == 70
    assert desk.waiting == 0
    assert desk.reserved == pytest.approx(0)


# ---- sessions ----------------------------------------------------------------------------------------------------


def test_an_intraday_entry_expires_with_its_session():
    desk = Desk(rules())
    desk.feed(bar(100, say=LONG, left=0))
    found = desk.feed(bar(100, day=1))
    assert [each.kind for each in found] == [slot.DAY_END, slot.EXPIRED]
    assert (desk.position(), desk.waiting, desk.reserved) == (0, 0, 0)


def test_a_swing_entry_waits_for_the_next_session():
    desk = Desk(rules(intraday=0))
    desk.feed(bar(100, say=LONG, left=0))
    desk.feed(bar(100, day=1))
    assert desk.position() == 100


def test_an_intraday_entry_that_could_not_be_left_today_expires():
    desk = Desk(rules(participation=0.1))
    desk.feed(bar(100, say=LONG, left=5))
    assert [each.kind for each in desk.feed(bar(100, left=0))] == [slot.EXPIRED]


def test_an_intraday_position_is_out_before_the_close():
    desk = entered(rules(square_off=15))
    assert desk.feed(bar(100, left=20)) == []
    assert [each.kind for each in desk.feed(bar(100, left=15))] == [slot.ORDERED]
    desk.feed(bar(101, left=10))
    assert left(desk) == ("square_off", 101)


def test_a_position_that_missed_its_square_off_leaves_on_the_next_sessions_first_bar():
    desk = entered(rules())
    desk.feed(bar(100, left=30))
    desk.feed(bar(100, day=1))
    desk.feed(bar(99, day=1))
    assert left(desk) == ("square_off", 99)


def test_a_signal_may_not_close_a_swing_position_before_its_time_but_a_stop_may():
    desk = entered(rules(intraday=0, min_hold=2, stop_loss=0.02))
    assert desk.feed(bar(100, say=FLAT)) == []
    desk.feed(bar(100, day=1, say=FLAT))
    desk.feed(bar(100, day=1))
    assert left(desk)[0] == "signal_flat"
    desk = entered(rules(intraday=0, min_hold=2, stop_loss=0.02))
    desk.feed(bar(97))
    assert left(desk)[0] == "stop_loss"


def test_a_daily_position_leaves_after_its_longest_hold():
    desk = Desk(rules(minutes=1440, intraday=0, max_hold=3))
    desk.feed(bar(100, say=LONG, left=0))
    for day in (1, 2, 3):
        desk.feed(bar(100, day=day, left=0))
        assert desk.position() == 100
    desk.feed(bar(101, day=4, left=0))
    assert left(desk) == ("max_hold", 101)


def test_on_minute_bars_the_longest_hold_ends_at_the_close_of_its_session():
    desk = entered(rules(intraday=0, max_hold=2))
    desk.feed(bar(100, left=0))
    desk.feed(bar(100, day=1))
    assert desk.K[0][slot.PEND] == slot.NOTHING  # not in the morning
    desk.feed(bar(100, day=1, left=5))
    desk.feed(bar(102, day=1, left=0))
    assert left(desk) == ("max_hold", 102)


def test_a_longest_hold_missed_for_want_of_bars_ends_as_soon_as_there_are_some():
    desk = entered(rules(intraday=0, max_hold=1))
    desk.feed(bar(100, day=1))
    desk.feed(bar(100, day=1))
    assert left(desk)[0] == "max_hold"


def test_every_bar_of_a_session_counts_as_one_session_held():
    desk = entered(rules(intraday=0))
    for day, minutes_left in ((0, 50), (1, 90), (1, 80), (2, 70)):
        desk.feed(bar(100, day=day, left=minutes_left))
    assert desk.K[0][slot.HELD] == 3


# ---- refusing ----------------------------------------------------------------------------------------------------


def test_every_objection_to_an_entry_is_said_not_only_the_first():
    desk = Desk(
        rules(entry_cutoff=30, min_confidence=0.9, confidence=0.5, max_trades_day=1, max_positions=1), fixed=0
    )  # fmt: skip
    desk.N[slot.PAUSED] = desk.N[slot.BREAKER] = desk.N[slot.TRADES_DAY] = desk.N[slot.OPEN] = 1
    desk.N[slot.SESSION] = bar().session
    desk.feed(bar(100, say=SHORT, left=10, news=-0.9))
    assert objections(desk) == [
        "the size comes to less than one lot",
        "as many positions as allowed are open or waiting",
        "as many entries as allowed were made today",
        "the daily-loss breaker is open",
        "an operator paused entries",
        "confidence is below the minimum",
        "short selling is not allowed here",
        "too little of the session is left",
    ]
    assert desk.orders == 0


def test_limits_on_money_object_by_name():
    desk = Desk(rules(max_exposure=15_000, max_symbol_exposure=9_000), capital=18_000.0, lanes=2, fixed=80)
    desk.feed(bar(100, say=LONG), 0)
    desk.feed(bar(120, say=LONG), 1)
    assert objections(desk) == [
        "the desk's exposure limit would be exceeded",
        "the symbol's exposure limit would be exceeded",
    ]


def test_without_free_cash_the_objection_is_the_cash_and_not_only_the_size():
    desk = Desk(rules(), capital=10_000.0, lanes=2, fixed=100)
    desk.feed(bar(100, say=LONG), 0)
    desk.feed(bar(120, say=LONG), 1)
    assert objections(desk) == ["the size comes to less than one lot", "not enough free cash"]


def test_bad_news_stops_a_long_and_good_news_makes_it_surer():
    desk = Desk(sized("notional", notional=50_000, by_confidence=1, confidence=0.5))
    desk.feed(bar(100, say=LONG, news=-0.5))
    assert objections(desk) == ["sentiment is below the gate"]
    desk.feed(bar(100, say=LONG, news=0.8))
    signal = desk.happened(slot.SIGNAL)[-1].values
    assert (signal["confidence"], signal["sentiment"]) == (0.6, 0.8)
    assert desk.happened(slot.ORDERED)[-1].values["quantity"] == 300


def test_silence_about_a_company_is_neutral():
    desk = Desk(rules())
    desk.feed(bar(100, say=LONG, news=math.nan))
    assert desk.waiting == 1


def test_paused_entries_never_keep_a_position_from_leaving():
    desk = entered(rules())
    desk.N[slot.PAUSED] = 1
    desk.feed(bar(100, say=FLAT))
    desk.feed(bar(100, say=LONG))
    assert desk.position() == 0
    assert objections(desk) == ["an operator paused entries"]


def test_an_unaffordable_gap_up_buys_fewer_shares_and_takes_the_rest_back_when_nothing_is_left():
    desk = Desk(rules(), capital=10_000.0)
    desk.feed(bar(100, say=LONG))
    desk.feed(bar(126, o=125))
    assert desk.position() == 80
    assert desk.cash == 0
    found = desk.feed(bar(126))
    assert [each.kind for each in found] == [slot.EXPIRED]
    assert (desk.waiting, desk.reserved) == (0, 0)


def test_an_entry_that_cannot_be_afforded_at_all_expires():
    desk = Desk(rules(), capital=100.0, fixed=1)
    desk.feed(bar(100, say=LONG))
    assert [each.kind for each in desk.feed(bar(101))] == [slot.EXPIRED]


# ---- the breaker -------------------------------------------------------------------------------------------------


def test_a_days_loss_opens_the_breaker_and_the_next_day_closes_it_unless_it_is_latched():
    for latched, waiting in ((0, 1), (1, 0)):
        desk = entered(rules(daily_loss=500, intraday=0, latched=latched))
        assert desk.breaker == 0
        found = desk.feed(bar(95))
        assert [each.kind for each in found] == [slot.BROKE]
        desk.feed(bar(95, say=FLAT))
        desk.feed(bar(95, say=LONG))
        assert objections(desk) == ["the daily-loss breaker is open"]
        desk.feed(bar(95, day=1, say=LONG))
        assert desk.waiting == waiting


def test_a_loss_taken_by_a_gap_at_the_exit_opens_the_breaker_although_nothing_is_held_any_more():
    desk = entered(rules(daily_loss=500))
    desk.feed(bar(100, say=FLAT))
    desk.feed(bar(94, say=LONG))
    assert desk.position() == 0
    assert desk.breaker == 1
    assert objections(desk) == ["the daily-loss breaker is open"]
    assert desk.drawdown == pytest.approx(600 / 1_000_000)


def test_the_breaker_of_a_percentage_counts_from_the_equity_the_day_began_with():
    desk = entered(rules(daily_loss_pct=0.1, intraday=0))
    desk.feed(bar(90.05))
    assert desk.breaker == 0
    desk.feed(bar(90.0))
    assert desk.breaker == 1


def test_the_closer_of_two_loss_limits_counts():
    desk = entered(rules(daily_loss_pct=5, daily_loss=100, intraday=0))
    desk.feed(bar(99.0))
    assert desk.breaker == 1


# ---- limits ------------------------------------------------------------------------------------------------------

LIMITS = {"max_exposure": 250_000.0, "max_symbol_exposure": 120_000.0, "max_positions": 2, "max_trades_day": 4}


@given(st.integers(0, 2**32 - 1))
def test_no_decision_ever_exceeds_a_limit(seed):
    setup = sized("notional", notional=100_000, allow_short=1, **LIMITS)
    desk = Desk(setup, lanes=4, capital=400_000.0)
    for lane, each in market(seed, lanes=4, talk=0.6):
        for happening in desk.feed(each, lane):
            if happening.kind == slot.ORDERED and happening.values["purpose"] == slot.ENTRY:
                value = happening.values["quantity"] * happening.values["price"]
                assert value <= LIMITS["max_symbol_exposure"]
                assert desk.exposure + desk.reserved <= LIMITS["max_exposure"] + 1e-6
                assert desk.open + desk.waiting <= LIMITS["max_positions"]
                assert desk.trades_day <= LIMITS["max_trades_day"]
                assert desk.equity - desk.exposure - desk.reserved >= -1e-6


@given(st.integers(0, 2**32 - 1))
def test_an_intraday_desk_holds_nothing_overnight_as_long_as_there_are_bars_to_leave_on(seed):
    desk = Desk(rules(stop_loss=0.02, allow_short=1), lanes=2)
    for lane, each in market(seed, lanes=2, talk=0.8):
        desk.feed(each, lane)
        if each.left == 0:
            assert desk.position(lane) == 0
