"""What the engine did is remembered: signals with their why and why-not, orders step by step, what they came to."""

import copy
import datetime as dt
import json
import math
from collections import defaultdict
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import IntegrityError

from sensequant.lib.errors import NotAllowed
from tests.trading.desks import NOON, SYMBOLS, WEEK, begun, driven, engine, lanes, moments
from trading.core.orders import Status, may_become
from trading.core.risk import OBJECTIONS
from trading.core.state import AVG, EQUITY, EVENTS, EXIT_REASONS, QTY, SIDE
from trading.models import EngineRun, EquityPoint, Fill, LaneState, Order, OrderEvent, Position, Signal, Trade
from trading.services import recording
from trading.services.recording import Recorder, memory_of, moment, money

pytestmark = pytest.mark.django_db
THREE = WEEK[0], dt.date(2026, 11, 4)
FIVE = dt.timedelta(minutes=5)
COUNTED = (Signal, Order, OrderEvent, Fill, Trade, Position, EquityPoint)


@pytest.fixture
def week():
    """A finished run over a week, thin bars filling it in parts."""
    return driven(span=THREE, participation=0.002, notional=200_000)


@pytest.fixture
def midway():
    """A run stopped while it holds something, and its engine as it stood."""
    run = begun(span=THREE, participation=0.002, notional=200_000)
    for looks in range(40, 400, 20):
        run = driven(run, looks=looks)
        if run.positions.count() > 0:
            return run
    raise AssertionError("it never held anything")


def counts():
    return {model.__name__: model.objects.count() for model in COUNTED}


# signals


def test_a_signal_says_why_in_words_with_its_numbers(week):
    signals = week.signals.all()
    assert len(signals) > 20
    for signal in signals:
        assert "{" not in signal.reason
        assert "nan" not in signal.reason
        assert f"{signal.features['close']:.2f}" in signal.reason
        assert signal.price == money(signal.features["close"])
        assert signal.direction in ("LONG", "SHORT", "FLAT")


def test_a_signal_was_acted_on_or_says_what_spoke_against_it(week):
    placed = set(week.orders.values_list("symbol", "created_at"))
    refused = [signal for signal in week.signals.all() if signal.objections]
    assert refused
    for signal in week.signals.all():
        acted = (signal.symbol, signal.at + FIVE) in placed
        assert acted == (not signal.objections), signal.reason
        assert set(signal.objections) <= set(OBJECTIONS.values())


def test_a_signal_names_the_news_it_was_given():
    week = driven()
    told = week.signals.exclude(sentiment=None)
    assert told
    assert all(f"sentiment {signal.sentiment:+.2f}" in signal.reason for signal in told)
    assert all("sentiment" not in signal.reason for signal in week.signals.filter(sentiment=None))


# orders


def test_an_order_moves_only_as_orders_may_and_every_step_is_kept(week):
    orders = week.orders.prefetch_related("events", "fills")
    assert {order.status for order in orders} == {"filled", "expired"}
    seen = set()
    for order in orders:
        steps = [(event.old, event.new) for event in order.events.all()]
        assert steps[0] == ("", "working")
        assert [old for old, _ in steps[1:]] == [new for _, new in steps[:-1]]
        assert all(may_become(Status(old), Status(new)) for old, new in steps[1:])
        assert steps[-1][1] == order.status
        seen |= {new for _, new in steps}
    assert seen == {"working", "partial", "filled", "expired"}


def test_an_order_is_filled_by_its_fills_and_never_beyond(week):
    for order in week.orders.prefetch_related("fills"):
        fills = list(order.fills.all())
        assert [fill.number for fill in fills] == list(range(1, len(fills) + 1))
        assert order.filled == sum(fill.quantity for fill in fills) <= order.quantity
        assert (order.filled == order.quantity) == (order.status == "filled")
        assert all(fill.at >= order.created_at - FIVE for fill in fills)


def test_orders_are_numbered_without_a_gap_and_keyed_by_their_decision(week):
    orders = list(week.orders.order_by("number"))
    assert [order.number for order in orders] == list(range(1, len(orders) + 1))
    for order in orders:
        number, strategy, symbol, purpose, _, last = order.key.split(":")
        assert (int(number), strategy, symbol, purpose) == (week.pk, "intraday", order.symbol, order.purpose)
        assert int(last) == order.number


