"""A backtest: panels of bars through their desks on one account, as fast as it goes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trading.core import charge_data
from trading.core.bars import IST_OFFSET
from trading.core.charges import rates_on
from trading.core.indicators import Memory
from trading.core.kernel import Kernel, kernel
from trading.core.metrics import Measures, tidy
from trading.core.panel import Ints, Panel, Stretch
from trading.core.rolls import Roll
from trading.core.rules import Setup
from trading.core.state import (
    BARS_IN,
    DRAWDOWN,
    EQUITY,
    EVENTS,
    OVERFLOW,
    SESSION,
    WIDTH,
    Happening,
    happenings,
    new_account,
    new_lane,
)
from trading.core.strategies import strategy

FOREVER = 1 << 62
ROOM, ROOMY = 1024, 1 << 20  # events a run has room for at first; more are found by running again with more
CHUNKS = 50  # how often a long run looks up to report and to see whether it should stop
EPOCH = dt.date(1970, 1, 1).toordinal()
DAY_SECONDS = 86_400
SESSION_MINUTES = 375  # what a bar of a whole day counts as, beside bars of minutes


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


class Desk(NamedTuple):
    """A strategy with its setup over a panel of bars. Desks that share an account share its limits and costs."""

    name: str
    setup: Setup
    panel: Panel | Roll


@dataclass
class Book:
    """The arrays of a run: every lane's and the account's numbers, and the events so far; lists when not compiled.

    ``m``, ``cursors`` and ``held`` have an entry for each desk; ``L`` and ``K`` are the lanes of all of them.
    """

    m: list[Any]
    L: Any
    K: Any
    A: Any
    N: Any
    ev: Any
    cursors: list[npt.NDArray[np.int64]]
    held: list[int]  # bars in which a position was held
    stage: int = 0  # stages that are done


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    measures: Measures
    events: npt.NDArray[np.float64]
    bars: int
    equity: float

    def happenings(self, *kinds: int) -> list[Happening]:
        """Return the events one by one, oldest first; only those of ``kinds`` when any is named."""
        rows = self.events.reshape(-1, WIDTH)
        rows = rows[np.isin(rows[:, 0], kinds)] if kinds else rows
        counts = [0] * (EVENTS + 1)
        counts[EVENTS] = len(rows)
        return happenings(counts, rows.ravel().tolist())


@dataclass(slots=True)
class Run:
    """Desks on one account and what drives them."""

    desks: Sequence[Desk]
    charges: Schedule
    compiled: bool
    kernels: list[Kernel] = field(init=False)
    _lists: dict[int, tuple[Any, ...]] = field(init=False, default_factory=dict)  # a panel's columns, uncompiled
    rates: Any = field(init=False)
    changes: Any = field(init=False)
    sessions: list[tuple[int, int]] = field(init=False)  # (ordinal, start of its first bar), where desks take turns

    def __post_init__(self) -> None:
        """Bind the kernels; ImportError when ``compiled`` without numba."""
        self.kernels = [kernel(desk.name, compiled=self.compiled) for desk in self.desks]
        self.rates = self.charges.rates if self.compiled else self.charges.rates.tolist()
        self.changes = self.charges.changes if self.compiled else self.charges.changes.tolist()
        self.sessions = _sessions(self.desks) if len(self.desks) > 1 else []

    def advance(self, book: Book, until: int) -> None:
        """Drive the book to the first moment at or after ``until``, whole sessions where desks take turns."""
        if len(self.desks) == 1:
            self._panel(book, 0, until)
            return
        setup = self.desks[0].setup
        for session, ts in self.sessions:
            if session <= book.N[SESSION]:
                continue
            if ts >= until or full(book):
                break
            self.kernels[0].turn_day(
                session, ts, book.L, book.K, book.A, book.N, setup, self.rates, self.changes, book.ev
            )
            for j in range(len(self.desks)):
                self._panel(book, j, (session - EPOCH + 1) * DAY_SECONDS - IST_OFFSET)

    def _panel(self, book: Book, j: int, until: int) -> None:
        first = sum(len(desk.panel.specs) for desk in self.desks[:j])
        lanes = slice(first, first + len(self.desks[j].panel.specs))
        before = book.N[BARS_IN]
        for part in self.stretches(j, book.cursors[j], until):
            at = part.cursors.copy()
            self.kernels[j].run_panel(
                *part.columns, part.stops, at, part.until, book.m[j], book.L[lanes],
                book.K[lanes], book.A, book.N, self.desks[j].setup, self.rates, self.changes, book.ev,
            )  # fmt: skip
            book.cursors[j] += at - part.cursors
            if full(book):
                break
        book.held[j] += int(book.N[BARS_IN] - before)

    def stretches(self, j: int, cursors: Ints, until: int) -> Iterator[Stretch]:
        """Yield the bars of desk ``j`` up to ``until``; as lists, made once for a whole panel, when not compiled."""
        bars = self.desks[j].panel
        for part in bars.stretches(cursors, until):
            if self.compiled:
                yield part
            elif isinstance(bars, Roll):
                yield part._replace(columns=tuple(x.tolist() for x in part.columns))
            else:
                if j not in self._lists:
                    self._lists[j] = tuple(x.tolist() for x in part.columns)
                yield part._replace(columns=self._lists[j])


def full(book: Book) -> bool:
    """Say whether events were lost, or the last day's end would be."""
    return bool(book.N[OVERFLOW]) or bool((book.N[EVENTS] + 1) * WIDTH > len(book.ev))


