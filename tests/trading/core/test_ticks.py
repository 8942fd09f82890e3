"""Raw messages become ticks, or are counted and left alone; ticks become bars, whatever order they come in."""

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.core.streams import (
    CLOSE,
    MONDAY,
    OPEN,
    at,
    closed,
    demo_bars,
    gathered,
    index_quote,
    numbered,
    quote,
    tick,
    ticks_of,
    unknown_from,
    windows,
)
from trading.core.bars import Bars, resample
from trading.core.errors import Invalid
from trading.core.tick_bars import BELIEVED, CORRECTED, Aggregator, Book, Pace, Verdict
from trading.core.ticks import INF, Outage, Received, Tick, in_order, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=25) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=30,
)


def book(minutes=1, day=MONDAY, segment="equity"):
    return Book(windows(day, segment), minutes * 60)


def parsed(raw):
    refused = Counter()
    return parse(Received(raw, 1.5, 7), refused), dict(refused)


# --- raw messages


def test_an_equity_quote_becomes_a_tick():
    found, refused = parsed(quote(ts=OPEN + 3, last=1209.05, volume=10991550, bid=1209.0, ask=0, lower=1111.4))
    assert found[:5] == ("2885", OPEN + 3, 1209.05, 10991550.0, 1209.0)
    assert math.isnan(found.ask), "0 stands for no offer"
    assert (found.lower, found.upper, found.received, found.seq) == (1111.4, 110.0, 1.5, 7)
    assert refused == {}


def test_an_index_knows_neither_volume_nor_offers():
    found, _ = parsed(index_quote(last=25006.2))
    assert (found.token, found.price) == ("NIFTY 50", 25006.2)
    assert all(math.isnan(x) for x in (found.volume_today, found.bid, found.ask, found.lower, found.upper))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "no list"), ([], "no list"), ("4.1!2885", "no list"), ({"symbol": 1}, "no list"),
        ([5], "room"), (["4.1!"], "room"), (["4.2!2885", 1, []], "room"), (["1.1!500325", *quote()[1:]], "room"),
        (quote()[:20], "layout"), (quote()[:1], "layout"), ([*quote(), 1, 2], "layout"),
        (quote(ts=None), "time"), (quote(ts=0), "time"), (quote(ts="Wed Feb 12"), "time"), (quote(ts=1 << 40), "time"),
        (quote(last=None), "price"), (quote(last=0), "price"), (quote(last=-5), "price"), (quote(last="x"), "price"),
        (quote(last=float("nan")), "price"), (quote(last=True), "price"),
    ],
)  # fmt: skip
def test_what_is_no_quote_is_counted_by_its_reason(raw, reason):
    assert parsed(raw) == (None, {reason: 1})


@given(JSON | st.lists(JSON, min_size=21, max_size=21).map(lambda some: ["4.1!1", *some[1:]]))
def test_nothing_that_may_come_raises(raw):
    found = parse(Received(raw, 0.0, 0), Counter())
    assert found is None or (found.price > 0 and found.ts > 0)


def test_numbers_written_out_are_numbers():
    found, _ = parsed(quote(ts=str(OPEN), last="100.5", volume="12"))
    assert found[1:4] == (OPEN, 100.5, 12.0)


def test_a_real_tick_of_the_broker_is_understood():
    sent = json.loads(Path(__file__).with_name("breeze_tick.json").read_text())
    found, refused = parsed(sent)
    assert (found.token, found.price, found.volume_today, refused) == ("2885", 1209.05, 10991550.0, {})


# --- ticks into bars


def test_a_bar_holds_its_trades_and_the_growth_of_the_days_volume():
    one = book()
    for each in numbered([tick(at(0, 1), 100, 50), tick(at(0, 9), 103, 80), tick(at(0, 59), 99, 90)]):
        assert one.add(each) is Verdict.TRADE
    one.add(tick(at(1, 0), 101, 120))
    first, second = one.close(at(0)), one.close(at(1))
    assert first.whole
    assert first.bar == (at(0), 100, 103, 99, 99, 90, 3), "the day's first bar counts from nought"
    assert second.bar == (at(1), 101, 101, 101, 101, 30, 1)


