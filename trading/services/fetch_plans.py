"""What a fetching was asked for, and the requests it takes: nothing that is there already is asked again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from django.conf import settings

from sensequant.lib import paths
from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput
from trading.adapters.barcache import BarCache, Days
from trading.adapters.barfiles import clean_symbol
from trading.core import gaps
from trading.core.bars import ALIASES, INTERVALS
from trading.core.bars import interval as canonical
from trading.core.calendar import Calendar, Session
from trading.core.chunks import Chunk, asked_as, chunks, over, starts
from trading.models.instruments import Instrument
from trading.services import calendar as calendars
from trading.services import fetch_states
from trading.services.fetch_states import State

ONE_DAY: Final = dt.timedelta(days=1)
MOST_LOOKBACK: Final = 3_650


@dataclass(frozen=True, slots=True)
class Asked:
    """What to fetch: symbols and intervals, the days (``start`` None: from the last bar, or ``lookback`` days back)."""

    symbols: tuple[str, ...]
    intervals: tuple[str, ...]
    start: dt.date | None
    end: dt.date
    lookback: int
    incremental: bool = False
    force: bool = False
    repair: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as a run keeps it."""
        days = {"start": self.start and self.start.isoformat(), "end": self.end.isoformat()}
        return {**asdict(self), **days, "symbols": list(self.symbols), "intervals": list(self.intervals)}


def of_json(told: Mapping[str, Any]) -> Asked:
    """Return what ``Asked.as_json`` wrote."""
    start = dt.date.fromisoformat(told["start"]) if told["start"] else None
    days = {"start": start, "end": dt.date.fromisoformat(told["end"])}
    return Asked(**{**told, **days, "symbols": tuple(told["symbols"]), "intervals": tuple(told["intervals"])})


def ask(  # noqa: PLR0913 - the words of the command line, one by one
    *, symbols: Sequence[str], intervals: Sequence[str], start: dt.date | None, end: dt.date | None,
    lookback: int | None, incremental: bool = False, force: bool = False, repair: bool = False, at: dt.datetime,
) -> Asked:  # fmt: skip
    """Return the words checked; BadInput or Invalid names the one that cannot be used.

    Without symbols those of SYMBOLS are meant, without intervals daily bars and MINUTE_DATA_RESOLUTION, without a
    start the last ``lookback`` days (INCREMENTAL_LOOKBACK_DAYS), without an end today.
    """
    today = ist(at).date()
    names = tuple(dict.fromkeys(clean_symbol(symbol) for symbol in symbols or settings.DESK.symbols))
    units = tuple(dict.fromkeys(canonical(name) for name in intervals or usual_intervals()))
    back = settings.DESK.incremental_lookback_days if lookback is None else lookback
    if not 1 <= back <= MOST_LOOKBACK:
        raise BadInput(f"a lookback of {back} days cannot be used", fix=f"give 1 to {MOST_LOOKBACK}")
    if incremental and (start is not None or force):
        told = "--start-date" if start is not None else "--force"
        raise BadInput(f"--incremental goes on from the last bar, so {told} has no meaning", fix=f"leave out {told}")
    last = today if end is None else end
    if last > today:
        raise BadInput(f"the end {last} lies in the future", fix=f"use a date up to {today}")
    if start is None and not incremental:
        start = last - dt.timedelta(days=back)
    if start is not None and start > last:
        raise BadInput(f"the start {start} lies after the end {last}", fix="swap --start-date and --end-date")
    known = calendars.current().known_from
    if start is not None and start < known:
        raise BadInput(f"the start {start} lies before the calendar's first day", fix=f"use a date from {known} on")
    return Asked(names, units, start, last, back, incremental, force, repair)


def usual_intervals() -> tuple[str, ...]:
    """Return the intervals a desk keeps up to date: daily bars, and minute bars when they are allowed."""
    minute = (ALIASES[settings.DESK.minute_data_resolution],) if settings.DESK.minute_data_enabled else ()
    return ("1day", *minute)


def cache_of(symbol: str, unit: str) -> BarCache:
    """Return the configured cache of a series."""
    desk = settings.DESK
    return BarCache(
        paths.resolve(desk.data_feed_csv_directory), symbol, unit, compress=desk.data_feed_cache_compression,
        naive_timezone=desk.data_feed_naive_timezone,
    )  # fmt: skip


def segment_of(symbol: str) -> str:
    """Return the segment whose sessions the share keeps."""
    known = Instrument.objects.filter(symbol=symbol).first()
    return known.segment if known else "equity"


