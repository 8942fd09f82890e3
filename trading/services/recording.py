"""What the engine did, remembered: one transaction a moment, with the numbers to continue from.

A crash leaves the last recorded moment whole. Nothing happened after it that was not recorded, so taking the bars
after it again, from the numbers recorded with it, gives what an uninterrupted run would have given.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import transaction

from sensequant.lib.errors import NotAllowed
from trading.core.features import Bar
from trading.core.orders import Status, may_become
from trading.core.risk import reasons
from trading.core.signals import DIRECTIONS
from trading.core.state import (
    AVG,
    CASH,
    ENTRY,
    ENTRY_TS,
    EQUITY,
    EXIT_REASONS,
    EXPIRED,
    EXPOSURE,
    FILLED,
    ORDERED,
    QTY,
    SIDE,
    SIGNAL,
    STOP,
    TARGET,
    TRADE_COST,
    TRADED,
    Happening,
)
from trading.core.strategies import strategy
from trading.core.traces import Trace
from trading.models.engine import EngineRun, LaneState
from trading.models.orders import Fill, Order, OrderEvent, Signal
from trading.models.positions import EquityPoint, Position, Trade
from trading.models.students import ModelScore
from trading.services.engine import Engine, Step
from trading.services.predictions import Ledger

PLACES = Decimal("0.0001")
EQUITY_EVERY = 300  # seconds of market time between equity points when nothing happens


def money(value: float) -> Decimal:
    """Return rupees as the tables keep them."""
    return Decimal(repr(value)).quantize(PLACES)


def moment(ts: float) -> dt.datetime:
    """Return seconds since the epoch as an aware moment."""
    return dt.datetime.fromtimestamp(ts, dt.UTC)


class Recorder:
    """Writes one run's happenings."""

    def __init__(self, run: EngineRun, engine: Engine) -> None:
        """Remember for ``run`` what ``engine`` does."""
        self.run, self.engine = run, engine
        self.seconds = engine.setup.minutes * 60
        working = Order.objects.filter(run=run, status__in=[Status.WORKING, Status.PARTIAL])
        self.orders: dict[int, Order] = {order.number: order for order in working}
        newest = EquityPoint.objects.filter(run=run).order_by("-at").first()
        self.equity_at = int(newest.at.timestamp()) - self.seconds if newest else 0
        self.said: dict[int, str] = {}  # the reason of each lane's newest signal
        self.trades: list[Trade] = []
        self.signals: dict[int, Signal] = {}  # each lane's newest
        self.ledger = Ledger(run, engine)
        self.traces: list[Trace] = []  # of the trades

    def open_session(self, ts: int) -> None:
        """Keep what every lane's indicators remember as a session begins; ``ts`` is the last bar before it, or 0."""
        if ts:
            self.run.cursor = moment(ts)
        rows = [
            LaneState(
                run=self.run, number=j, symbol=spec.symbol, memory=_plain(self.engine.m[j]), bars=self.engine.K[j][0],
                halted=self.engine.halted.get(j, ""),
            )
            for j, spec in enumerate(self.engine.specs)
        ]  # fmt: skip
        with transaction.atomic():
            LaneState.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=["run", "number"], update_fields=["memory", "bars", "halted"]
            )
            self._save_numbers()
        self.ledger.anchor()

    def record(self, step: Step) -> None:
        """Remember a moment: its happenings, the positions they left, and the numbers to continue from."""
        self.trades, self.traces = [], []
        due = step.ts - self.equity_at >= EQUITY_EVERY
        if not (step.happenings or step.halted or due):
            return
        with transaction.atomic():
            for each in step.happenings:
                if each.kind in HANDLERS:
                    getattr(self, HANDLERS[each.kind])(each, step)
            self._keep_scores(step)
            for lane in {each.lane for each in step.happenings if each.kind in (FILLED, TRADED)}:
                self._keep_position(lane)
            for lane in step.halted:
                LaneState.objects.filter(run=self.run, number=lane).update(halted=self.engine.halted[lane])
            self._keep_equity(step.ts + self.seconds)
            self.run.cursor = moment(step.ts)
            self._save_numbers()
        self.equity_at = step.ts

    def save(self, ts: int | None) -> None:
        """Remember the numbers as they stand after the moment ``ts``."""
        if ts is not None:
            self.run.cursor = moment(ts)
        self._save_numbers()

    def _save_numbers(self) -> None:
        run, engine = self.run, self.engine
        run.numbers, run.bars = engine.numbers(), engine.bars
        EngineRun.objects.filter(pk=run.pk).update(numbers=run.numbers, bars=run.bars, cursor=run.cursor)

    def _keep_equity(self, ts: int) -> None:
        account = self.engine.A
        equity, cash, exposure = (money(account[slot]) for slot in (EQUITY, CASH, EXPOSURE))
        point = EquityPoint(run=self.run, at=moment(ts), equity=equity, cash=cash, exposure=exposure)
        EquityPoint.objects.bulk_create([point], ignore_conflicts=True)

    def _keep_scores(self, step: Step) -> None:
        """Keep what the students said of this moment's decisions; saying it twice changes nothing."""
        rows = [
            ModelScore(
                run=self.run, model_id=each.seat, at=moment(each.ts), symbol=self.engine.specs[each.lane].symbol,
                strategy=self._name(each.lane), direction=DIRECTIONS[each.direction], chance=each.chance,
                threshold=each.threshold, inputs=_plain(list(each.inputs)),
            )
            for each in step.scores
        ]  # fmt: skip
        ModelScore.objects.bulk_create(rows, ignore_conflicts=True)

    def _keep_position(self, lane: int) -> None:
        floats, ints, symbol = self.engine.L[lane], self.engine.K[lane], self.engine.specs[lane].symbol
        known = Position.objects.filter(run=self.run, symbol=symbol, strategy=self._name(lane))
        if ints[SIDE] == 0:
            known.delete()
            return
        Position.objects.update_or_create(
            run=self.run, symbol=symbol, strategy=self._name(lane),
            defaults={
                "side": DIRECTIONS[ints[SIDE]], "quantity": ints[QTY], "entry_price": money(floats[AVG]),
                "stop": money(floats[STOP]) if floats[STOP] else None,
                "target": money(floats[TARGET]) if floats[TARGET] else None,
                "charges": money(floats[TRADE_COST]), "opened_at": moment(ints[ENTRY_TS]),
            },
        )  # fmt: skip

    def signal(self, each: Happening, step: Step) -> None:
        """Keep a signal with its reason in words and what spoke against it."""
        v = each.values
        found = step.features.get(each.lane)
        name = self._name(each.lane)
        row = {} if found is None else strategy(name).described(found)
        features = {name: round(x, 6) for name, x in row.items() if not math.isnan(x)}
        text = str(strategy(name).REASONS[int(v["reason"])]).format(**row) if row else "the lane failed on this bar"
        self.said[each.lane] = text = _sentence(text, v["sentiment"])
        self.signals[each.lane] = Signal.objects.create(
            run=self.run, at=moment(each.ts), symbol=self._symbol(each), strategy=name,
            direction=DIRECTIONS[int(v["direction"])], confidence=v["confidence"], price=money(v["price"]),
            sentiment=None if math.isnan(v["sentiment"]) else v["sentiment"], reason=text,
            objections=reasons(int(v["objections"])), features=features, **_judged(each, step),
        )  # fmt: skip

    def ordered(self, each: Happening, step: Step) -> None:
        """Keep an order as it is sent, under the key of its decision."""
        v, number, name = each.values, int(each.values["order"]), self._name(each.lane)
        purpose = "entry" if v["purpose"] == ENTRY else "exit"
        symbol = self._symbol(each)
        why = self.said[each.lane] if purpose == "entry" else EXIT_REASONS[int(v["why"])]
        order = Order.objects.create(
            run=self.run, key=f"{self.run.pk}:{name}:{symbol}:{purpose}:{each.ts}:{number}", number=number,
            symbol=symbol, strategy=name, side="BUY" if v["way"] > 0 else "SELL", purpose=purpose,
            reason=why, quantity=int(v["quantity"]), price=money(v["price"]), created_at=self._decided(each),
            status=self.first_status(),
        )  # fmt: skip
        OrderEvent.objects.create(order=order, new=order.status, at=order.created_at)
        self.orders[number] = order
        if purpose == "entry" and (signal := self.signals.get(each.lane)) is not None:
            self.ledger.predict(order, signal)

    def first_status(self) -> Status:
        """Return how an order begins: the paper market works it at once."""
        return Status.WORKING

    def filled(self, each: Happening, step: Step) -> None:
        """Keep a fill and move its order on."""
        v, order = each.values, self.orders[int(each.values["order"])]
        Fill.objects.create(
            order=order, number=order.fills.count() + 1, at=moment(each.ts), quantity=int(v["quantity"]),
            price=money(v["price"]), charges=money(v["charge"]),
        )  # fmt: skip
        order.filled += int(v["quantity"])
        self._advance(order, Status.FILLED if v["remaining"] == 0 else Status.PARTIAL, moment(each.ts))

    def expired(self, each: Happening, step: Step) -> None:
        """Keep that what was left of an order was taken back."""
        self._advance(self.orders[int(each.values["order"])], Status.EXPIRED, moment(each.ts))

    def traded(self, each: Happening, step: Step) -> None:
        """Keep a closed trade."""
        v = each.values
        trade = Trade.objects.create(
            run=self.run, symbol=self._symbol(each), strategy=self._name(each.lane), side=DIRECTIONS[int(v["side"])],
            quantity=int(v["quantity"]), entry_time=moment(v["entry_ts"]), entry_price=money(v["entry_price"]),
            exit_time=moment(each.ts), exit_price=money(v["exit_price"]), exit_reason=EXIT_REASONS[int(v["why"])],
            gross_pnl=money(v["gross"]), charges=money(v["charges"]), net_pnl=money(v["net"]),
            orders=self._orders_of(each),
        )  # fmt: skip
        self.trades.append(trade)
        if (found := self.ledger.score(trade)) is not None:
            self.traces.append(found)

    def _advance(self, order: Order, new: Status, at: dt.datetime) -> None:
        old = Status(order.status)
        won = may_become(old, new) and Order.objects.filter(pk=order.pk, status=old).update(
            status=new, filled=order.filled
        )
        if not won:
            raise NotAllowed(f"order {order.number} of run {self.run.pk} is {old} and cannot become {new}")
        order.status = new
        OrderEvent.objects.create(order=order, old=old, new=new, at=at)
        if new in (Status.FILLED, Status.EXPIRED):
            self.orders.pop(order.number, None)

    def _orders_of(self, trade: Happening) -> list[int]:
        """Return the numbers of the orders that were filled while the trade lived."""
        filled = Order.objects.filter(
            run=self.run, symbol=self._symbol(trade), strategy=self._name(trade.lane),
            fills__at__gte=moment(trade.values["entry_ts"]), fills__at__lte=moment(trade.ts),
        )  # fmt: skip
        return sorted(set(filled.values_list("number", flat=True)))

    def _symbol(self, each: Happening) -> str:
        return self.engine.specs[each.lane].symbol

    def _name(self, lane: int) -> str:
        return self.engine.seats[lane].name

    def _decided(self, each: Happening) -> dt.datetime:
        """Return when an order was decided: at the bar's end, but inside the bar for a stop or target."""
        inside = int(each.values["why"]) in (1, 2)
        return moment(each.ts if inside else each.ts + self.engine.seats[each.lane].setup.minutes * 60)


