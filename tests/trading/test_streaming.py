"""A stream becomes the bars a recording has, and what it missed comes from history, in order, and marked."""

import datetime as dt
import json
import math
import time
from itertools import pairwise

import pytest

from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, NotFound, Unavailable
from tests.trading.core.streams import CLOSE, MONDAY, OPEN, at, demo_bars
from tests.trading.desks import command, engine, exact, play
from tests.trading.streamed import BRIEF, DAY, TAPES, World, past_of, quotes_of, same, tape, traded
from trading.core.panel import LaneSpec, lane
from trading.core.tick_bars import Pace
from trading.models import BacktestRun, Condition
from trading.models.fetching import StreamBar
from trading.services import markets, stream_bars
from trading.services.live_day import Patience
from trading.services.tapes import Tape

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def closed():
    yield
    while TAPES:
        TAPES.pop().close()


def played(a_tape, day=DAY):
    """Return {start: {lane: (open, high, low, close, volume)}} of all moments of a day."""
    return {ts: {k: tuple(bar[:5]) for k, bar in rows} for ts, rows in a_tape.moments(day)}


def origins(symbol="AAA"):
    return {int(row.start.timestamp()): row.origin for row in StreamBar.objects.filter(symbol=symbol)}


def morning(bars, minutes=10):
    """Return the bars of a session's first minutes."""
    return bars.until(minutes)


def live_minutes(world, bars, symbol="AAA", count=6):
    world.bars[symbol] = bars
    world.play(quotes_of(symbol, bars, count), until=int(bars.ts[-1]) + 60)


# --- the stream alone


def test_a_streamed_day_gives_the_moments_a_recording_of_it_gives():
    world, bars = World(), {"AAA": demo_bars("DEMOLABS"), "BBB": demo_bars("DEMOCEM")}
    world.bars = bars
    mixed = sorted(
        [raw for symbol in bars for raw in quotes_of(symbol, bars[symbol])], key=lambda raw: raw[19]
    )  # the order of a second is each share's own
    world.play(mixed, until=CLOSE)
    recorded = Tape([lane(LaneSpec(symbol), each, 1) for symbol, each in bars.items()])
    found = list(tape(world, tuple(bars)).moments(DAY))
    assert [(ts, [k for k, _ in rows]) for ts, rows in found] == [
        (ts, [k for k, _ in rows]) for ts, rows in recorded.moments(DAY)
    ]
    pairs = zip(found, recorded.moments(DAY), strict=True)
    assert all(same(a, b) for one, other in pairs for (_, a), (_, b) in zip(one[1], other[1], strict=True))
    assert set(origins().values()) == {"ticks"}
    assert world.asked == []


@pytest.mark.parametrize("minutes", [5, 15])
def test_longer_bars_are_made_too(minutes):
    world, bars = World(), demo_bars()
    world.play(quotes_of("AAA", bars), until=CLOSE)
    found = played(tape(world, interval=f"{minutes}minute"))
    assert list(found) == list(range(OPEN, CLOSE, 60 * minutes))
    assert found[OPEN][0][1] == bars.high[:minutes].max()
    assert found[OPEN][0][4] == bars.volume[:minutes].sum()


def test_the_engine_decides_on_streamed_bars_as_on_recorded_ones():
    world, bars = World(), demo_bars()
    world.play(quotes_of("AAA", bars), until=CLOSE)
    over = [lane(LaneSpec("AAA"), bars, 1)]
    streamed = [(DAY, ts, rows) for ts, rows in tape(world).moments(DAY)]
    recorded = [(DAY, ts, rows) for ts, rows in Tape(over).moments(DAY)]
    happened = play(engine(over, minutes=1), streamed)
    assert happened
    assert exact(happened) == exact(play(engine(over, minutes=1), recorded))


def test_a_share_that_does_not_trade_holds_nobody_up():
    world, bars = World(), morning(demo_bars())
    live_minutes(world, bars)
    found = played(tape(world, ("AAA", "QUIET")))
    assert list(found) == bars.ts.tolist()
    assert all(list(rows) == [0] for rows in found.values())


