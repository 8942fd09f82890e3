"""The NSE calendar: which days trade, in which windows, and where a bar stands inside its session."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from trading.core import calendar_data as data
from trading.core.calendar_data import Kind, Plan, Span
from trading.core.errors import Invalid

Ints = npt.NDArray[np.int32]

IST: Final = ZoneInfo("Asia/Kolkata")
SEGMENTS: Final = data.SEGMENTS
DAY: Final = dt.timedelta(days=1)
DAY_MINUTES: Final = 1440
DAY_SECONDS: Final = 86_400
IST_OFFSET: Final = 19_800  # India has kept UTC+05:30, without summer time, since 1945
EPOCH: Final = dt.date(1970, 1, 1).toordinal()
FIX: Final = "add the exchange's circular to the calendar overrides"


@dataclass(frozen=True, slots=True)
class Phase:
    """A named stretch of a session; ``start`` is inside, ``end`` is not (both aware, IST)."""

    name: str
    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day of one segment; ``steps`` are the parts inside its call auctions."""

    date: dt.date
    kind: Kind
    phases: tuple[Phase, ...]
    steps: tuple[Phase, ...] = ()
    name: str = ""
    provisional: bool = False

    @property
    def windows(self) -> tuple[Phase, ...]:
        """Return the continuous phases, in order."""
        return tuple(phase for phase in self.phases if phase.name == "continuous")

    @property
    def open(self) -> dt.datetime:
        """Return when the first continuous phase starts."""
        return self.windows[0].start

    @property
    def close(self) -> dt.datetime:
        """Return when the last continuous phase ends."""
        return self.windows[-1].end

    def contains(self, at: dt.datetime) -> bool:
        """Say whether ``at`` lies inside a continuous window."""
        return any(phase.start <= at < phase.end for phase in self.windows)


@dataclass(frozen=True, slots=True)
class Override:
    """What a later circular says of one day: closed, or open in ``windows`` (none given: the usual hours).

    ``completes_year`` says that the exchange's list for the day's year is now entered in full, so the calendar may
    answer for every day of that year.
    """

    day: dt.date
    closed: bool = False
    windows: tuple[tuple[dt.time, dt.time], ...] = ()
    name: str = ""
    completes_year: bool = False

    def __post_init__(self) -> None:
        """Raise ``Invalid`` when the windows contradict ``closed`` or are not in order."""
        if self.closed and self.windows:
            raise Invalid(f"the override of {self.day} is closed and yet has trading windows: give one or the other")
        edges = [edge for window in self.windows for edge in window]
        if any(later <= earlier for earlier, later in pairwise(edges)):
            raise Invalid(f"the windows of the override of {self.day} must follow one another and end after they began")
        if any(edge.second or edge.microsecond for edge in edges):
            raise Invalid(f"the windows of the override of {self.day} must be whole minutes")


@dataclass(frozen=True, slots=True)
class SessionColumns:
    """Where each bar stands in its session; see ``Calendar.session_columns``."""

    session: Ints
    minute: Ints
    left: Ints
    inside: npt.NDArray[np.bool_]


class _Table(NamedTuple):
    """Per-day rows in seconds of the day, filled as days are asked for; a closed day has no window."""

    known: npt.NDArray[np.bool_]
    open: Ints
    close: Ints
    starts: Ints  # (windows, days)
    ends: Ints