def test_an_entry_has_the_reason_of_its_signal_and_an_exit_the_word_for_its_own(week):
    said = dict(
        zip(week.signals.values_list("symbol", "at"), week.signals.values_list("reason", flat=True), strict=True)
    )
    for order in week.orders.all():
        if order.purpose == "entry":
            assert order.reason == said[order.symbol, order.created_at - FIVE]
        else:
            assert order.reason in EXIT_REASONS.values()


def test_an_order_can_not_leave_a_status_it_is_not_in(week):
    recorder = Recorder(week, engine(lanes()))
    order = week.orders.filter(status="filled").first()
    with pytest.raises(NotAllowed, match="is filled and cannot become expired"):
        recorder._advance(order, Status.EXPIRED, NOON)
    stale = week.orders.get(pk=order.pk)
    stale.status = "working"
    with pytest.raises(NotAllowed):
        recorder._advance(stale, Status.PARTIAL, NOON)
    assert week.orders.get(pk=order.pk).status == "filled"


# positions, trades, equity


def test_a_position_is_what_its_fills_come_to(midway):
    signs = {"BUY": 1, "SELL": -1}
    held, spent = defaultdict(int), defaultdict(Decimal)
    for fill in Fill.objects.filter(order__run=midway).select_related("order").order_by("at", "id"):
        symbol, way = fill.order.symbol, signs[fill.order.side]
        held[symbol] += way * fill.quantity
        if fill.order.purpose == "entry":
            spent[symbol] += fill.quantity * fill.price
        if held[symbol] == 0:
            spent[symbol] = Decimal(0)
    found = {p.symbol: (p.quantity if p.side == "LONG" else -p.quantity) for p in midway.positions.all()}
    assert found == {symbol: quantity for symbol, quantity in held.items() if quantity}


def test_a_position_shows_what_the_engine_holds(midway):
    numbers = midway.numbers
    for position in midway.positions.all():
        lane = sorted(SYMBOLS).index(position.symbol)
        assert numbers["K"][lane][QTY] == position.quantity
        assert (numbers["K"][lane][SIDE] == 1) == (position.side == "LONG")
        assert money(numbers["L"][lane][AVG]) == position.entry_price
        assert (
            position.stop > position.entry_price if position.side == "SHORT" else position.stop < position.entry_price
        )
    assert Position.objects.count() == sum(1 for K in numbers["K"] if K[SIDE])


def test_nothing_is_held_once_an_intraday_run_is_over(week):
    assert not week.positions.exists()
    assert not week.orders.filter(status__in=["working", "partial"]).exists()


def test_a_trade_names_the_orders_it_was_made_of(week):
    trades = list(week.trades.all())
    named = [number for trade in trades for number in trade.orders]
    assert len(named) == len(set(named))
    assert set(named) == set(week.orders.filter(filled__gt=0).values_list("number", flat=True))
    for trade in trades:
        orders = list(week.orders.filter(number__in=trade.orders).prefetch_related("fills"))
        assert {order.symbol for order in orders} == {trade.symbol}
        bought = [f for o in orders if o.purpose == "entry" for f in o.fills.all()]
        sold = [f for o in orders if o.purpose == "exit" for f in o.fills.all()]
        assert sum(f.quantity for f in bought) == sum(f.quantity for f in sold) == trade.quantity
        assert sum(f.charges for f in [*bought, *sold]) == trade.charges
        assert trade.net_pnl == trade.gross_pnl - trade.charges
        assert min(f.at for f in bought) == trade.entry_time
        assert max(f.at for f in sold) == trade.exit_time


def test_the_trades_come_to_the_equity(week):
    total = sum(trade.net_pnl for trade in week.trades.all())
    assert float(total) == pytest.approx(week.numbers["A"][EQUITY] - 1e6, abs=0.02 * week.trades.count())
    assert week.equity.order_by("at").last().equity == money(week.numbers["A"][EQUITY])


def test_the_equity_is_known_every_five_minutes_of_the_market(week):
    points = list(week.equity.order_by("at").values_list("at", flat=True))
    assert len(points) == 3 * 75
    assert all(after - before == FIVE or after.date() > before.date() for before, after in pairwise(points))