def test_a_minute_without_a_trade_gives_no_bar():
    one = book()
    one.add(tick(at(0), 100, 5))
    one.add(tick(at(2), 101, 9))
    assert [one.close(at(k)).bar is None for k in range(3)] == [False, True, False]
    assert one.close(at(3)) == (None, True), "and it is known to be empty"


def test_offers_that_change_without_a_trade_make_no_bar():
    one = book()
    one.add(tick(at(0), 100, 5, seq=1))
    one.close(at(0))
    assert one.add(tick(at(0), 100, 5, bid=99.5, seq=2)) is Verdict.QUOTE
    assert one.close(at(1)) == (None, True)
    assert not one.late


def test_a_late_tick_never_changes_a_closed_bar_and_is_counted():
    one = book()
    one.add(tick(at(0, 1), 100, 5))
    one.add(tick(at(1, 1), 101, 30))
    before = one.close(at(0))
    assert one.add(tick(at(0, 59), 500, 20)) is Verdict.LATE
    assert before.bar.high == 100
    assert one.late == {at(0): 1}
    assert one.close(at(1)).bar.volume == 10, "its shares are no part of the next bar either"


def test_a_later_trade_with_less_volume_comes_from_a_stale_source():
    one = book()
    one.add(tick(at(0, 5), 100, 50))
    assert one.add(tick(at(0, 6), 90, 40)) is Verdict.REGRESSED
    assert one.add(tick(at(0, 4), 101, 45)) is Verdict.TRADE, "merely out of order"
    assert one.close(at(0)).bar == (at(0), 101, 101, 100, 100, 50, 2)


def test_one_absurd_volume_does_not_silence_the_day():
    one = book()
    one.add(tick(at(0, 1), 100, 50))
    one.add(tick(at(0, 2), 100, 5_000_000))
    said = [one.add(tick(at(0, 10 + k), 101, 60 + k)) for k in range(BELIEVED)]
    assert said == [*[Verdict.REGRESSED] * (BELIEVED - 1), Verdict.TRADE]
    assert not one.close(at(0)).whole
    one.add(tick(at(1), 102, 100))
    assert one.close(at(1)) == ((at(1), 102, 102, 102, 102, 100 - 60 - BELIEVED + 1, 1), True)


def test_another_shares_price_under_this_ones_token_is_not_believed():
    one = book()
    one.add(tick(at(0, 1), 1400.0, 50, before=1390.0))
    said = {one.add(tick(at(0, 2 + k), 3100.0, 60 + k, before=3050.0)) for k in range(50)}
    assert said == {Verdict.STRANGE}
    assert one.add(tick(at(0, 59), 1401.0, 70, before=1390.0)) is Verdict.TRADE
    assert one.close(at(0)).bar[:5] == (at(0), 1400, 1401, 1400, 1401)


def test_a_previous_close_that_is_corrected_does_not_silence_the_day():
    one = book()
    one.add(tick(at(0, 1), 100.0, 50, before=99.0))
    said = [one.add(tick(at(0, 2 + k), 100.1, 60 + k, before=99.5)) for k in range(CORRECTED + 1)]
    assert said == [*[Verdict.STRANGE] * (CORRECTED - 1), Verdict.TRADE, Verdict.TRADE]


def test_before_the_open_the_newest_previous_close_holds():
    one = book()
    one.add(tick(OPEN - 300, 100.0, 1, before=98.0))
    one.add(tick(OPEN - 200, 100.0, 2, before=99.0))
    assert one.add(tick(at(0, 1), 100.0, 50, before=99.0)) is Verdict.TRADE


def test_a_bar_whose_volume_was_not_told_is_not_whole_and_leaves_none_of_it_to_the_next():
    one = book()
    one.add(tick(at(0, 1), 100, 50))
    one.add(tick(at(1, 1), 101, math.nan))
    one.add(tick(at(2, 1), 102, 90))
    one.add(tick(at(3, 1), 103, 95))
    found = [one.close(at(k)) for k in range(4)]
    assert [each.whole for each in found] == [True, False, False, True]
    assert found[3].bar.volume == 5
    one.add(tick(at(4, 1), 104, math.nan))
    assert not one.close(at(4)).whole
    one.add(tick(at(5, 1), 105, 120))
    assert not one.close(at(5)).whole, "nothing of it had come when the one before was closed"


