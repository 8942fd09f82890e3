"""Orders on their way to a broker and back: sent once, watched to their end, never believed finished without a reading.

One thread – the engine's – owns every row and every number here. Requests run in a small pool and come back as answers
that ``pump`` handles, so a broker that takes fifteen seconds to answer never holds up a stop. Nothing is sent before
its row is committed; nothing is sent twice; what got no clean answer is UNKNOWN until the broker's book tells.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction

from sensequant.lib import crash
from sensequant.lib.errors import BadInput, NotAllowed
from sensequant.lib.logs import get_logger
from trading.adapters.breeze.errors import BudgetSpent, Busy, NotSent, Refused, SessionLost
from trading.core.errors import Invalid
from trading.core.orders import OPEN, Status, may_become
from trading.core.ports import Deal, OrderDesk, Report, Ticket
from trading.core.state import ENTRY, EXIT, QTY, Happening
from trading.models.orders import Fill, Order
from trading.services import conditions
from trading.services.broker_pool import BrokerPool, placed, reading, under
from trading.services.guard import Guard
from trading.services.leases import Held
from trading.services.live_engine import LiveEngine
from trading.services.live_orders import FINAL, Answer, Live, Name, Price, limit_of, on_tick
from trading.services.live_recording import Ending, LiveRecorder
from trading.services.market_clock import MarketClock

LOOK_EVERY = 15.0  # seconds between readings of a working order nothing was heard of
SOON = 0.5
SEND_WITHIN = 10.0  # seconds an order may take to leave
EXIT_PATIENCE = 3.0  # seconds before an exit's limit goes further
PUSHES = 8
log = get_logger("orders")


class OrderRoom:
    """The orders of one run at one broker.

    ``take`` records happenings with the numbers in one transaction before it returns; ``broker`` returns today's
    order desk or raises SessionLost; ``patience`` is how many market seconds an entry may stay unfilled.
    """

    def __init__(
        self, engine: LiveEngine, recorder: LiveRecorder, names: Sequence[Name], *, clock: MarketClock,
        broker: Callable[[], OrderDesk], take: Callable[[Sequence[Happening]], None], patience: float,
    ) -> None:  # fmt: skip
        """Take over the orders ``recorder`` knows to be open: what was being sent is unknown now."""
        self.engine, self.recorder, self.names, self.clock = engine, recorder, tuple(names), clock
        self.broker, self.take, self.patience = broker, take, patience
        self.lanes = {name.symbol: lane for lane, name in enumerate(names)}
        self.prices = [Price() for _ in names]
        self.live: dict[int, Live] = {}
        self.lost: SessionLost | None = None
        self.pool = BrokerPool()
        self.pool.handlers = {
            "quote": self._quoted, "place": self._placed, "look": self._looked, "cancel": self._asked,
            "modify": self._asked,
        }  # fmt: skip
        for order in list(recorder.orders.values()):
            if order.status == Status.SENDING:
                recorder.move(order, Status.UNKNOWN, at=clock(), note="the process ended while it was being sent")
            self.watch(order)
        self.guard = Guard(self)
        self.may_send: Callable[[int, bool], bool] = lambda lane, exit: True
        self.opened: Callable[[int], dt.datetime | None] = lambda lane: None  # since when an old decision counts
        self._spacing = 2.0 / settings.DESK.breeze_orders_per_second  # seconds between two orders: no burst is denied
        self._next = 0.0

    # What the engine's loop calls

    @property
    def lease(self) -> Held | None:
        """Return the lease orders are sent, and rows written, under."""
        return self.recorder.lease

    @lease.setter
    def lease(self, held: Held | None) -> None:
        self.recorder.lease = held

    def dispatch(self) -> None:
        """Begin to send what was committed since the last call."""
        for order in self.recorder.fresh:
            crash.point("intent-committed")
            self.watch(order)
        self.recorder.fresh.clear()
        for number in self.recorder.unwanted:
            if number in self.live:
                self.live[number].unwanted, self.live[number].due = True, 0.0
        self.recorder.unwanted.clear()
        self.pump()

    def pump(self) -> None:
        """Handle the answers that came, and tend every order that is due; never waits."""
        self.pool.handle()
        now = time.monotonic()
        for live in sorted(self.live.values(), key=lambda each: not each.exit):  # exits first
            if not live.busy and now >= live.due:
                self._tend(live, now)
        self.guard.tend(now)

    def heard(self, order_id: str) -> None:
        """Look at an order at once: the broker said something about it, which is a hint to read, not the truth.

        One we took for finished may have been filled after all, as when a fill crosses a cancel.
        """
        for live in self.live.values():
            if live.order.broker_order_id == order_id:
                live.due = 0.0
                return
        order = Order.objects.filter(run=self.recorder.run, broker_order_id=order_id).first()
        if order is not None and order.status not in OPEN and order.filled < order.quantity:
            self.look(self.watch(order))

    def close(self) -> None:
        """Let requests under way end, and handle what they came to; what is left unanswered is unknown."""
        self.pool.close()
        try:
            with transaction.atomic():
                self.recorder.fence()
            self.pool.handle()
        except (NotAllowed, DatabaseError) as error:
            log.warning("what the last requests came to is left to the next engine", why=str(error))

    # One order

    def watch(self, order: Order) -> Live:
        """Watch an order from now on."""
        lane = self.lanes[order.symbol]
        unwanted = order.purpose == "entry" and self.engine.waits_for(lane) != order.number
        live = Live(order, lane, sent=time.monotonic(), unwanted=unwanted)
        self.live[order.number] = live
        self.recorder.orders[order.number] = order
        return live

    def now(self) -> int:
        """Return the market's second."""
        return int(self.clock().timestamp())

    def _tend(self, live: Live, now: float) -> None:
        order, late = live.order, now - live.sent
        if order.status == Status.NEW and live.unwanted:
            self.finish(live, Status.CANCELLED, "the desk changed its mind; never sent")
        elif order.status == Status.NEW and now >= self._next:
            self._begin(live)
        elif order.status in (Status.WORKING, Status.PARTIAL):
            if live.unread:
                self.look(live)
            elif self._over(live, late) and not live.cancelling:
                self.cancel(live)
            elif live.exit and late > EXIT_PATIENCE * (live.pushes + 1) and live.pushes < PUSHES:
                self._push(live)
            else:
                self.look(live)
        elif order.status not in OPEN:
            self.live.pop(order.number, None)

    def _over(self, live: Live, late: float) -> bool:
        """Say whether an entry is to be taken back ``late`` seconds after it was sent."""
        return not live.exit and (live.unwanted or late * self.clock.speed > self.patience)

    def look(self, live: Live) -> None:
        """Read an order and its deals, whatever we take it for."""
        number = str(live.order.broker_order_id)
        self._ask(live, "look", lambda desk: reading(desk, number, exit=live.urgent))

    def _desk(self, live: Live) -> OrderDesk | None:
        """Return today's order desk; None without a session, and the order is tended again soon."""
        try:
            desk = self.broker()
        except SessionLost as error:
            self.lost = error
            live.due = time.monotonic() + 1.0
            return None
        self.lost = None
        return desk

    def _ask(self, live: Live, verb: str, work: Callable[[OrderDesk], Any], lease: Held | None = None) -> bool:
        """Begin a request and say so, False without a session; one under a ``lease`` is not sent once that is old."""
        desk = self._desk(live)
        if desk is not None:
            self.pool.request(verb, live, lambda: under(lease, lambda: work(desk)), desk=desk)
        return desk is not None

    def _begin(self, live: Live) -> None:
        order, name, price = live.order, self.names[live.lane], self.prices[live.lane]
        if self._waits(live):
            return
        desk = self._desk(live)
        if desk is None:
            if not live.exit and self.engine.setup.rules.intraday:  # one that may wait over night waits for a login
                self.finish(live, Status.CANCELLED, "no session at the broker; never sent")
            return
        if not price.fresh and not live.quoted:
            live.quoted = True
            self.pool.request("quote", live, lambda: desk.quote(name.code), desk=desk)
            return
        try:
            limit = limit_of(live, name, price)
        except Invalid as error:
            self._impossible(live, str(error))
            return
        self._next = time.monotonic() + self._spacing
        deadline = time.monotonic() + SEND_WITHIN
        if self.lease is not None:
            deadline = min(deadline, self.lease.good_until)
        if not self.recorder.claim(order, limit, name.tick, at=self.clock()):
            self.finish(live, Status.CANCELLED, "the kill switch is on; never sent")
            return
        live.sent = time.monotonic()
        crash.point("claimed")
        ticket = Ticket(name.code, order.side, order.quantity, limit, remark=f"SQ{order.pk}")
        self.pool.request("place", live, lambda: placed(desk, ticket, deadline, exit=live.exit), desk=desk)

    def _waits(self, live: Live) -> bool:
        """Say whether an order is not sent now: the exchange takes none, or its moment has passed."""
        opened = self.opened(live.lane)
        aged = self.clock() - max(live.order.created_at, opened or live.order.created_at)
        late = not live.exit and aged > dt.timedelta(seconds=self.patience + SEND_WITHIN * self.clock.speed)
        if not self.may_send(live.lane, live.exit) and not (late and self.engine.setup.rules.intraday):
            return True  # it waits for the next session
        if late:
            self.finish(live, Status.CANCELLED, "its moment had passed; never sent")
        return late

    def _impossible(self, live: Live, why: str) -> None:
        """Deal with an order no limit can be set for: an entry is dropped, an exit waits for a price."""
        if not live.exit:
            self.finish(live, Status.CANCELLED, f"never sent: {why}")
            return
        live.due, live.quoted = time.monotonic() + 1.0, False
        conditions.hold(
            "exit-waits", level="bad", subject=live.order.symbol, at=self.clock(), message=f"the exit waits: {why}",
            fix="look at the feed and the broker's own page",
        )  # fmt: skip

    def cancel(self, live: Live) -> None:
        """Ask the broker to take back what is left of an order."""
        number = str(live.order.broker_order_id)
        if self._ask(live, "cancel", lambda desk: desk.cancel(number), self.lease):
            live.cancelling = True

    def _push(self, live: Live) -> None:
        """Move an exit's limit further from the price, so that it fills."""
        number, price = str(live.order.broker_order_id), self.prices[live.lane]
        live.pushes += 1
        try:
            limit = limit_of(live, self.names[live.lane], price)
        except Invalid:
            return
        whole = live.order.quantity
        self._ask(live, "modify", lambda desk: desk.modify(number, quantity=whole, limit=limit, exit=True), self.lease)

    # What came back

    def _quoted(self, answer: Answer) -> None:
        live = _of(answer)
        if answer.error is None:
            self.prices[live.lane].learn(answer.result)
        live.due = 0.0

    def _placed(self, answer: Answer) -> None:
        live, error, at = _of(answer), answer.error, self.clock()
        crash.point("answered")
        if error is None:
            self.recorder.move(live.order, Status.WORKING, at=at, broker_order_id=str(answer.result))
            crash.point("acknowledged")
            live.due = time.monotonic() + SOON
        elif isinstance(error, Refused | BadInput):
            self.finish(live, Status.REJECTED, str(error))
        elif isinstance(error, NotSent | BudgetSpent | SessionLost | Busy):
            self.session(answer)
            self.finish(live, Status.CANCELLED, f"never sent: {error}")
        else:
            self.recorder.move(live.order, Status.UNKNOWN, at=at, note=str(error))
            conditions.hold(
                "unknown-order", level="bad", subject=f"{live.order.symbol} #{live.order.number}", at=at,
                message=f"no clean answer to {live.order}: {error}", fix="the broker's book is read until it tells",
            )  # fmt: skip

    def _looked(self, answer: Answer) -> None:
        live = _of(answer)
        if answer.error is not None:
            self.session(answer)
            live.due = time.monotonic() + (1.0 if live.urgent else 5.0)
            return
        live.unread = False
        report, deals = answer.result
        self.apply(live, report, deals)

    def _asked(self, answer: Answer) -> None:
        """Read an order after a cancel or a change: the broker's yes is no proof that anything changed."""
        live = _of(answer)
        live.unread = True  # whatever it came to: it may have been filled meanwhile, and then nothing else tells
        self.session(answer)
        if answer.error is not None:
            live.cancelling = False
        elif answer.verb == "modify" and on_tick(answer.result.limit, self.names[live.lane].tick):
            Order.objects.filter(pk=live.order.pk).update(limit_price=answer.result.limit)
        live.due = time.monotonic() + SOON

    def session(self, answer: Answer) -> None:
        """Take note when the session was refused: only of the one in force, for somebody may have logged in since."""
        if not isinstance(answer.error, SessionLost):
            return
        try:
            newer = self.broker() is not answer.desk
        except SessionLost:
            newer = False
        if not newer:
            self.lost = answer.error

    def apply(self, live: Live, report: Report, deals: Sequence[Deal]) -> None:
        """Book the deals that are new, and end the order when the broker says it is over and every deal is booked."""
        for deal in deals:
            self._book(live, deal)
        order = live.order
        if order.status == Status.FILLED:
            self._done(live)
            self.guard.came_through(live)
        elif order.filled < report.filled:
            live.lags += 1  # the list of deals lags behind the book
            live.due = time.monotonic() + min(SOON * 2 ** min(live.lags - 1, 9), LOOK_EVERY)
        elif report.status in FINAL:
            self.finish(live, report.status, report.word)
        else:
            self._still(live)

    def _still(self, live: Live) -> None:
        """Wait for an order that works on; a cancel without effect is told and asked for again."""
        now = time.monotonic()
        wait = EXIT_PATIENCE if live.exit else min(LOOK_EVERY, max(self.patience / self.clock.speed, SOON))
        live.due = now + wait
        if live.cancelling:
            live.cancelling = False
            conditions.hold(
                "cancel-no-effect", level="warn", subject=live.order.symbol, at=self.clock(),
                message=f"the broker said yes to a cancel of order {live.order.broker_order_id}, yet it still works",
                fix="it is asked for again; look at the broker's own page",
            )  # fmt: skip

    def _book(self, live: Live, deal: Deal) -> None:
        order, engine, lane = live.order, self.engine, live.lane
        trade_id = f"{deal.at:%Y-%m-%d}:{deal.trade_id}"
        if Fill.objects.filter(broker_trade_id=trade_id).exists():
            return
        held = engine.K[lane][QTY]
        if deal.quantity > order.quantity - order.filled or (live.exit and deal.quantity > held):
            conditions.hold(
                "unexplained-deal", level="bad", subject=order.symbol, at=self.clock(),
                message=f"{deal.side} {deal.quantity} {order.symbol} (deal {deal.trade_id}) is more than we ordered",
                fix="compare with the broker's own page",
            )  # fmt: skip
            return
        self.recorder.trade_id = trade_id
        ts, price = int(deal.at.timestamp()), float(deal.price)
        if engine.waits_for(lane) == order.number:
            self.take(engine.deal(lane, ts, deal.quantity, price))
        else:
            purpose, way = (EXIT if live.exit else ENTRY), (1 if order.side == "BUY" else -1)
            self.take(
                engine.late_deal(lane, ts, deal.quantity, price, number=order.number, purpose=purpose, way=way)
            )  # fmt: skip

    def finish(self, live: Live, status: Status, note: str = "") -> None:
        """End an order as the broker has it; a position whose exit came to nothing is ordered out again."""
        order, lane = live.order, live.lane
        if status == Status.REJECTED and order.filled:
            status = Status.CANCELLED  # what was filled was not rejected
        if self.engine.waits_for(lane) == order.number:
            self.recorder.ending = Ending(status, note)
            self.take(self.engine.give_up(lane, self.now()))
            self.recorder.ending = None
        elif may_become(Status(order.status), status):
            self.recorder.move(order, status, at=self.clock(), note=note)
        self._done(live)
        if live.exit:
            self.guard.came_to_nothing(live, f"{status}: {note}")

    def _done(self, live: Live) -> None:
        """Watch an order no longer, and close what was wrong with it."""
        order, at = live.order, self.clock()
        self.live.pop(order.number, None)
        conditions.clear("unknown-order", at=at, subject=f"{order.symbol} #{order.number}")
        conditions.clear("cancel-no-effect", at=at, subject=order.symbol)
        if live.exit:
            conditions.clear("exit-waits", at=at, subject=order.symbol)


def _of(answer: Answer) -> Live:
    if answer.live is None:  # only the book is read for no order in particular, and it has a handler of its own
        raise NotAllowed(f"an answer to {answer.verb} belongs to no order")
    return answer.live