def test_a_late_tick_is_counted_on_the_bar_it_missed():
    world = World()
    world.play([traded("AAA", at(0, 5), 100.0, 10), traded("AAA", at(1, 5), 101.0, 40)], until=at(1, 30))
    world.step(lambda: world.say(traded("AAA", at(0, 59), 900.0, 20)))
    world.play([traded("AAA", at(2, 5), 102.0, 50)], until=at(3))
    found = played(tape(world))
    assert found[at(0)] == {0: (100, 100, 100, 100, 10)}
    assert found[at(1)] == {0: (101, 101, 101, 101, 20)}
    assert [(row.late, row.ticks) for row in StreamBar.objects.order_by("start")] == [(1, 1), (0, 1), (0, 1)]


def test_news_goes_to_whoever_listens_in_the_exchanges_order():
    world, heard, told = World(), [], []
    world.step(lambda: [world.say(traded("AAA", at(0, s), 100.0 + s, v)) for s, v in ((3, 9), (1, 3), (2, 5), (2, 5))])
    world.step(lambda: [world.say(traded("AAA", at(0, 1), 101.0, 3)), world.say([1, 2]), world.notices.append("order")])
    world.play([], until=at(1))
    one = tape(world, on_ticks=heard.extend, on_notices=told.extend)
    played(one)
    assert [(k, tick.ts) for k, tick in heard] == [(0, at(0, 1)), (0, at(0, 2)), (0, at(0, 3))]
    assert told == ["order"]
    assert one.live.refused == {"room": 1}
    assert one.live.verdicts["quote"] == 2


def test_ticks_of_somebody_elses_share_are_counted_and_left_alone():
    world = World()
    world.play([traded("ZZZ", at(0, 5))], until=at(1))
    one = tape(world)
    assert played(one) == {}
    assert one.live.refused == {"token": 1}


# --- what the stream missed


def cut(world, bars, lose, back, symbol="AAA"):
    """Play bars, cut the stream from one moment to another."""
    world.bars[symbol] = bars
    raws, end = quotes_of(symbol, bars), int(bars.ts[-1]) + 60
    world.play([raw for raw in raws if raw[19] < lose], until=lose)
    world.step(world.lose)
    world.play([raw for raw in raws if lose <= raw[19] < back], until=back)
    world.step(world.back)
    world.play([raw for raw in raws if raw[19] >= back], until=end)


def test_what_the_stream_missed_comes_from_history_in_order_and_marked():
    world, bars = World(), morning(demo_bars())
    cut(world, bars, at(2, 20), at(5, 30))
    found = played(tape(world))
    assert list(found) == bars.ts.tolist()
    assert [found[ts][0] for ts in found] == [
        tuple(column[k] for column in bars.columns()[1:]) for k in range(len(bars))
    ]
    assert [origins()[int(ts)] for ts in bars.ts] == [*["ticks"] * 2, *["history"] * 4, *["ticks"] * 4]
    assert not Condition.objects.filter(until=None).exclude(code="feed-stale").exists()


def test_history_is_asked_once_for_all_a_lane_missed():
    world, bars = World(), morning(demo_bars())
    cut(world, bars, at(2, 20), at(5, 30))
    world.bars["BBB"] = bars
    played(tape(world, ("AAA", "BBB")))
    asked = [each for each in world.asked if each[0] == "AAA"]
    assert len(asked) <= 4
    assert min(first for _, first, _ in asked) == at(2)


def test_a_minute_in_which_nobody_traded_is_known_to_be_empty():
    world, bars = World(), morning(demo_bars())
    keep = [k for k in range(10) if k != 3]
    sparse = type(bars)(*(column[keep] for column in bars.columns()))
    cut(world, sparse, at(2, 20), at(5, 30))
    found = played(tape(world))
    assert at(3) not in found
    assert list(found) == sparse.ts.tolist()
    assert not Condition.objects.filter(code="bar-missing").exists()