class Calendar:
    """An immutable calendar built from dated data; every question outside its known range raises ``Invalid``."""

    def __init__(
        self,
        *,
        known_from: dt.date,
        known_until: dt.date,
        closed: Mapping[dt.date, str],
        planned: Mapping[dt.date, Plan | None],
        overridden: frozenset[dt.date] = frozenset(),
    ) -> None:
        """Take closures by date with their names, and the days planned apart (``phases`` empty: the usual hours)."""
        self.known_from = known_from
        self.known_until = known_until
        self._closed = dict(closed)
        self._planned = dict(planned)
        self._overridden = overridden
        edges = [known_from, known_until, *overridden]
        self._first, self._last = min(edges).toordinal() - EPOCH, max(edges).toordinal() - EPOCH
        self._tables: dict[str, _Table] = {}
        self._sessions: dict[tuple[dt.date, str], Session | None] = {}

    def session(self, day: dt.date, segment: str = "equity") -> Session | None:
        """Return the session of ``day``, or None when the exchange is closed; ``Invalid`` outside the known range."""
        key = (day, segment)
        if key not in self._sessions:
            plan = self._plan(day, segment)
            self._sessions[key] = _session(day, plan) if plan else None
        return self._sessions[key]

    def is_session(self, day: dt.date) -> bool:
        """Say whether the exchange trades on ``day``."""
        return self._plan(day, "equity") is not None

    def sessions(self, start: dt.date, end: dt.date, segment: str = "equity") -> list[Session]:
        """Return the sessions from ``start`` to ``end``, both included."""
        found = (self.session(day, segment) for day in _days(start, end))
        return [session for session in found if session]

    def next_session(self, day: dt.date) -> dt.date:
        """Return the first trading day strictly after ``day``."""
        day += DAY
        while not self.is_session(day):
            day += DAY
        return day

    def previous_session(self, day: dt.date) -> dt.date:
        """Return the last trading day strictly before ``day``."""
        day -= DAY
        while not self.is_session(day):
            day -= DAY
        return day

    def phase(self, at: dt.datetime, segment: str = "equity") -> str:
        """Return the name of the phase at ``at`` (aware), or ``closed``."""
        if at.tzinfo is None:
            raise Invalid(f"the instant {at} has no time zone: give an aware datetime")
        session = self.session(at.astimezone(IST).date(), segment)
        phases = session.phases if session else ()
        return next((phase.name for phase in phases if phase.start <= at < phase.end), "closed")

    def closure(self, day: dt.date) -> str | None:
        """Return the name of the closure on ``day``, or None for a session or an ordinary weekend."""
        return None if self.is_session(day) else self._closed.get(day)

    def is_settlement_day(self, day: dt.date) -> bool:
        """Say whether trades settle on ``day``: a weekday session that is neither Diwali nor a bank holiday.

        Bank holidays on trading days are listed in full from 2024; before, only where a notice was found.
        """
        plan = self._plan(day, "equity")
        return plan is not None and day.weekday() < 5 and plan.kind != "muhurat" and day not in SETTLEMENT_HOLIDAYS

    def with_overrides(self, overrides: Iterable[Override]) -> Calendar:
        """Return a calendar in which each override replaces what was known of its day.

        An overridden day outside the known range becomes known; the range itself grows, year by year, over years an
        override completes.
        """
        given = {override.day: override for override in overrides}
        closed = {day: name for day, name in self._closed.items() if day not in given}
        closed |= {day: override.name for day, override in given.items() if override.closed}
        plans = {day: None if override.closed else _override_plan(override) for day, override in given.items()}
        until = self.known_until
        completed = {override.day.year for override in given.values() if override.completes_year}
        while until.year + 1 in completed:
            until = dt.date(until.year + 1, 12, 31)
        return Calendar(
            known_from=self.known_from,
            known_until=until,
            closed=closed,
            planned=self._planned | plans,
            overridden=self._overridden | given.keys(),
        )

    def session_columns(self, ts: npt.NDArray[np.int64], minutes: int, segment: str = "equity") -> SessionColumns:
        """Return, for bars of ``minutes`` starting at ``ts`` (int64 seconds UTC), four columns of the same length.

        ``session``: ordinal of the bar's date. ``minute``: whole minutes from the session's open to the bar's start
        (negative before it). ``left``: whole minutes from the bar's end to the close, never below 0. ``inside``: the
        start lies in a continuous window. Daily bars (1440) have minute 0, left 0 and are inside when the day trades;
        bars of a day without a session have minute 0 and left 0 and are not inside.
        """
        if minutes < 1:
            raise Invalid(f"bars last a whole number of minutes from 1, not {minutes}")
        local = np.asarray(ts, dtype=np.int64) + IST_OFFSET
        days = local // DAY_SECONDS
        if days.size == 0:
            empty = np.zeros(0, np.int32)
            return SessionColumns(empty, empty, empty, np.zeros(0, np.bool_))
        table, rows = self._rows(days, segment)
        ordinals = (days + EPOCH).astype(np.int32)
        if minutes >= DAY_MINUTES:
            nought = np.zeros(days.size, np.int32)
            return SessionColumns(ordinals, nought, nought, table.close[rows] > 0)
        second = (local - days * DAY_SECONDS).astype(np.int32)
        opens, closes = table.open[rows], table.close[rows]
        trades = closes > 0
        inside = np.zeros(days.size, np.bool_)
        for starts, ends in zip(table.starts, table.ends, strict=True):
            inside |= (second >= starts[rows]) & (second < ends[rows])
        minute = np.where(trades, (second - opens) // 60, 0)
        left = np.where(trades, np.maximum(closes - second - 60 * minutes, 0) // 60, 0)
        return SessionColumns(ordinals, minute, left, inside)

    def _plan(self, day: dt.date, segment: str) -> Plan | None:
        """Return the plan of ``day``, None when closed; ``Invalid`` for an unknown day or segment."""
        if segment not in HOURS:
            raise Invalid(f"segment {segment!r} is not known: use one of {', '.join(SEGMENTS)}")
        if not self.known_from <= day <= self.known_until and day not in self._overridden:
            raise Invalid(f"the calendar does not know {day}: it knows {self.known_from} to {self.known_until} ({FIX})")
        if day in self._planned:
            plan = self._planned[day]
            return plan and (plan if plan.phases else self._usual(day, segment, plan))
        if day.weekday() >= 5 or day in self._closed:
            return None
        return self._usual(day, segment, REGULAR)

    def _usual(self, day: dt.date, segment: str, plan: Plan) -> Plan:
        since, spans = HOURS[segment]
        phases, steps = spans[max(bisect_right(since, day) - 1, 0)]
        return plan._replace(phases=phases, steps=steps)

    def _rows(self, days: npt.NDArray[np.int64], segment: str) -> tuple[_Table, npt.NDArray[np.int64]]:
        """Return the segment's table and each day's row in it, filling the rows not met before."""
        for day in (int(days.min()), int(days.max())):
            if not self._first <= day <= self._last:
                self._plan(_date(day), segment)
        if segment not in self._tables:
            widest = max((len(plan.windows) for plan in self._planned.values() if plan), default=1)
            self._tables[segment] = _table(self._last - self._first + 1, max(widest, 1))
        table, rows = self._tables[segment], days - self._first
        asked = np.zeros(table.known.size, np.bool_)
        asked[rows] = True
        for row in np.flatnonzero(asked & ~table.known).tolist():
            plan = self._plan(_date(self._first + row), segment)
            _fill(table, row, plan.windows if plan else ())
        return table, rows


def _date(epoch_day: int) -> dt.date:
    try:
        return dt.date.fromordinal(epoch_day + EPOCH)
    except (ValueError, OverflowError):
        raise Invalid(f"day {epoch_day} since 1970 is no date: timestamps are seconds, UTC") from None


def _days(start: dt.date, end: dt.date) -> Iterator[dt.date]:
    return (dt.date.fromordinal(day) for day in range(start.toordinal(), end.toordinal() + 1))


def _table(days: int, windows: int) -> _Table:
    zeros = np.zeros((windows, days), np.int32)
    return _Table(np.zeros(days, np.bool_), zeros[0].copy(), zeros[0].copy(), zeros, zeros.copy())


def _fill(table: _Table, row: int, windows: tuple[tuple[int, int], ...]) -> None:
    for index, (start, end) in enumerate(windows):
        table.starts[index, row], table.ends[index, row] = 60 * start, 60 * end
    if windows:
        table.open[row], table.close[row] = 60 * windows[0][0], 60 * windows[-1][1]
    table.known[row] = True  # last, so that another thread never reads half a row


def _session(day: dt.date, plan: Plan) -> Session:
    midnight = dt.datetime(day.year, day.month, day.day, tzinfo=IST)

    def phases(spans: tuple[Span, ...]) -> tuple[Phase, ...]:
        minute = dt.timedelta(minutes=1)
        return tuple(Phase(name, midnight + start * minute, midnight + end * minute) for name, start, end in spans)

    return Session(day, plan.kind, phases(plan.phases), phases(plan.steps), plan.name, plan.provisional)


def _override_plan(override: Override) -> Plan:
    kind: Kind = "special" if override.windows or override.day.weekday() >= 5 else "regular"
    if "muhurat" in override.name.casefold():
        kind = "muhurat"
    spans = tuple(Span("continuous", _minute(start), _minute(end)) for start, end in override.windows)
    return Plan(kind, override.name, False, spans, ())


def _minute(time: dt.time) -> int:
    return time.hour * 60 + time.minute


REGULAR: Final = Plan("regular", "", False, (), ())
HOURS: Final = data.hours_in_force()
SETTLEMENT_HOLIDAYS: Final = data.named_days(data.SETTLEMENT_HOLIDAYS)
NSE: Final = Calendar(
    known_from=data.KNOWN_FROM,
    known_until=data.KNOWN_UNTIL,
    closed=data.named_days(data.CLOSURES),
    planned=data.special_plans(),
)
