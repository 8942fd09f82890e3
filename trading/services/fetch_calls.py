"""Asking the broker for history: which errors are tried again, which end the series, which end the whole run."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sensequant.lib.clock import ist
from sensequant.lib.errors import Unavailable
from sensequant.lib.logs import get_logger
from trading.adapters import salvage
from trading.adapters.breeze.errors import BudgetSpent, Busy, SessionLost
from trading.adapters.breeze.words import Unreadable
from trading.core.bar_rows import Rows
from trading.core.calendar import Calendar
from trading.core.chunks import MOST, Chunk, halves
from trading.core.ports import MarketData
from trading.services import instruments, sessions
from trading.services.market_clock import Clock, addresses, market_clock

BACKOFF: Final = (2.0, 4.0, 8.0)  # seconds before the second, third and fourth try
LONGEST_WAIT: Final = 65.0  # seconds until the minute's budget is full again; the day's is not waited for
MOST_WAITS: Final = 5  # in a row, when other processes take what comes free
SHORTEST_WAIT: Final = 8.0  # seconds: long enough for several calls to come free, or every other one would be denied
log = get_logger("fetching")


@dataclass(frozen=True, slots=True)
class Line:
    """How the broker is reached: its market data (SessionLost without a session), and its name of a share today.

    ``lost`` is told when the broker refuses the session in the middle of it all.
    """

    data: Callable[[], MarketData]
    code: Callable[[str], str]
    lost: Callable[[str], None] = lambda _: None


def breeze(clock: Clock | None = None) -> Line:
    """Return the line to Breeze: today's session, and the day's security master read once.

    Nothing is looked at before it is asked for; without a ``clock`` the venue's own is read then.
    """
    clocks = [clock] if clock else []
    master_read: list[str] = []
    version: list[int | None] = [None]

    def now() -> dt.datetime:
        if not clocks:
            clocks.append(market_clock())
        return clocks[0]()

    def data() -> MarketData:
        found = sessions.data(clock=now)
        row = sessions.current(at=now())
        version[0] = row.version if row else None
        return found

    def code(symbol: str) -> str:
        at = now()
        if not master_read:
            master_read.append(instruments.ensure(at=at, addresses=addresses()))
        return instruments.resolve(symbol, on=ist(at).date()).isec_code

    return Line(data, code, lambda why: sessions.lost(why, at=now(), version=version[0]))


def ends_run(error: Exception) -> bool:
    """Say whether nothing else can be asked after ``error``: no session, no budget, or the broker's own day is full."""
    spent = isinstance(error, Busy) and "per day" in error.message.lower()
    return spent or isinstance(error, SessionLost | BudgetSpent)


@dataclass(slots=True)
class Caller:
    """Asks for chunks of one share's bars; ``calls`` counts what was sent, tries that failed included."""

    line: Line
    calendar: Calendar
    sleep: Callable[[float], None] = time.sleep
    calls: int = 0
    notes: list[str] = field(default_factory=list)
    _data: MarketData | None = None

    def open(self) -> None:
        """Make sure there is a session; SessionLost without one."""
        if self._data is None:
            self._data = self.line.data()

    def rows(self, code: str, unit: str, chunk: Chunk, segment: str) -> list[Rows]:
        """Return the rows of a chunk, oldest first; a full answer is asked again in halves, as it may be cut off."""
        found = self._patiently(code, unit, chunk)
        smaller = halves(chunk, unit, self.calendar, segment) if len(found) >= MOST else []
        if not smaller:
            return [found]
        return [part for half in smaller for part in self.rows(code, unit, half, segment)]

    def _patiently(self, code: str, unit: str, chunk: Chunk) -> Rows:
        """Ask, again after 2, 4 and 8 seconds when the broker was busy or silent, and once the minute has room."""
        waits, pauses = 0, iter(BACKOFF)
        while True:
            try:
                return self._once(code, unit, chunk)
            except BudgetSpent as error:
                waits += 1
                if error.retry_after > LONGEST_WAIT or waits > MOST_WAITS:
                    raise
                self.sleep(max(error.retry_after, SHORTEST_WAIT))
            except SessionLost as error:
                self.line.lost(error.message)
                raise
            except Unavailable as error:
                pause = None if ends_run(error) else next(pauses, None)
                if pause is None:
                    raise
                log.warning("asked again", code=code, start=str(chunk.first), after=pause, why=error.message)
                self.sleep(pause)

    def _once(self, code: str, unit: str, chunk: Chunk) -> Rows:
        """Ask once; when a row of the answer cannot be read, ask for the rows themselves, so that one costs one."""
        self.open()
        assert self._data is not None  # noqa: S101 - open has seen to it
        try:
            self._count()
            return salvage.of_bars(self._data.history(code, unit, chunk.start, chunk.end))
        except BudgetSpent:
            self.calls -= 1  # nothing was sent
            raise
        except Unreadable as error:
            words = getattr(self._data, "history_rows", None)
            if words is None:
                raise
            log.warning("rows taken one by one", code=code, start=str(chunk.first), why=error.message)
            self._count()
            return salvage.of_words(words(code, unit, chunk.start, chunk.end))

    def _count(self) -> None:
        self.calls += 1