def test_begun_in_the_middle_of_a_session_the_morning_comes_from_history():
    bars = morning(demo_bars(), 8)
    world = World(at=at(5, 30))
    world.bars["AAA"] = bars
    world.play([raw for raw in quotes_of("AAA", bars) if raw[19] >= at(5, 30)], until=at(8))
    one = tape(world)
    assert one.live_from == at(5, 30)
    assert list(played(one)) == bars.ts.tolist()
    assert [origins()[int(ts)] for ts in bars.ts] == [*["history"] * 6, *["ticks"] * 2]


def test_a_bar_history_does_not_give_in_time_goes_out_as_the_ticks_made_it():
    world, bars = World(), morning(demo_bars())
    cut(world, bars, at(2, 20), at(2, 40))
    world.refusal["AAA"] = Unavailable("busy")
    found = played(tape(world))
    assert list(found) == bars.ts.tolist()
    assert origins()[at(2)] == "partial"


def test_a_bar_that_was_given_out_is_never_rewritten_and_the_difference_is_told():
    world, bars = World(), morning(demo_bars())
    cut(world, bars, at(2, 5), at(2, 50))
    world.bars["AAA"] = bars.between(at(3), at(10))
    one = tape(world)
    given = played(one)
    assert origins()[at(2)] == "partial"
    world.bars["AAA"] = bars
    one.live.filler.hurry()
    one.live.check()
    until = time.monotonic() + 5
    while not one.live.differing and time.monotonic() < until:
        one.live.answered(one.live.filler.answers(), time.monotonic())
    one._watch.look(one.live, world, at=world.clock())
    told = Condition.objects.get(code="bar-differs").message
    assert f"decided on as {given[at(2)][0]}; history has" in told
    assert stream_bars.of_day("AAA", "1minute", DAY)[2][1:6] == given[at(2)][0]


def test_a_bar_nobody_knows_is_given_up_and_said_so():
    world, bars = World(), morning(demo_bars())
    cut(world, bars, at(2, 20), at(5, 30))
    world.refusal["AAA"] = Unavailable("the broker is busy")
    found = played(tape(world, patience=Patience(pace=BRIEF.pace, partial=0.4, missing=0.4)))
    assert list(found) == [int(ts) for ts in bars.ts if ts not in (at(3), at(4))]
    told = Condition.objects.get(code="bar-missing", subject="AAA")
    assert "missing: the broker is busy" in told.message


def test_one_share_that_history_does_not_know_holds_up_no_other():
    world, bars = World(), morning(demo_bars())
    world.bars["BBB"] = bars
    cut(world, bars, at(2, 20), at(5, 30))
    world.refusal["AAA"] = NotFound("no such share")
    patience = Patience(pace=BRIEF.pace, partial=3600.0, missing=3600.0)
    found = played(tape(world, ("AAA", "BBB"), patience=patience))
    assert [sorted(found[ts]) for ts in (at(3), at(4))] == [[1], [1]]
    assert origins("BBB")[at(3)] == "history"
    asked = [(first, last) for symbol, first, last in world.asked if symbol == "AAA"]
    assert all(later[0] > former[1] for former, later in pairwise(asked)), "asked again, it would say the same"


def test_while_nobody_knows_anything_the_desk_waits():
    world, bars = World(), morning(demo_bars(), 3)
    world.play([raw for raw in quotes_of("AAA", bars) if raw[19] < at(1, 5)], until=at(1, 5))
    world.step(world.lose)
    world.play([], until=at(3))
    world.refusal["AAA"] = Unavailable("down")
    looked = []
    one = tape(world, rest=lambda: looked.append(1) is None and len(looked) < 3)
    assert list(played(one)) == [at(0)]
    assert one.blocked() == {0}


def test_a_stream_that_was_mute_since_a_bars_end_does_not_make_it_whole():
    world, bars = World(), morning(demo_bars(), 3)
    world.bars["AAA"], world.mute = bars, True
    world.play([raw for raw in quotes_of("AAA", bars) if raw[19] < at(1, 30)], until=at(1, 30))
    world.play([], until=at(2))
    patience = Patience(pace=Pace(hold=0.0, grace=0.0, quiet=0.01), missing=0.05, partial=0.05)
    found = played(tape(world, patience=patience))
    assert found[at(1)][0] == tuple(column[1] for column in bars.columns()[1:])
    assert origins() == {at(0): "ticks", at(1): "history"}


