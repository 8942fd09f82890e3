"""Positions held against the broker's books: what our fills say must be there, or a person must say that it may differ.

Breeze shows no position of ours apart from the account's, so it is worked out: what was carried into the day must lie
in the demat account, and to that comes what today's book shows of our orders, less what somebody sold by other means.
More than that in the account is somebody else's and none of our business. A difference counts when two readings in a
row show the same one: between two readings a deal may be on its way to us.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from sensequant.lib.clock import IST
from sensequant.lib.logs import get_logger
from trading.adapters.breeze.client import BreezeDesk
from trading.adapters.breeze.errors import SessionLost
from trading.core.state import ENTRY_SESSION, QTY, SIDE
from trading.models.orders import Order
from trading.services import differences
from trading.services.live_orders import Answer
from trading.services.order_book import BookReader
from trading.services.order_room import OrderRoom

Shares = Mapping[str, int]
log = get_logger("reconciling")


class Reconciler:
    """Compares after every clean reading of the book; ``ready`` once the first comparison was made."""

    def __init__(self, room: OrderRoom, book: BookReader) -> None:
        """Compare the positions of ``room`` with what ``book`` reads."""
        self.room, self.book = room, book
        self.ready = False
        self._seen, self._busy, self._due = 0, False, 0.0
        self._last: dict[str, tuple[int, int, str]] = {}
        room.pool.handlers["holdings"] = self._held

    def tend(self) -> None:
        """Compare when there is a new reading; never waits."""
        if self._busy or self.book.readings == self._seen or time.monotonic() < self._due:
            return
        if not self._carried():
            self._compare({})
            return
        try:
            desk = self.room.broker()
        except SessionLost as error:
            self.room.lost = error
            return
        if not isinstance(desk, BreezeDesk):
            self._compare(self._carried())  # a desk that tells no holdings is believed
            return
        self._busy = True
        self.room.pool.request("holdings", None, desk.holdings)

    def blocked(self) -> frozenset[int]:
        """Return the lanes whose books differ and nobody has accepted it."""
        lanes = self.room.lanes
        return frozenset(lanes[symbol] for symbol in differences.blocking(self.room.recorder.run) if symbol in lanes)

    def _held(self, answer: Answer) -> None:
        self._busy = False
        if answer.error is not None:
            self._due = time.monotonic() + 5.0
            log.warning("the holdings could not be read", error=str(answer.error))
            return
        found: dict[str, int] = {}
        for row in answer.result:
            found[row.code] = found.get(row.code, 0) + row.quantity
        self._compare(found)

    def _compare(self, holdings: Shares) -> None:
        self._seen = self.book.readings
        ours, carried, today, sold = self._ours(), self._carried(), self._today(), self._sold_elsewhere()
        found: dict[str, tuple[int, int, str]] = {}
        for lane, name in enumerate(self.room.names):
            code = name.code
            there = min(carried.get(code, 0), holdings.get(code, 0)) + today.get(code, 0) - sold.get(code, 0)
            if there != ours[lane]:
                detail = (
                    f"carried into the day {carried.get(code, 0)}, in the demat account {holdings.get(code, 0)}, "
                    f"today by our orders {today.get(code, 0):+d}, sold by other means {sold.get(code, 0)}"
                )
                found[name.symbol] = (ours[lane], there, detail)
        sure, self._last = found == self._last, found
        if found and not sure:
            self.book.hurry()
            return
        differences.keep(self.room.recorder.run, found, at=self.room.clock())
        self.ready = True

    def _ours(self) -> list[int]:
        return [ints[SIDE] * ints[QTY] for ints in self.room.engine.K]

    def _carried(self) -> dict[str, int]:
        """Return by code what was held when the day began: what is held now, less today's fills."""
        today = self._filled_today()
        found = {}
        for lane, name in enumerate(self.room.names):
            ints = self.room.engine.K[lane]
            before = ints[SIDE] * ints[QTY] - today.get(name.symbol, 0)
            if before and ints[ENTRY_SESSION]:
                found[name.code] = before
        return found

    def _filled_today(self) -> dict[str, int]:
        """Return by symbol what our own rows say of today's orders."""
        day = self.room.clock().astimezone(IST).replace(hour=0, minute=0, second=0, microsecond=0)
        rows = Order.objects.filter(run=self.room.recorder.run, created_at__gte=day, filled__gt=0)
        return _sums((order.symbol, order.side, order.filled) for order in rows)

    def _today(self) -> dict[str, int]:
        """Return by code what the broker's book says of today's orders of ours."""
        rows = {row.order_id: row for row in self.book.newest}
        mine = Order.objects.filter(run=self.room.recorder.run, broker_order_id__in=rows)
        return _sums(
            (row.code, row.side, row.filled) for order in mine if (row := rows[str(order.broker_order_id)]).filled
        )

    def _sold_elsewhere(self) -> dict[str, int]:
        """Return by code what was sold today of shares we hold, by orders that are not ours."""
        held = {name.code for lane, name in enumerate(self.room.names) if self.room.engine.K[lane][SIDE]}
        known = set(Order.objects.filter(broker_order_id__isnull=False).values_list("broker_order_id", flat=True))
        found: dict[str, int] = {}
        for row in self.book.newest:
            if row.order_id not in known and row.side == "SELL" and row.code in held:
                found[row.code] = found.get(row.code, 0) + row.filled
        return found


def _sums(rows: Iterable[tuple[str, str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, side, quantity in rows:
        found[key] = found.get(key, 0) + (quantity if side == "BUY" else -quantity)
    return found
