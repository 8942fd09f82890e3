"""The way out by the clock: what trades inside the day is left even where no bar comes to say so.

The bars decide first, ``square_off`` minutes before a session's close, as they do in a backtest. Where they are late –
the stream is down, history is slow or may not be asked – the clock decides a little later.
"""

from __future__ import annotations

from sensequant.lib.clock import IST
from sensequant.lib.logs import get_logger
from trading.core.state import NOTHING, PEND, SIDE, SQUARE_OFF
from trading.services import calendar as calendars
from trading.services.order_room import OrderRoom

BARS_FIRST = 60.0  # market seconds the bars have to decide by themselves
SLOWEST = 5.0  # seconds of this machine they have, where the market is a fast one
log = get_logger("closing")


class Closing:
    """Looks at one room's lanes; ``minutes`` before its session's close a lane must be on its way out."""

    def __init__(self, room: OrderRoom, minutes: int) -> None:
        """Look at ``room``."""
        self.room, self.minutes = room, minutes

    def tend(self) -> None:
        """Take back entries and leave positions of every lane whose time has come; what is under way goes on."""
        for lane in range(len(self.room.names)):
            if self._over(lane):
                self._leave(lane)

    def _over(self, lane: int) -> bool:
        at, segment = self.room.clock(), self.room.engine.specs[lane].segment
        session = calendars.current().session(at.astimezone(IST).date(), segment)
        if session is None or at >= session.close:
            return False
        before = self.minutes * 60.0
        spare = min(max(BARS_FIRST, SLOWEST * self.room.clock.speed), before / 2.0)
        return (session.close - at).total_seconds() <= before - spare

    def _leave(self, lane: int) -> None:
        for live in self.room.live.values():
            if live.lane == lane and not live.exit and not live.unwanted:
                live.unwanted, live.due = True, 0.0
        ints = self.room.engine.K[lane]
        if ints[SIDE] != 0 and ints[PEND] == NOTHING and lane not in self.room.guard.again:
            log.warning("the clock squares off: no bar did", symbol=self.room.names[lane].symbol)
            self.room.guard.leave(lane, SQUARE_OFF)