def test_a_share_that_trades_and_is_not_heard_of_is_found_out_filled_from_history_and_joined_again():
    world, bars = World(), morning(demo_bars())
    world.bars = {"AAA": bars, "BBB": bars}
    heard = [raw for raw in quotes_of("AAA", bars) if not at(2) <= raw[19] < at(5, 30)]
    lively = sorted(heard + quotes_of("BBB", bars), key=lambda raw: raw[19])
    for minute in range(10):
        world.play([raw for raw in lively if at(minute) <= raw[19] < at(minute + 1)], until=at(minute + 1))
        world.step(lambda: time.sleep(0.03))  # longer than the limit
    patience = Patience(pace=BRIEF.pace, stale=0.02, partial=2.0, missing=2.0)
    found = played(tape(world, ("AAA", "BBB"), patience=patience))
    assert [found[int(ts)][0] for ts in bars.ts] == [
        tuple(column[k] for column in bars.columns()[1:]) for k in range(len(bars))
    ]
    assert world.joined == ["AAA"]
    assert [origins()[at(k)] for k in (0, 2, 3, 4, 5, 7)] == [
        "ticks", "history", "history", "history", "history", "ticks"
    ]  # fmt: skip
    assert set(origins("BBB").values()) == {"ticks"}


def test_a_share_that_is_silent_because_nobody_trades_is_asked_about_now_and_then_only():
    world, bars = World(), morning(demo_bars(), 9)
    quiet = type(bars)(*(column[:0] for column in bars.columns()))
    world.bars = {"BBB": bars, "QUIET": quiet}
    raws = quotes_of("BBB", bars)
    for minute in range(9):
        world.play([raw for raw in raws if at(minute) <= raw[19] < at(minute + 1)], until=at(minute + 1))
        world.step(lambda: time.sleep(0.03))
    patience = Patience(pace=BRIEF.pace, stale=0.02, partial=0.05, missing=0.05)
    played(tape(world, ("BBB", "QUIET"), patience=patience))
    asked = [first for symbol, first, _ in world.asked if symbol == "QUIET"]
    assert len(asked) == 2
    assert asked[1] - asked[0] >= 300
    assert world.joined == []
    assert not Condition.objects.filter(code="bar-missing").exists()


# --- restarts


def test_after_a_crash_the_day_goes_on_and_what_was_missed_meanwhile_comes_from_history():
    bars = morning(demo_bars(), 9)
    world = World()
    world.play([raw for raw in quotes_of("AAA", bars) if raw[19] < at(3)], until=at(3, 10))
    before = played(tape(world))
    assert list(before) == [at(0), at(1), at(2)]
    again = World(at=at(6, 30))
    again.bars["AAA"] = bars
    again.play([raw for raw in quotes_of("AAA", bars) if raw[19] >= at(6, 30)], until=at(9))
    one = tape(again)
    assert [bar.ts for bar in one.bars_of(0, DAY)] == list(before)
    recorded = Tape([lane(LaneSpec("AAA"), bars, 1)]).bars_of(0, DAY)
    assert all(same(a, b) for a, b in zip(one.bars_of(0, DAY), recorded[:3], strict=True))
    found = played(one)
    assert list(found) == bars.ts.tolist()
    assert {ts: found[ts] for ts in before} == before
    assert {first for _, first, _ in again.asked} >= {at(3)}
    assert min(first for _, first, _ in again.asked) == at(3), "what was given out is not asked for again"


def test_bars_behind_the_run_that_is_continued_are_not_brought_up_again():
    bars = morning(demo_bars(), 6)
    world = World(at=at(4, 30))
    world.bars["AAA"] = bars
    world.play([raw for raw in quotes_of("AAA", bars) if raw[19] >= at(4, 30)], until=at(6))
    one = tape(world)
    one.after = at(2)
    assert list(played(one)) == [at(3), at(4), at(5)]
    assert min(origins()) == at(3)


