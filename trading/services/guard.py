"""The way out: stops and targets watched on every tick, and exits that are ordered again until they went through.

Breeze keeps no stop for ``cash`` and squares nothing off by itself, so this watch is the protection.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from trading.core.state import EXIT_WHY, EXPIRED, NOTHING, PEND, SIDE
from trading.models.orders import Order
from trading.services import conditions
from trading.services.live_orders import Again, Live

if TYPE_CHECKING:
    from trading.services.order_room import OrderRoom

LONGEST = 30.0  # seconds between tries of an exit that comes to nothing
CANCEL_PATIENCE = 2.0  # seconds a threatened position waits for what is left of its entry
REFUSED = "exit-refused"


class Guard:
    """Watches the positions of one order room."""

    def __init__(self, room: OrderRoom) -> None:
        """Watch for ``room``; a position whose last exit came to nothing before the process ended is left again."""
        self.room = room
        self.again: dict[int, Again] = {}
        for lane, name in enumerate(room.names):
            newest = Order.objects.filter(run=room.recorder.run, symbol=name.symbol).order_by("-number").first()
            if self._stands(lane) and newest is not None and newest.purpose == "exit":
                self.again[lane] = Again(room.engine.K[lane][EXIT_WHY], time.monotonic())

    def tick(self, lane: int, price: float) -> None:
        """Watch the lane's stop and target against a new price in rupees."""
        why = self.room.engine.threatened(lane, price)
        if why == NOTHING or lane in self.again:
            return
        waits = self.room.live.get(self.room.engine.waits_for(lane))
        if waits is None or self._let_go(waits):
            self.leave(lane, why, price=price)

    def tend(self, now: float) -> None:
        """Order out again what is due; ``now`` is a monotonic second."""
        for lane, again in list(self.again.items()):
            if now >= again.due:
                del self.again[lane]
                self.leave(lane, again.why, tries=again.tries)

    def leave(self, lane: int, why: int, *, price: float = 0.0, tries: int = 0) -> None:
        """Order a lane's position out, unless it is flat or something waits; ``why`` is a slot of EXIT_REASONS."""
        room, reference = self.room, price or float(self.room.prices[lane].last)
        if not self._stands(lane):
            return
        if reference <= 0.0:  # no price since the start: the one it was entered at sizes nothing, so any will do
            reference = room.engine.value(lane)
        room.take(room.engine.leave(lane, room.now(), reference, why))
        if tries:
            self.again[lane] = Again(why, float("inf"), tries)
        room.dispatch()

    def came_through(self, live: Live) -> None:
        """Take note that an order was filled whole."""
        if live.exit:
            self.again.pop(live.lane, None)
            conditions.clear(REFUSED, at=self.room.clock(), subject=live.order.symbol)

    def came_to_nothing(self, live: Live, told: str) -> None:
        """Order the position out again, after a while that grows with every try."""
        lane, at = live.lane, self.room.clock()
        if not self._stands(lane):
            self.again.pop(lane, None)
            conditions.clear(REFUSED, at=at, subject=live.order.symbol)
            return
        tries = self.again[lane].tries + 1 if lane in self.again else 1
        why = self.room.engine.K[lane][EXIT_WHY]
        self.again[lane] = Again(why, time.monotonic() + min(2.0**tries / 4.0, LONGEST), tries)
        conditions.hold(
            REFUSED, level="bad", subject=live.order.symbol, at=at,
            message=f"the exit of {live.order.symbol} came to nothing ({told}); try {tries + 1} follows",
            fix="look at the broker's own page; leave by hand if it goes on",
        )  # fmt: skip

    def _stands(self, lane: int) -> bool:
        """Say whether the lane holds something and waits for nothing."""
        ints = self.room.engine.K[lane]
        return ints[SIDE] != 0 and ints[PEND] == NOTHING

    def _let_go(self, waits: Live) -> bool:
        """Say whether a threatened lane may be left although its entry still works; what fills later is booked."""
        if waits.exit:
            return False
        if not waits.cancelling and waits.order.broker_order_id and not waits.busy:
            self.room.cancel(waits)
        if time.monotonic() - waits.sent < CANCEL_PATIENCE:
            return False
        room = self.room
        room.take([each for each in room.engine.give_up(waits.lane, room.now()) if each.kind != EXPIRED])
        return True