def test_yesterdays_last_trade_and_the_auctions_make_no_bar():
    one = book()
    assert one.add(tick(OPEN - 86_400, 90, 9_000_000)) is Verdict.OUTSIDE
    assert one.add(tick(OPEN - 400, 101, 300)) is Verdict.OUTSIDE, "the opening auction"
    assert one.add(tick(OPEN, 102, 350)) is Verdict.TRADE
    assert one.add(tick(CLOSE + 60, 103, 400)) is Verdict.OUTSIDE
    assert one.close(OPEN).bar.volume == 350


def test_a_share_with_a_closing_auction_stops_a_quarter_of_an_hour_earlier():
    one = book(segment="equity_fno")
    assert one.end == CLOSE - 900
    assert one.add(tick(CLOSE - 600, 100, 5)) is Verdict.OUTSIDE


def test_an_index_has_bars_of_unknown_volume():
    one = book()
    nan = float("nan")
    for k, price in enumerate((100.0, 102.0, 101.0)):
        one.add(tick(at(0, k), price, nan, seq=k))
    assert one.add(tick(at(0, 1), 102.0, nan, seq=9)) is Verdict.QUOTE
    bar = one.close(at(0)).bar
    assert bar[:5] == (at(0), 100, 102, 100, 101)
    assert math.isnan(bar.volume)
    assert bar.ticks == 3


# --- outages


def outage(since, until, ended=0.0):
    return Outage(since, until, ended - 1.0, ended, "lost")


def test_a_bar_the_stream_missed_a_part_of_is_not_whole():
    one = book()
    one.add(tick(at(0, 5), 100, 10, received=5.0))
    one.missed(outage(at(1, 10), at(3, 5), ended=185.0))
    one.add(tick(at(1, 5), 101, 15, received=65.0))
    one.add(tick(at(3, 30), 102, 90, received=210.0))
    one.add(tick(at(4, 1), 103, 95, received=241.0))
    found = [one.close(at(k)) for k in range(5)]
    assert [each.whole for each in found] == [True, False, False, False, True]
    assert [each.bar is None for each in found] == [False, False, True, False, False]
    assert found[4].bar.volume == 5


def test_growth_nobody_saw_does_not_go_into_the_next_whole_bar():
    one = book()
    one.add(tick(at(0, 5), 100, 10, received=5.0))
    one.missed(outage(at(0, 30), at(1, 30), ended=90.0))
    one.add(tick(at(7, 3), 105, 5_000, received=423.0))
    one.add(tick(at(8, 3), 106, 5_010, received=483.0))
    found = {k: one.close(at(k)) for k in range(9)}
    assert found[2] == (None, True), "watched, and nobody traded"
    assert not found[7].whole, "the first trade after the outage brings an unknown growth"
    assert found[8] == ((at(8), 106, 106, 106, 106, 10, 1), True)


def test_a_quote_told_again_after_a_gap_says_that_nothing_was_missed():
    one = book()
    one.add(tick(at(0, 5), 100, 10, received=5.0))
    one.missed(outage(at(0, 30), at(1, 30), ended=90.0))
    one.add(tick(at(0, 5), 100, 10, received=91.0))
    one.add(tick(at(5, 1), 101, 12, received=301.0))
    assert [one.close(at(k)).whole for k in range(6)] == [False, False, True, True, True, True]


def test_a_gap_before_the_open_is_none():
    one = book()
    one.missed(unknown_from(OPEN - 5))
    one.add(tick(at(0, 5), 100, 10))
    assert one.close(at(0)) == ((at(0), 100, 100, 100, 100, 10, 1), True)


def test_a_gap_that_lasts_tears_every_bar_after_it():
    one = book()
    one.missed(outage(at(3, 10), INF, ended=INF))
    assert [one.torn(at(k)) for k in (2, 3, 4, 300)] == [False, True, True, True]
    one.missed(outage(at(3, 10), at(5, 0), ended=INF))
    assert [one.torn(at(k)) for k in (2, 3, 4, 5)] == [False, True, True, False], "the same outage, over"