def test_a_day_that_is_lived_again_forgets_its_future():
    bars = morning(demo_bars(), 6)
    world = World()
    live_minutes(world, bars)
    played(tape(world))
    again = World(at=at(2))
    again.bars["AAA"] = bars
    again.play([], until=at(2, 30))
    assert list(played(tape(again))) == [at(0), at(1)]
    assert max(origins()) == at(2)


# --- the tape's face


def test_days_begin_with_today_and_go_on_until_the_market_is_over():
    world = World(at=CLOSE + 60)
    midnight = OPEN + 86_400 - 5 * 3600
    world.step(lambda: setattr(world, "at", midnight))
    world.bars["AAA"] = demo_bars().until(0)
    one = tape(world)
    seen = []
    for day in one.days:
        seen.append(day)
        if len(seen) == 1:
            continue
        world.finished = True
    assert seen == [DAY, DAY + 1]


def test_on_a_holiday_the_next_session_is_waited_for():
    sunday = World(at=OPEN - 86_400)
    assert list(tape(sunday, rest=lambda: False).days) == []


def test_the_stream_is_expected_to_speak_only_inside_a_session():
    world = World(at=OPEN - 60)
    seen = []
    world.step(lambda: seen.append(world.expected))
    world.play([], until=OPEN + 1)
    world.step(lambda: None)
    world.step(lambda: seen.append(world.expected))
    played(tape(world))
    assert seen == [False, True]
    assert world.expected is False


def test_entries_are_blocked_until_the_first_news_and_again_when_it_is_old():
    world = World()
    world.play([traded("AAA", at(0, 1))], until=at(0, 2))
    seen = []
    one = tape(world, ("AAA", "BBB"), patience=Patience(pace=BRIEF.pace, stale=0.05))
    assert one.blocked() == {0, 1}
    for _ in range(3):
        world.step(lambda: seen.append(one.blocked()))
    world.step(lambda: time.sleep(0.06))
    world.step(lambda: seen.append(one.blocked()))
    played(one)
    assert seen == [{1}, {1}, {1}, {0, 1}]
    assert one.feed(0).traded_at == at(0, 1)
    assert one.feed(1).age == math.inf


def test_stale_lanes_are_told_of_once_they_are():
    world = World()
    world.play([traded("AAA", at(0, 1))], until=at(0, 2))
    one = tape(world, patience=Patience(pace=BRIEF.pace, stale=0.02))
    world.step(lambda: time.sleep(0.04))
    world.step(lambda: setattr(one, "_rested", -math.inf))
    world.step(lambda: None)
    played(one)
    told = Condition.objects.get(code="feed-stale", until=None)
    assert told.subject == ""
    assert "entries are blocked" in told.message


def test_a_share_that_stands_still_while_others_trade_is_told_of_as_halted():
    world = World()
    world.play([traded("AAA", at(0, 1)), traded("BBB", at(0, 1))], until=at(0, 2))
    world.step(lambda: time.sleep(0.2))
    world.play([traded("BBB", at(0, 50), 101.0, 9)], until=at(0, 50))
    one = tape(world, ("AAA", "BBB"), patience=Patience(pace=BRIEF.pace, stale=0.06))
    played(one)
    told = Condition.objects.get(code="share-halted", until=None)
    assert (told.subject, told.message) == ("AAA", "AAA stands still while others trade; its entries are blocked")
    assert one.blocked() == {0}
    assert one.feed(0).halted


def test_a_stream_that_waits_for_a_login_is_told_of_by_the_session():
    world = World()
    world.failures, world.state = 99, "waiting"
    world.play([], until=at(0, 2))
    played(tape(world))
    assert not Condition.objects.filter(code="stream-down").exists()


def test_a_stream_that_fails_again_and_again_is_told_of():
    world = World()
    world.failures, world.reason = 6, "refused"
    world.play([], until=at(0, 2))
    played(tape(world))
    assert "failed 6 times in a row: refused" in Condition.objects.get(code="stream-down", until=None).message