@dataclass(slots=True)
class Series:
    """One series to fetch: ``unit`` is what the broker is asked for, ``days`` the sessions of the whole range.

    ``known`` are those of them asked for and answered before; ``there`` counts those that are not asked for again.
    """

    symbol: str
    interval: str
    unit: str
    segment: str
    cache: BarCache
    days: tuple[dt.date, ...]
    chunks: list[Chunk]
    known: frozenset[dt.date]
    there: int
    notes: list[str] = field(default_factory=list)
    code: str = ""

    @property
    def key(self) -> str:
        """Return the name under which a run keeps the result."""
        return f"{self.symbol} {self.interval}"

    @property
    def candles(self) -> int:
        """Return how many bars the wanted sessions hold."""
        calendar, minutes = calendars.current(), INTERVALS[self.unit]
        wanted = (calendar.session(day, self.segment) for chunk in self.chunks for day in chunk.days)
        return sum(int(starts(session, minutes).size) for session in wanted if session)


def plan(asked: Asked, *, at: dt.datetime, done: Mapping[str, Sequence[Days]] | None = None) -> list[Series]:
    """Return the series to fetch and their requests, without asking anybody anything.

    ``done`` are stretches that the same run has fetched before it was interrupted, by series key.
    """
    found: dict[tuple[str, str], Series] = {}
    for symbol in asked.symbols:
        for name in asked.intervals:
            unit = asked_as(name)
            if (symbol, unit) not in found:
                before = (done or {}).get(f"{symbol} {name}", ())
                found[symbol, unit] = _series(asked, symbol, name, at=at, done=before)
    return list(found.values())


def _series(asked: Asked, symbol: str, name: str, *, at: dt.datetime, done: Sequence[Days]) -> Series:
    unit, segment, calendar = asked_as(name), segment_of(symbol), calendars.current()
    cache = cache_of(symbol, unit)
    state = fetch_states.read(cache, at=at)
    sessions = _sessions(asked, state, calendar, segment)
    days = {session.date for session in sessions if over(session, at)}
    notes = [f"Breeze has no {name} bars: {unit} bars are fetched, from which they are made"] if unit != name else []
    notes += [
        f"the session of {session.date} is not over: its bars are left for later"
        for session in sessions
        if session.date not in days
    ]
    if asked.end > calendar.known_until:
        notes.append(f"the calendar ends on {calendar.known_until}: add the exchange's circular to fetch later days")
    earlier = {day for day in days if _within(day, done)}
    known = {day for day in days if _within(day, state.ranges)}
    kept = earlier if asked.force else known | earlier
    wanted = (days - kept) | (days & _again(asked, cache, state, sessions, at) - earlier)
    return Series(
        symbol, name, unit, segment, cache, tuple(sorted(days)), chunks(wanted, unit, calendar, segment),
        frozenset(known), len(days) - len(wanted), notes,
    )  # fmt: skip


def _sessions(asked: Asked, state: State, calendar: Calendar, segment: str) -> list[Session]:
    start = asked.start or _going_on(asked, state)
    first, last = max(start, calendar.known_from), min(asked.end, calendar.known_until)
    return calendar.sessions(first, last, segment) if first <= last else []


def _going_on(asked: Asked, state: State) -> dt.date:
    """Return the first day of an incremental fetch: after the last one kept in full, or ``lookback`` days back."""
    back = asked.end - dt.timedelta(days=asked.lookback)
    if state.last_fetch is None:
        told = fetch_states.last_fetch_told(state.symbol, state.interval)
        return back if told is None else min(back, told + ONE_DAY)
    after = state.last_fetch if _short(state) else state.last_fetch + ONE_DAY
    return min(after, back) if asked.repair else min(after, asked.end + ONE_DAY)


def _short(state: State) -> bool:
    """Say whether the last day kept lacks bars that were not yet asked for again."""
    last = str(state.last_fetch)
    return state.gaps.get(last, 0) != state.confirmed.get(last, 0)


def _again(
    asked: Asked, cache: BarCache, state: State, sessions: list[Session], at: dt.datetime
) -> set[dt.date]:  # fmt: skip
    """Return the days kept that are asked for again because they lack bars."""
    found = {state.last_fetch} if asked.incremental and state.last_fetch and _short(state) else set()
    return found | (_lacking(cache, state, sessions, at) if asked.repair else set())


def _within(day: dt.date, ranges: Sequence[Days]) -> bool:
    return any(first <= day <= last for first, last in ranges)


def _lacking(cache: BarCache, state: State, sessions: list[Session], at: dt.datetime) -> set[dt.date]:
    """Return the days that lack bars, but for those that were asked for again in vain and still lack as many."""
    if not sessions:
        return set()
    bars = cache.read((sessions[0].date, sessions[-1].date))
    missing = gaps.missing_by_day(gaps.gaps(bars.ts, sessions, INTERVALS[cache.interval], at))
    return {day for day, count in missing.items() if state.confirmed.get(str(day)) != count}
