"""A backtest: a panel of bars through the desk on one account, as fast as it goes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trading.core import charge_data
from trading.core.charges import rates_on
from trading.core.indicators import Memory
from trading.core.kernel import Kernel, kernel
from trading.core.metrics import Measures, tidy
from trading.core.panel import Panel
from trading.core.rules import Setup
from trading.core.state import (
    BARS_IN,
    DRAWDOWN,
    EQUITY,
    EVENTS,
    OVERFLOW,
    WIDTH,
    Happening,
    happenings,
    new_account,
    new_lane,
)
from trading.core.strategies import strategy

FOREVER = 1 << 62
ROOM = 1024  # events a run has room for at first; more are found by running again with more
CHUNKS = 50  # how often a long run looks up to report and to see whether it should stop


@dataclass(frozen=True, slots=True)
class Schedule:
    """The charges of a plan over time: row k of ``rates`` holds from the session ``changes[k]`` (ordinal) on."""

    changes: npt.NDArray[np.int64]
    rates: npt.NDArray[np.int64]


def schedule(plan: str, product: str, first: dt.date, last: dt.date) -> Schedule:
    """Return the charges in force from ``first`` to ``last``; Invalid for an unknown plan or a day too early."""
    dates = {row.since for rows in charge_data.SCHEDULE.values() for row in rows if first < row.since <= last}
    days = [first, *sorted(dates)]
    rates = np.array([rates_on(day, plan, product) for day in days], np.int64)
    changes = np.array([day.toordinal() for day in days], np.int64)
    return Schedule(changes, rates)


NO_CHARGES = Schedule(np.zeros(1, np.int64), np.zeros((1, 16), np.int64))
"""For runs whose costs are one flat fraction."""


@dataclass
class Book:
    """The arrays of a run: every lane's and the account's numbers, and the events so far."""

    m: Any
    L: Any
    K: Any
    A: Any
    N: Any
    ev: Any
    cursors: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    measures: Measures
    events: npt.NDArray[np.float64]
    bars: int
    equity: float

    def happenings(self) -> list[Happening]:
        """Return the events one by one, oldest first."""
        count = self.events.size // WIDTH
        counts = [0] * (EVENTS + 1)
        counts[EVENTS] = count
        return happenings(counts, self.events.tolist())


def open_book(name: str, panel: Panel, capital: float, room: int, *, compiled: bool) -> Book:
    """Return fresh arrays for a run of ``panel``, with room for ``room`` events; lists when not compiled."""
    lanes = [new_lane(j, tick=s.tick, lot=s.lot, fixed=s.fixed) for j, s in enumerate(panel.specs)]
    A, N = new_account(capital)
    size = strategy(name).MEMORY
    cursors = panel.starts.copy()
    if not compiled:
        memory: list[Memory] = [[0.0] * size for _ in lanes]
        return Book(memory, [x[0] for x in lanes], [x[1] for x in lanes], A, N, [0.0] * (room * WIDTH), cursors)
    return Book(
        np.zeros((len(lanes), size)),
        np.array([x[0] for x in lanes]),
        np.array([x[1] for x in lanes], np.int64),
        np.array(A),
        np.array(N, np.int64),
        np.empty(room * WIDTH),
        cursors,
    )


def simulate(
    name: str, setup: Setup, panel: Panel, *, capital: float, charges: Schedule, compiled: bool = True,
    watch: Callable[[float], bool] | None = None,
) -> Outcome:  # fmt: skip
    """Run strategy ``name`` over the panel; ``watch`` gets the share done and may answer True to stop early.

    Raises ImportError when ``compiled`` without numba.
    """
    desk = kernel(name, compiled=compiled)
    room = max(ROOM, len(panel) // 8)
    while True:
        book = open_book(name, panel, capital, room, compiled=compiled)
        if not _drive(desk, book, setup, panel, charges, watch):
            break
        room *= 4
    return close_book(desk, book, panel, setup, capital)


def _drive(
    desk: Kernel, book: Book, setup: Setup, panel: Panel, charges: Schedule, watch: Callable[[float], bool] | None
) -> bool:
    """Drive the book through the panel; return True when the events did not fit."""
    columns = panel.columns() if isinstance(book.A, np.ndarray) else tuple(x.tolist() for x in panel.columns())
    rates = charges.rates if isinstance(book.A, np.ndarray) else charges.rates.tolist()
    changes = charges.changes if isinstance(book.A, np.ndarray) else charges.changes.tolist()
    for k, until in enumerate(_stages(panel, watch is not None), start=1):
        desk.run_panel(
            *columns, panel.stops, book.cursors, until, book.m, book.L, book.K, book.A, book.N, setup, rates, changes,
            book.ev,
        )  # fmt: skip
        if book.N[OVERFLOW] or (book.N[EVENTS] + 1) * WIDTH > len(book.ev):  # the last day's end needs a row too
            return True
        if watch is not None and watch(k / CHUNKS):
            break
    return False


def _stages(panel: Panel, several: bool) -> list[int]:
    if not several:
        return [FOREVER]
    first, last = int(panel.ts.min()), int(panel.ts.max())
    return [first + (last - first) * k // CHUNKS for k in range(1, CHUNKS)] + [FOREVER]


def close_book(desk: Kernel, book: Book, panel: Panel, setup: Setup, capital: float) -> Outcome:
    """Return the outcome of a driven book; the last session's equity is its last day's."""
    bars = int((book.cursors - panel.starts).sum())
    compiled = isinstance(book.A, np.ndarray)
    no_sessions: Any = np.zeros(0, np.int64) if compiled else []
    rates = NO_CHARGES.rates if compiled else NO_CHARGES.rates.tolist()
    lanes = book.L[:0] if compiled else []
    desk.turn_day(
        int(book.N[0]) + 1, int(panel.ts.max()), lanes, book.K[:0] if compiled else [], book.A, book.N, setup, rates,
        no_sessions, book.ev,
    )  # fmt: skip
    count = int(book.N[EVENTS])
    measures = desk.measure(
        book.ev, count, capital, float(book.A[EQUITY]), float(book.A[DRAWDOWN]), bars, int(book.N[BARS_IN])
    )
    events = np.asarray(book.ev[: count * WIDTH], np.float64)
    return Outcome(tidy(measures), events, bars, float(book.A[EQUITY]))