@pytest.mark.parametrize(
    ("time", "segment", "phase"),
    [
        ((9, 3), "equity", ("pre_open", "limit_and_market")), ((9, 20), "equity", ("continuous", "")),
        ((15, 20), "equity", ("continuous", "")), ((15, 22), "equity_fno", ("closing_auction", "limit_and_market")),
        ((15, 36), "equity_fno", ("closed", "")), ((3, 0), "equity", ("closed", "")),
    ],
)  # fmt: skip
def test_the_phase_of_a_lane_is_known(time, segment, phase):
    one = tape(World(), past=past_of(("AAA",), segment))
    assert one.phase(0, dt.datetime.combine(MONDAY, dt.time(*time), IST)) == phase


def test_warm_up_comes_from_the_sessions_before_today():
    one = tape(World())
    friday = demo_bars("DEMOLABS", dt.date(2026, 10, 30))
    assert [bar.ts for bar in one.before_today(0)] == friday.ts.tolist() == one.bars(0).ts.tolist()
    assert len(one) == len(friday)
    assert one.before(0, DAY) == friday.close[-1]
    assert one.last(DAY) == 0


def test_the_next_days_previous_close_is_todays_last_streamed_one():
    world, bars = World(), morning(demo_bars())
    live_minutes(world, bars)
    one = tape(world)
    played(one)
    assert one.before(0, DAY + 1) == bars.close[-1]


def test_the_stream_makes_no_daily_bars():
    with pytest.raises(BadInput, match="no bars of 1day"):
        tape(World(), interval="1day")


def test_every_lane_needs_its_token():
    with pytest.raises(BadInput, match="2 lanes have 1 tokens"):
        tape(World(), ("AAA",), past=past_of(("AAA", "BBB")))


def test_the_run_ends_when_whoever_tends_to_it_says_so():
    world, bars = World(), morning(demo_bars())
    live_minutes(world, bars)
    assert played(tape(world, rest=lambda: False)) == {}


# --- replays


def test_a_streamed_day_is_replayed_bar_for_bar_by_the_engine_and_the_backtester():
    world, bars = World(), demo_bars()
    world.play(quotes_of("AAA", bars), until=CLOSE)
    streamed = list(tape(world).moments(DAY))
    words = (
        "--symbols", "AAA", "--data-source", "stream", "--interval", "1minute", "--strategy", "intraday",
        "--start-date", MONDAY, "--end-date", MONDAY,
    )  # fmt: skip
    wanted = markets.want("stream", ["AAA"], "1minute", MONDAY, MONDAY, today=MONDAY)
    replayed = list(Tape(markets.lanes(wanted, at=world.clock())).moments(DAY))
    pairs = zip(streamed, replayed, strict=True)
    assert all(same(a, b) for one, other in pairs for (_, a), (_, b) in zip(one[1], other[1], strict=True))
    assert markets.every_symbol("stream", "1minute", at=world.clock()) == ["AAA"]
    code, out, err = command("engine", "--mode", "replay", "--json", *words)
    assert (code, json.loads(out)["bars"], err) == (0, 375, "")
    code, out, _ = command("backtest", "--json", *words)
    assert code == 0
    run = BacktestRun.objects.get()
    assert (run.source, run.directory, run.status) == ("stream", "", "done")
    assert command("parity", *words)[0] == 0


def test_a_day_that_was_not_streamed_is_refused_by_name():
    wanted = markets.want("stream", ["AAA"], "1minute", MONDAY, MONDAY, today=MONDAY)
    with pytest.raises(NotFound, match="no 1minute bar of AAA was streamed from 2026-11-02 to 2026-11-02"):
        markets.lanes(wanted, at=World().clock())


def test_a_tick_too_late_for_a_bar_nobody_had_makes_it_missing():
    world = World()
    traded_then = [("AAA", at(0, 5), 10), ("BBB", at(1, 5), 40), ("BBB", at(2, 1), 50)]
    world.play([traded(symbol, ts, 101.0, volume) for symbol, ts, volume in traded_then], until=at(2, 2))
    world.step(lambda: world.say(traded("AAA", at(1, 59), 900.0, 20)))
    world.play([], until=at(3))
    found = played(tape(world, ("AAA", "BBB")))
    assert found[at(1)] == {1: (101, 101, 101, 101, 40)}
    assert "the 09:16 bar of AAA is missing: its ticks came too late" in Condition.objects.get().message
