"""The broker's book, read back: what became of unknown orders, what turned up late, what was never ours."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence

from sensequant.lib.clock import IST
from sensequant.lib.logs import get_logger
from trading.adapters.breeze.errors import SessionLost
from trading.core.orders import Status
from trading.core.ports import Report
from trading.models.broker import Condition
from trading.models.orders import Order
from trading.services import conditions, order_room
from trading.services.live_orders import Answer, Live, matching, sent_on
from trading.services.order_room import OrderRoom

EVERY = 60.0  # seconds between readings
SOON = 5.0  # while an order is unknown, or after a reading that was not clean
ABSENCES = 3  # clean readings without an order before it counts as not placed
GRACE = 30.0  # seconds an order may take to show in the book
UNSETTLED = (Status.SENDING, Status.UNKNOWN)
log = get_logger("book")


class BookReader:
    """Reads one day's whole book every minute, sooner while anything is unknown.

    ``reconciled``: the last clean reading left nothing unexplained about our own orders. A reading that failed, that is
    shorter than the one before, or that lacks an order the broker has given us a number for, proves nothing. While an
    order of an earlier day is unknown, that day's book is read as well: only it can tell. A reading made because an
    order is unknown may use the calls kept for exits: it may be an exit, and nothing else tells what is held.
    """

    def __init__(self, room: OrderRoom) -> None:
        """Read for ``room``, at once and then regularly."""
        self.room, self.reconciled = room, False
        self._due = self._begun = 0.0
        self.newest: Sequence[Report] = ()  # the last clean reading
        self.readings = 0  # clean ones
        self._busy, self._day, self._today = False, dt.date.min, dt.date.min
        self._rows: dict[dt.date, int] = {}
        self._expected: set[str] = set()  # numbers a whole book must show
        self.read_at = 0.0  # the monotonic second the newest clean reading was begun at
        room.pool.handlers["book"] = self._read

    def tend(self) -> None:
        """Begin a reading when one is due; never waits."""
        now = time.monotonic()
        unknown = any(live.order.status == Status.UNKNOWN for live in self.room.live.values())
        if self._busy or now < (min(self._due, self._begun + SOON) if unknown else self._due):
            return
        today = self.room.clock().astimezone(IST).date()
        if today != self._today:
            self._today = today
            conditions.clear("external-order", at=self.room.clock())
        try:
            desk = self.room.broker()
        except SessionLost as error:
            self.room.lost, self._due, self.reconciled = error, now + 1.0, False
            return
        self.room.lost = None
        day = self._day = self._next_day()
        self._busy, self._begun, self._due, self._expected = True, now, now + EVERY, self._numbers(day)
        self.room.pool.request("book", None, lambda: desk.orders(day, exit=unknown), desk=desk)

    def _next_day(self) -> dt.date:
        """Return whose book is read next: today's, and in turn that of an earlier day with an unknown order."""
        unknown = [live.order for live in self.room.live.values() if live.order.status == Status.UNKNOWN]
        older = sorted({day for order in unknown if (day := sent_on(order)) < self._today})
        return older[0] if older and self._day == self._today else self._today

    def _numbers(self, day: dt.date) -> set[str]:
        """Return the numbers the broker has given our orders of a day, but for those so new that they may lag."""
        begin = dt.datetime.combine(day, dt.time(), IST)
        young = dt.timedelta(seconds=GRACE * self.room.clock.speed)
        until = min(begin + dt.timedelta(days=1), self.room.clock() - young)
        ours = Order.objects.filter(sent_at__gte=begin, sent_at__lt=until).exclude(broker_order_id=None)
        return {str(number) for number in ours.values_list("broker_order_id", flat=True)}

    def hurry(self) -> None:
        """Read again soon."""
        self._due = min(self._due, time.monotonic() + SOON)

    def _read(self, answer: Answer) -> None:
        self._busy = False
        if answer.error is not None:
            self.room.session(answer)
            self._due = time.monotonic() + SOON
            log.warning("the book could not be read", error=str(answer.error))
            return
        rows: Sequence[Report] = answer.result
        if why := self._doubtful(rows):
            self._due = time.monotonic() + SOON
            log.warning("the book proves nothing", why=why, rows=len(rows))
            return
        self._rows[self._day] = len(rows)
        self._settle(rows)
        if self._day == self._today:
            self.newest, self.read_at = rows, self._begun
            self.readings += 1

    def _doubtful(self, rows: Sequence[Report]) -> str:
        """Return why a reading cannot be the whole book, or nothing."""
        if len(rows) < self._rows.get(self._day, 0):
            return "it is shorter than before"
        lacking = self._expected - {row.order_id for row in rows}
        at, subject = self.room.clock(), self._day.isoformat()
        conditions.keep(
            bool(lacking), "book-incomplete", level="warn", at=at, subject=subject,
            message=f"the broker's book of {subject} lacks our orders {', '.join(sorted(lacking))}",
            fix="look at the broker's own page; entries wait until the book is whole",
        )  # fmt: skip
        return f"it lacks {len(lacking)} of our orders" if lacking else ""

    def _settle(self, rows: Sequence[Report]) -> None:
        known = {
            str(order.broker_order_id): order
            for order in Order.objects.filter(broker_order_id__in=[row.order_id for row in rows])
        }
        for row in rows:
            order = known.get(row.order_id)
            if order is not None and order.run_id == self.room.recorder.run.pk:
                self._catch_up(order, row)
        free = [row for row in rows if row.order_id not in known]
        taken = self._explain(free)
        for row in free:
            if row.order_id not in taken and self._day == self._today:
                self._external(row)
        self.reconciled = not any(live.order.status == Status.UNKNOWN for live in self.room.live.values())

    def _catch_up(self, order: Order, row: Report) -> None:
        """Look again at an order of ours that has more behind it than we booked, although we thought it finished."""
        if row.filled > order.filled and order.number not in self.room.live:
            self.room.look(self.room.watch(order))

    def _explain(self, free: Sequence[Report]) -> set[str]:
        """Match rows nobody claims with our orders that got no clean answer; return the rows that were taken.

        A row that was told of as placed elsewhere was there before any order of ours that looks like it.
        """
        late = dt.timedelta(seconds=order_room.SEND_WITHIN * 2 * self.room.clock.speed)
        numbers = [row.order_id for row in free]
        told = Condition.objects.filter(code="external-order", subject__in=numbers).values_list("subject", flat=True)
        strangers = set(told)
        waiting = {live.order.pk: live for live in list(self.room.live.values()) if live.order.status in UNSETTLED}
        lost = Order.objects.filter(run=self.room.recorder.run, status=Status.NOT_PLACED, symbol__in=self.room.lanes)
        orders = [each for each in (*(live.order for live in waiting.values()), *lost) if sent_on(each) == self._day]
        codes = {order.pk: self.room.names[self.room.lanes[order.symbol]].code for order in orders}
        rows = [row for row in free if row.order_id not in strangers]
        found = matching([(order, codes[order.pk]) for order in orders], rows, late=late)
        for order in orders:
            if order.status == Status.SENDING:
                continue  # its own answer is still to come
            if order.pk in found:
                self._adopt(order, found[order.pk])
            elif order.pk in waiting:
                self._absent(waiting[order.pk])
        return {row.order_id for row in found.values()}

    def _adopt(self, order: Order, row: Report) -> None:
        at, late = self.room.clock(), order.status == Status.NOT_PLACED
        self.room.recorder.move(order, Status.WORKING, at=at, note="found in the book", broker_order_id=row.order_id)
        conditions.clear("unknown-order", at=at, subject=f"{order.symbol} #{order.number}")
        if late:
            conditions.hold(
                "order-late", level="bad", subject=order.symbol, at=at,
                message=f"order {row.order_id} turned up after it was taken for not placed; its fills are booked",
                fix="look at the position",
            )  # fmt: skip
        live = self.room.live.get(order.number) or self.room.watch(order)
        live.order, live.due = order, 0.0

    def _absent(self, live: Live) -> None:
        """Count a clean reading without the order; after enough of them it was not placed."""
        if time.monotonic() - live.sent < GRACE:
            return
        live.order.absences += 1
        live.order.save(update_fields=["absences"])
        if live.order.absences >= ABSENCES:
            self.room.finish(live, Status.NOT_PLACED, f"{ABSENCES} clean readings of the book did not show it")

    def _external(self, row: Report) -> None:
        """Tell of an order that somebody placed elsewhere; it is never touched."""
        conditions.hold(
            "external-order", level="info", subject=row.order_id, at=self.room.clock(),
            message=f"{row.side} {row.quantity} {row.code} at {row.limit} was not placed by this desk ({row.word})",
            fix="nothing to do, if you placed it",
        )  # fmt: skip