def test_bars_that_are_no_round_five_minutes_still_leave_an_equity_point_every_five():
    run = driven(symbols=["DEMOLABS"], interval="1minute", span=(WEEK[0], WEEK[0]), adx_min=100)
    assert run.equity.count() == 75 + 1  # and the close
    assert run.bars == 375


# once


def test_the_same_moment_can_not_be_remembered_twice():
    run, over = begun(), lanes()
    desk = engine(over)
    recorder, (_, played) = Recorder(run, desk), moments(over)
    recorder.open_session(0)
    for _, ts, rows in played:
        step = desk.step(ts, rows)
        orders = copy.copy(recorder.orders)
        recorder.record(step)
        if not step.happenings:
            continue
        before = counts()
        recorder.orders = orders
        with pytest.raises((IntegrityError, NotAllowed)):
            recorder.record(step)
        assert counts() == before
        return
    raise AssertionError("nothing happened")


@pytest.mark.parametrize("model", [Signal, Order, Fill, Trade, EquityPoint])
def test_a_row_that_says_the_same_again_is_refused(model, transactional_db):
    row = model.objects.filter(**{"order__run" if model is Fill else "run": driven()}).first()
    row.pk = None
    row._state.adding = True
    with pytest.raises(IntegrityError):
        row.save(force_insert=True)


def test_only_one_run_of_a_name_is_current():
    begun()
    with pytest.raises(IntegrityError):
        EngineRun.objects.create(name="story", mode="replay", source="demo", interval="5minute", strategy="intraday",
                                 plan={}, capital=1, started_at=NOON)  # fmt: skip


def test_a_moment_that_can_not_be_written_whole_is_not_written_at_all(monkeypatch):
    run, over = begun(), lanes()
    desk = engine(over)
    recorder, (_, played) = Recorder(run, desk), moments(over)
    recorder.open_session(0)
    monkeypatch.setattr(recorder, "_keep_equity", lambda ts: 1 / 0)
    before = counts()
    step = next(step for _, ts, rows in played if (step := desk.step(ts, rows)).happenings)
    with pytest.raises(ZeroDivisionError):
        recorder.record(step)
    assert counts() == before
    assert EngineRun.objects.get(pk=run.pk).cursor is None


# lanes


def test_a_lane_that_stopped_is_remembered_at_once_and_stays_stopped():
    run, over = begun(), lanes()
    desk = engine(over)
    recorder, (_, played) = Recorder(run, desk), moments(over)
    recorder.open_session(0)
    for _, ts, rows in played[:20]:
        recorder.record(desk.step(ts, rows))
    _, ts, rows = played[20]
    recorder.record(
        desk.step(ts, [(lane, bar._replace(close=float("nan")) if lane == 1 else bar) for lane, bar in rows])
    )
    (lane,) = LaneState.objects.exclude(halted="")
    assert (lane.symbol, lane.number) == ("DEMOINFRA", 1)
    assert "no prices" in lane.halted
    tape, _ = moments(over)
    again = engine(over)
    assert recording.restore(EngineRun.objects.get(pk=run.pk), again, lambda k: tape.bars_of(k, tape.days[0]))
    assert again.halted == desk.halted


def test_a_signal_of_a_lane_that_failed_on_the_same_bar_is_kept_all_the_same():
    run, over = begun(), lanes()
    desk = engine(over)
    recorder, (_, played) = Recorder(run, desk), moments(over)
    recorder.open_session(0)

    react = desk.core.react

    def failing(*given):
        seen = react(*given)
        if desk.N[EVENTS]:
            raise RuntimeError("after the fact")
        return seen

    desk.seats = [seat._replace(core=seat.core._replace(react=failing)) for seat in desk.seats]
    recorder.record(next(step for _, ts, rows in played if (step := desk.step(ts, rows)).happenings))
    assert Signal.objects.get().reason == "the lane failed on this bar"
    assert Signal.objects.get().objections or Order.objects.get().status == "working"


def test_a_memory_with_unknown_numbers_is_kept_exactly():
    memory = [0.1 + 0.2, math.nan, -0.0, 1e16, 5e-324]
    again = memory_of(json.loads(json.dumps(recording._plain(memory))))
    assert repr(again) == repr(memory)


def test_money_is_kept_to_a_hundredth_of_a_paisa_and_moments_in_utc():
    assert money(1234.56785) == Decimal("1234.5678")
    assert money(-0.00004) == 0
    assert moment(0) == dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