# --- laws


def shuffled(draw, found, window):
    """Return ticks overtaking one another by less than ``window`` places, some of them twice."""
    delays = draw(st.lists(st.integers(0, window), min_size=len(found), max_size=len(found)))
    twice = draw(st.lists(st.integers(0, len(found) - 1), max_size=20)) if found else []
    order = sorted(range(len(found)), key=lambda k: (k + delays[k], delays[k]))
    played = [found[k] for k in order]
    for k in twice:
        played.insert(min(len(played), k + draw(st.integers(0, window))), found[k])
    return numbered(played)


@st.composite
def trades(draw):
    """Return consistent ticks of a few minutes: time and volume only grow."""
    steps = draw(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 50), st.integers(9_000, 11_000)), max_size=60))
    ts, volume, found = OPEN, 0, []
    for seconds, shares, price in steps:
        ts, volume = ts + seconds, volume + shares
        found.append(tick(ts, price / 100, volume))
    return found


@given(st.data(), trades(), st.sampled_from([1, 5, 15]))
def test_ticks_that_overtake_and_repeat_one_another_give_the_same_bars(data, found, minutes):
    straight, mixed = book(minutes), book(minutes)
    for each in numbered(found):
        straight.add(each)
    for each in shuffled(data.draw, found, 12):
        mixed.add(each)
    assert closed(straight) == closed(mixed)


@given(st.data(), trades())
def test_no_trade_is_counted_twice_when_ticks_come_late(data, found):
    one = book()
    starts = iter(one.starts())
    bars = []
    for each in shuffled(data.draw, found, 12):
        one.add(each)
        if data.draw(st.booleans()):
            bars.append(one.close(next(starts)).bar)
    bars += [one.close(start).bar for start in starts]
    total = sum(bar.volume for bar in bars if bar)
    assert total <= max((each.volume_today for each in found), default=0)
    seen = [each for each in found if each.ts >= OPEN]
    assert sum(bar.ticks for bar in bars if bar) + sum(one.late.values()) == len(seen)


@settings(max_examples=20)
@given(st.sampled_from([1, 5, 15]), st.sampled_from(["DEMOLABS", "DEMOBANK"]), st.integers(4, 9))
def test_bars_become_ticks_become_the_same_bars(minutes, symbol, count):
    recorded = demo_bars(symbol)
    one = book(minutes, segment="equity_fno" if symbol == "DEMOBANK" else "equity")
    for each in ticks_of(recorded, count=count):
        one.add(each)
    found = closed(one)
    expected = resample(recorded, minutes) if minutes > 1 else recorded
    columns = [np.array(column) for column in list(zip(*found, strict=True))[:6]]
    made = Bars(columns[0].astype(np.int64), *columns[1:])
    assert all((a == b).all() for a, b in zip(made.columns(), expected.columns(), strict=True))


def test_buckets_are_counted_from_the_open_on_odd_days_too():
    drill = MONDAY.replace(year=2024, month=3, day=2)  # 09:15-10:00 and 11:30-12:30
    one = book(15, day=drill)
    first, second = one.windows
    assert one.starts() == [*range(first[0], first[1], 900), *range(second[0], second[1], 900)]
    assert one.add(tick(first[1] + 60)) is Verdict.OUTSIDE


# --- many lanes


def test_a_moment_is_due_when_every_lane_has_traded_beyond_it_for_a_while():
    two = gathered(2, pace=Pace(hold=0.25, grace=2.0, quiet=30.0))
    two.look(at(0, 30), 0.0)
    two.add(0, tick(at(1, 0)), at(1))
    assert not two.due(10.0, heard=10.0)
    two.add(1, tick(at(1, 1)), at(1))
    assert not two.due(10.0, heard=10.0), "one overtaken on the way may still come"
    assert two.due(10.25, heard=10.0)
    assert two.close(10.0) == {0: (None, True), 1: (None, True)}
    assert two.head == at(1)


def test_a_moment_is_due_a_grace_after_its_end_by_the_clock():
    one = gathered(1, pace=Pace(hold=0.25, grace=2.0, quiet=30.0))
    one.look(at(1), 100.0)
    assert not one.due(101.9, heard=101.0)
    assert one.due(102.0, heard=101.0)