HANDLERS: dict[int, str] = {
    SIGNAL: "signal",
    ORDERED: "ordered",
    FILLED: "filled",
    EXPIRED: "expired",
    TRADED: "traded",
}


def _judged(each: Happening, step: Step) -> dict[str, Any]:
    """Return the champion's version and the chance it gave the signal's direction, if it was asked."""
    for said in step.scores:
        if said.champion and said.lane == each.lane and said.ts == each.ts:
            return {"model_version": said.version, "model_confidence": said.chance}
    return {}


def _plain(memory: list[float]) -> list[float | None]:
    """Return a memory as JSON can keep it: NaN as null."""
    return [None if x != x else x for x in memory]


def memory_of(saved: list[float | None]) -> list[float]:
    """Return a kept memory as it was."""
    return [math.nan if x is None else float(x) for x in saved]


def _sentence(text: str, sentiment: float) -> str:
    return text if math.isnan(sentiment) else f"{text}; sentiment {sentiment:+.2f}"


def restore(run: EngineRun, engine: Engine, bars_of: Callable[[int], list[Bar]]) -> bool:
    """Let ``engine`` continue ``run``, and say whether there was anything to continue.

    ``bars_of(lane)`` returns the bars of the session the run's cursor lies in.
    """
    lanes = list(LaneState.objects.filter(run=run).order_by("number"))
    if not run.numbers or not lanes:
        return False
    memory = [(memory_of(lane.memory), lane.bars) for lane in lanes]
    today = [bars_of(j) if run.cursor else [] for j in range(len(lanes))]
    engine.restore(run.numbers, memory, today)
    engine.halted = {lane.number: lane.halted for lane in lanes if lane.halted}
    return True