def _sessions(desks: Sequence[Desk]) -> list[tuple[int, int]]:
    """Return every session with the start of the bar that is taken first in it, the first desk's if it has any."""
    found: dict[int, int] = {}
    for desk in reversed(desks):
        found.update(desk.panel.turns())
    return sorted(found.items())


def open_book(desks: Sequence[Desk], capital: float, room: int, *, compiled: bool) -> Book:
    """Return fresh arrays for a run, with room for ``room`` events; lists when not compiled."""
    specs = [spec for desk in desks for spec in desk.panel.specs]
    lanes = [new_lane(j, tick=s.tick, lot=s.lot, fixed=s.fixed) for j, s in enumerate(specs)]
    A, N = new_account(capital)
    sizes = [(len(desk.panel.specs), strategy(desk.name).MEMORY) for desk in desks]
    cursors, held = [desk.panel.starts.copy() for desk in desks], [0] * len(desks)
    if not compiled:
        memory: list[list[Memory]] = [[[0.0] * size for _ in range(count)] for count, size in sizes]
        return Book(memory, [x[0] for x in lanes], [x[1] for x in lanes], A, N, [0.0] * (room * WIDTH), cursors, held)
    return Book(
        [np.zeros(each) for each in sizes],
        np.array([x[0] for x in lanes]),
        np.array([x[1] for x in lanes], np.int64),
        np.array(A),
        np.array(N, np.int64),
        np.empty(room * WIDTH),
        cursors,
        held,
    )


def simulate(
    name: str, setup: Setup, panel: Panel | Roll, *, capital: float, charges: Schedule, compiled: bool = True,
    watch: Callable[[float], bool] | None = None,
) -> Outcome:  # fmt: skip
    """Run strategy ``name`` over the panel; ``watch`` gets the share done and may answer True to stop early.

    Raises ImportError when ``compiled`` without numba.
    """
    return simulate_desks([Desk(name, setup, panel)], capital=capital, charges=charges, compiled=compiled, watch=watch)


def simulate_desks(
    desks: Sequence[Desk], *, capital: float, charges: Schedule, compiled: bool = True,
    watch: Callable[[float], bool] | None = None, keep: Callable[[Book], None] | None = None, begun: Book | None = None,
) -> Outcome:  # fmt: skip
    """Run the desks on one account, in the order of the moments at which their bars end.

    Within a session the desks take turns in the order given, so one that decides once a day comes last. ``keep`` is
    shown the book after each stage of a watched run; ``begun`` is such a book, to go on from.
    """
    run = Run(desks, charges, compiled)
    room = min(ROOMY, max(ROOM, sum(len(desk.panel) for desk in desks) // 8))
    while True:
        book = begun or open_book(desks, capital, room, compiled=compiled)
        begun = None
        if not _drive(run, book, watch, keep):
            break
        room = 4 * max(room, len(book.ev) // WIDTH)
    return close_book(run, book, capital)


def _drive(run: Run, book: Book, watch: Callable[[float], bool] | None, keep: Callable[[Book], None] | None) -> bool:
    """Drive the book to the end of its bars; return True when the events did not fit."""
    for k, until in enumerate(
        _stages(run.desks, watch is not None or any(isinstance(desk.panel, Roll) for desk in run.desks)), start=1
    ):
        if k <= book.stage:
            continue
        run.advance(book, until)
        if full(book):
            return True
        book.stage = k
        _widen(book)
        if keep is not None:
            keep(book)
        if watch is not None and watch(k / CHUNKS):
            break
    return False


def _widen(book: Book) -> None:
    """Make room for as many events again once half of it is used, so that no stage need be run again for want of it."""
    if 2 * book.N[EVENTS] * WIDTH <= len(book.ev):
        return
    more = np.empty(len(book.ev)) if isinstance(book.ev, np.ndarray) else [0.0] * len(book.ev)
    book.ev = np.concatenate([book.ev, more]) if isinstance(book.ev, np.ndarray) else book.ev + more


def _stages(desks: Sequence[Desk], several: bool) -> list[int]:
    if not several:
        return [FOREVER]
    first, last = min(desk.panel.span()[0] for desk in desks), max(desk.panel.span()[1] for desk in desks)
    return [first + (last - first) * k // CHUNKS for k in range(1, CHUNKS)] + [FOREVER]


def close_book(run: Run, book: Book, capital: float) -> Outcome:
    """Return the outcome of a driven book; the last session's equity is its last day's."""
    bars = [int((at - desk.panel.starts).sum()) for at, desk in zip(book.cursors, run.desks, strict=True)]
    no_sessions: Any = np.zeros(0, np.int64) if run.compiled else []
    rates = NO_CHARGES.rates if run.compiled else NO_CHARGES.rates.tolist()
    last = max(desk.panel.span()[1] for desk in run.desks)
    run.kernels[0].turn_day(
        int(book.N[SESSION]) + 1, last, book.L[:0] if run.compiled else [], book.K[:0] if run.compiled else [],
        book.A, book.N, run.desks[0].setup, rates, no_sessions, book.ev,
    )  # fmt: skip
    count, equity = int(book.N[EVENTS]), float(book.A[EQUITY])
    measures = run.kernels[0].measure(
        book.ev, count, capital, equity, float(book.A[DRAWDOWN]), sum(bars), int(book.N[BARS_IN])
    )
    events = np.asarray(book.ev[: count * WIDTH], np.float64)
    found = tidy(measures)
    if len(run.desks) > 1:  # a day is longer than five minutes
        long = [min(desk.setup.minutes, SESSION_MINUTES) for desk in run.desks]
        share = np.dot(book.held, long) / np.dot(bars, long)
        found = found._replace(exposure=float(share), avg_hold_bars=float("nan"))
    return Outcome(found, events, sum(bars), equity)