def test_a_moment_waits_for_a_sign_of_life_and_is_not_whole_without_one():
    one = gathered(1, pace=Pace(hold=0.25, grace=2.0, quiet=30.0))
    one.add(0, tick(at(0, 5)), at(0, 5))
    one.look(at(1), 100.0)
    assert not one.due(129.0, heard=99.0), "nothing was heard since its end: the socket may be mute"
    assert one.due(130.0, heard=99.0)
    assert not one.close(99.0)[0].whole


def test_after_the_last_bar_nothing_need_come():
    one = gathered(1, pace=Pace(hold=0.25, grace=2.0, quiet=30.0))
    one.look(CLOSE, 100.0)
    while one.head != CLOSE - 60:
        one.close(100.0)
    assert one.due(102.0, heard=50.0)
    assert one.close(50.0)[0].whole
    assert one.head is None
    assert not one.due(200.0, heard=200.0)


def test_what_the_stream_missed_altogether_is_due_at_once_but_for_the_newest():
    one = gathered(1, pace=Pace(hold=0.25, grace=2.0, quiet=30.0))
    one.missed(unknown_from(at(3, 30)))
    one.look(at(3, 30), 100.0)
    assert [one.due(100.0, heard=0.0) and not one.close(0.0)[0].whole for _ in range(2)] == [True] * 2
    assert not one.due(100.0, heard=0.0), "the newest may be only just over"
    assert one.due(102.0, heard=0.0)
    one.close(0.0)
    assert not one.due(200.0, heard=0.0), "the fourth minute is not over"


def test_a_trade_of_the_future_cannot_close_a_bar():
    one = gathered(1)
    assert one.add(0, tick(at(60)), at(0)) is Verdict.AHEAD
    assert one.books[0].watermark == 0


def test_lanes_that_close_earlier_have_no_part_in_later_moments():
    both = Aggregator([windows(), windows(segment="equity_fno"), []], 1, Pace(0.0, 0.0, 0.0))
    assert both.add(2, tick(at(0)), at(0)) is Verdict.OUTSIDE
    both.look(CLOSE, 1.0)
    lanes = {}
    while (start := both.head) is not None:
        lanes[start] = sorted(both.close(2.0))
    assert lanes[CLOSE - 960] == [0, 1]
    assert lanes[CLOSE - 900] == [0]
    assert list(lanes) == [OPEN + 60 * k for k in range(375)]


def test_when_messages_come_late_only_a_later_trade_ends_a_moment():
    one = gathered(1, pace=Pace(hold=0.25, grace=2.0, quiet=30.0))
    one.add(0, tick(at(0, 50)), at(0, 55))
    assert one.lag == 5
    one.look(at(1), 100.0)
    assert not one.due(103.0, heard=103.0), "what was heard was said before the end"
    one.add(0, tick(at(0, 59), 101, 9), at(1, 4))
    assert not one.due(104.0, heard=104.0)
    one.add(0, tick(at(1, 1), 102, 12), at(1, 6))
    assert one.due(106.0, heard=106.0)
    assert one.close(106.0)[0].bar[:5] == (at(0), 100, 101, 100, 101)


def test_a_message_that_could_not_be_used_makes_its_bar_doubtful():
    one = gathered(1)
    one.add(0, tick(at(0, 50)), at(0, 50))
    one.books[0].doubt(at(1, 1))
    one.add(0, tick(at(2, 0), 100, 9), at(2))
    one.look(at(3), 1.0)
    assert [one.close(2.0)[0].whole for _ in range(3)] == [False, False, True]


def test_the_stream_makes_no_bars_of_other_lengths():
    with pytest.raises(Invalid, match="1, 5 or 15 minutes, not of 1440"):
        gathered(1, minutes=1440)


def test_ticks_are_put_in_the_exchanges_order():
    found = [tick(at(1), volume=5, seq=1), tick(at(0), volume=9, seq=2), tick(at(0), volume=3, seq=3)]
    assert [each.seq for each in in_order(found)] == [3, 2, 1]
    assert all(isinstance(each, Tick) for each in in_order(found))
