"""The feeds ``breeze`` and ``hybrid``: the broker's history behind the same face as a folder of files.

``breeze`` asks the broker and keeps what it answers in the cache (DATA_FEED_ENABLE_CACHE). ``hybrid`` asks only for the
sessions that the cache lacks, and when the broker cannot be asked it serves what is there and says what is missing.
Bars of the session that goes on are never kept.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from django.conf import settings

from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput, NotFound, SenseQuantError
from sensequant.lib.logs import get_logger
from trading.adapters import cachefiles
from trading.adapters.barcache import FETCHED, BarCache, merge
from trading.adapters.barfiles import clean_symbol
from trading.adapters.csvfeed import Moment, Series, bounds, within
from trading.core.bar_report import FileReport, Finding, Severity
from trading.core.bar_rows import Rows, join
from trading.core.bars import DAY, INTERVALS, Bars, interval, resample
from trading.core.calendar import Calendar, Session
from trading.core.chunks import Chunk, asked_as, begun, chunks, day_of, days_of, over
from trading.services import actions
from trading.services import bars as files
from trading.services import calendar as calendars
from trading.services import fetch_keeping as keeping
from trading.services.bars import Loaded
from trading.services.fetch_calls import Caller, Line, breeze

BREEZE, HYBRID = "breeze", "hybrid"
KINDS: Final = (BREEZE, HYBRID)
TOLD: Final = frozenset({"partial_cache", "edge_of_cache"})
"""Rules of findings that whoever reads a result must know of."""
AGAIN: Final = 60.0  # seconds in which the same question is not asked again, answered or not
MOST_ANSWERS: Final = 64
log = get_logger("feeds")


def source(kind: str, folder: Path | str) -> str:
    """Return a broker's feed over the cache in ``folder`` as one word, as requests carry their source."""
    return f"{kind}:{folder}"


def split(word: str) -> tuple[str, str]:
    """Return the kind and the folder of a source; the kind is empty for a mere folder."""
    kind, mark, folder = word.partition(":")
    return (kind, folder) if mark and kind in KINDS else ("", word)


class Answers:
    """What was answered a moment ago, refusals included, so that whoever looks every second asks once a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._known: OrderedDict[tuple[object, ...], tuple[float, list[Rows] | SenseQuantError]] = OrderedDict()
        self._turn = threading.Lock()

    def get(self, key: tuple[object, ...], ask: Callable[[], list[Rows]]) -> list[Rows]:
        """Return the answer to ``key``, or raise what was raised, from memory or by asking."""
        with self._turn:
            known = self._known.get(key)
        if known is None or self.clock() - known[0] > AGAIN:
            found: list[Rows] | SenseQuantError
            try:
                found = ask()
            except SenseQuantError as error:
                found = error
            known = (self.clock(), found)
            with self._turn:
                self._known[key] = known
                while len(self._known) > MOST_ANSWERS:
                    self._known.popitem(last=False)
        if isinstance(known[1], SenseQuantError):
            raise known[1]
        return known[1]

    def forget(self) -> None:
        """Forget everything, so that the next question is asked."""
        with self._turn:
            self._known.clear()


ANSWERS: Final = Answers()


@dataclass
class BreezeFeed:
    """The broker's history of shares; ``at`` is the present moment (aware), ``directory`` the cache."""

    directory: Path
    at: dt.datetime
    line: Line
    segment: str = "equity"
    calendar: Calendar = field(default_factory=calendars.current)
    cached: bool = field(default_factory=lambda: settings.DESK.data_feed_enable_cache)
    sleep: Callable[[float], None] = time.sleep
    answers: Answers = ANSWERS
    _caller: Caller | None = field(default=None, init=False, repr=False)

    def get_historical_bars(self, symbol: str, from_date: Moment, to_date: Moment, interval: str = "1minute") -> Bars:
        """Return the bars from ``from_date`` to ``to_date``, both included, as ``CsvFeed`` does.

        SessionLost, Unavailable, BadInput or NotFound, as the broker says, when it does not give them.
        """
        return self.load(symbol, interval, from_date, to_date).bars

    def load(self, symbol: str, interval_name: str, start: Moment | None, end: Moment | None) -> Loaded:
        """Return the bars and the report on them."""
        asked = self._asked(symbol, interval_name, start, end)
        rows = self._fill(asked, asked.days)
        loaded = None
        if any(len(part) for part in rows):
            loaded = self._read(asked) if self.cached else self._judged(asked, rows)
        today = self._today(asked)
        if loaded is None and not len(today):
            raise NotFound(
                f"Breeze has no {asked.told} from {start} to {end}", fix="choose days on which it was traded"
            )
        return _joined(asked, loaded, today)

    def _asked(self, symbol: str, interval_name: str, start: Moment | None, end: Moment | None) -> _Asked:
        if start is None or end is None:
            raise BadInput("the broker's feed needs a first and a last day", fix="give both dates")
        first, until = bounds(start, end)
        days = max(day_of(first), self.calendar.known_from), min(day_of(until - 1), self.calendar.known_until)
        sessions = self.calendar.sessions(*days, self.segment) if days[0] <= days[1] else []
        desk = settings.DESK
        cache = BarCache(
            self.directory, clean_symbol(symbol), asked_as(interval_name), compress=desk.data_feed_cache_compression,
            naive_timezone=desk.data_feed_naive_timezone,
        )  # fmt: skip
        done = [session for session in sessions if over(session, self.at)]
        return _Asked(cache, interval(interval_name), start, end, done, [each for each in sessions if each not in done])

    def _fill(self, asked: _Asked, days: Iterable[dt.date]) -> list[Rows]:
        """Return the answers for ``days``, kept when there is a cache; what came before an error is kept too."""
        wanted = sorted(days)
        parts: list[Rows] = []
        fresh: list[Rows] = []
        got: list[dt.date] = []
        if wanted and self.cached:
            keeping.adopt(asked.cache, at=self.at, segment=self.segment)
        try:
            for chunk in chunks(wanted, asked.unit, self.calendar, self.segment):
                found, new = self._rows(asked, chunk)
                parts += found
                if new:
                    fresh += found
                    got += chunk.days
        finally:
            if self.cached and any(len(part) for part in fresh):
                self._keep(asked, fresh, got)
        return parts

    def _keep(self, asked: _Asked, parts: list[Rows], days: list[dt.date]) -> None:
        keeping.keep(asked.cache, parts, days, self.segment, at=self.at)
        if asked.cache.root == keeping.configured():
            found = keeping.survey(asked.cache, tuple(days), self.segment, at=self.at)
            keeping.remember(asked.cache, found, days, set(), at=self.at)

    def _rows(self, asked: _Asked, chunk: Chunk) -> tuple[list[Rows], bool]:
        """Return the answer to one request, and whether it was asked now and not a moment ago."""
        new = []

        def ask() -> list[Rows]:
            new.append(chunk)
            if self._caller is None:
                self._caller = Caller(self.line, self.calendar, self.sleep)
            self._caller.open()  # without a session the security master is not asked for either
            return self._caller.rows(self.line.code(asked.cache.symbol), asked.unit, chunk, self.segment)

        key = (str(self.directory), asked.cache.symbol, asked.unit, chunk.start, chunk.end)
        return self.answers.get(key, ask), bool(new)

    def _read(self, asked: _Asked) -> Loaded:
        """Return what the files hold of the range, through the columnar store."""
        feed = files.feed(
            self.directory, at=self.at, naive_timezone=settings.DESK.data_feed_naive_timezone, segment=self.segment
        )  # fmt: skip
        with cachefiles.still(asked.cache.folder):
            return files.load_from(feed, asked.cache.symbol, asked.interval, asked.start, asked.end)

    def _judged(self, asked: _Asked, parts: list[Rows]) -> Loaded:
        """Return the answers themselves, judged as files are."""
        name = f"breeze/{asked.cache.symbol}/{asked.unit}"
        checked = keeping.judge(join(parts), name, asked.unit, self.calendar, self.segment, at=self.at)
        bars, report = self._in(asked, checked.bars), replace(checked.report, interval=asked.interval)
        bars, report = actions.as_read(bars, report, asked.cache.symbol, _day(asked.end))
        return Loaded(within(Series(bars, report, (), parsed=True), asked.start, asked.end), report)

    def _in(self, asked: _Asked, bars: Bars) -> Bars:
        """Return the bars in the interval that was asked for."""
        if asked.unit == asked.interval or not len(bars):
            return bars
        places = self.calendar.session_columns(bars.ts, 1, self.segment)
        opens = bars.ts - bars.ts % 60 - places.minute.astype(np.int64) * 60
        return resample(bars, INTERVALS[asked.interval], opens=opens)

    def _today(self, asked: _Asked) -> Bars:
        """Return the complete bars of the session that goes on; there is no daily bar of it yet."""
        minutes = INTERVALS[asked.unit]
        going = [begun(session, minutes, self.at) for session in asked.going if minutes != DAY]
        parts = [part for chunk in going if chunk for part in self._rows(asked, chunk)[0]]
        if not any(len(part) for part in parts):
            return merge([])
        checked = keeping.judge(join(parts), "breeze/today", asked.unit, self.calendar, self.segment, at=self.at)
        return self._in(asked, checked.bars).between(*bounds(asked.start, asked.end))


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question: ``done`` are the sessions of the range that are over, ``going`` the one that is not."""

    cache: BarCache
    interval: str
    start: Moment
    end: Moment
    done: list[Session]
    going: list[Session]

    @property
    def unit(self) -> str:
        """Return the interval the broker is asked for."""
        return self.cache.interval

    @property
    def days(self) -> list[dt.date]:
        """Return the dates of the sessions that are over."""
        return [session.date for session in self.done]

    @property
    def told(self) -> str:
        """Return what is asked for in words."""
        return f"{self.interval} bar of {self.cache.symbol}"


def _joined(asked: _Asked, loaded: Loaded | None, today: Bars, found: Iterable[Finding] = ()) -> Loaded:
    """Return what was kept and today's bars as one answer."""
    if loaded is None:
        loaded = Loaded(merge([]), FileReport("breeze", asked.cache.symbol, asked.interval, 0, 0, 0, "", ""))
    return Loaded(merge([loaded.bars, today]), loaded.report.with_findings(found))


@dataclass
class HybridFeed(BreezeFeed):
    """The cache where it covers the range, the broker for what is missing, and a warning for what neither has."""

    def load(self, symbol: str, interval_name: str, start: Moment | None, end: Moment | None) -> Loaded:
        """Return the bars and the report on them; what is missing stands among its findings."""
        asked = self._asked(symbol, interval_name, start, end)
        loaded, why = self._or_none(asked)
        trouble: SenseQuantError | None = None
        if missing := self._missing(asked, loaded):
            loaded, why, trouble = self._filled(asked, missing, loaded)
        absent = self._absent(asked, loaded)
        tell = _partial if missing else _edge
        found = [tell(asked, absent, trouble)] if absent else []
        try:
            today = self._today(asked)
        except SenseQuantError as error:
            trouble, today = trouble or error, merge([])
            found.append(_partial(asked, [session.date for session in asked.going], error))
        if loaded is None and not len(today):
            raise trouble or why or NotFound(f"there is no {asked.told} in the range", fix="choose other days")
        for each in found:
            _say_once(asked.cache.symbol, asked.interval, each.message)
        return _joined(asked, loaded, today, found)

    def _filled(
        self, asked: _Asked, missing: list[dt.date], loaded: Loaded | None
    ) -> tuple[Loaded | None, SenseQuantError | None, SenseQuantError | None]:  # fmt: skip
        """Ask for what is missing; return what there is then, why there is nothing, and what went wrong."""
        try:
            rows = self._fill(asked, missing)
        except SenseQuantError as error:
            return *self._or_none(asked), error
        if self.cached:
            return *self._or_none(asked), None
        if not any(len(part) for part in rows):
            return loaded, None, None
        fresh = self._judged(asked, rows)
        return (fresh if loaded is None else Loaded(merge([loaded.bars, fresh.bars]), loaded.report)), None, None

    def _or_none(self, asked: _Asked) -> tuple[Loaded | None, SenseQuantError | None]:
        """Return what the files hold of the range, or why there is none."""
        try:
            return self._read(asked), None
        except NotFound as error:
            return None, error

    def _absent(self, asked: _Asked, loaded: Loaded | None) -> list[dt.date]:
        """Return the sessions without a bar that the broker has not answered as having none."""
        there = days_of(loaded.bars.ts) if loaded else set()
        claims = [entry.days for entry in asked.cache.entries().values() if entry.source == FETCHED]
        return [
            day for day in asked.days if day not in there and not any(first <= day <= last for first, last in claims)
        ]

    def _missing(self, asked: _Asked, loaded: Loaded | None) -> list[dt.date]:
        """Return the sessions to ask for: none when all that is absent lies within a session of the range's ends.

        The newest session of all is no end to be generous with: what comes next is decided on its bars.
        """
        absent, days = self._absent(asked, loaded), asked.days
        edges = {days[0], days[-1]} if len(days) > 2 else set()
        if days and days[-1] == self._newest():
            edges.discard(days[-1])
        return [] if set(absent) <= edges else absent

    def _newest(self) -> dt.date | None:
        """Return the last session that is over, None outside the calendar."""
        day = ist(self.at).date()
        if not self.calendar.known_from < day <= self.calendar.known_until:
            return None
        today = self.calendar.session(day, self.segment)
        return day if today and over(today, self.at) else self.calendar.previous_session(day)


def _edge(asked: _Asked, days: list[dt.date], _: object = None) -> Finding:
    told = f"the cache begins or ends a session inside the range: no bar of {asked.cache.symbol} on {_days(days)}"
    return Finding("edge_of_cache", Severity.WARN, len(days), told, "fetch_historical_data fetches them")


def _partial(asked: _Asked, days: list[dt.date], error: SenseQuantError | None) -> Finding:
    why = f": {error.message}" if error else ": the broker has none"
    told = (
        f"partial cache: {asked.cache.symbol} {asked.interval} lacks {len(days)} of "
        f"{len(asked.done) + len(asked.going)} sessions ({_days(days)}){why}"
    )
    fix = error.fix if error else "choose other days, or ask again later"
    return Finding("partial_cache", Severity.WARN, len(days), told, fix)


def _days(days: list[dt.date]) -> str:
    return ", ".join(map(str, days)) if len(days) < 4 else f"{days[0]} to {days[-1]}"


def _day(moment: Moment) -> dt.date:
    return moment if not isinstance(moment, dt.datetime) else ist(moment).date() if moment.tzinfo else moment.date()


@lru_cache(maxsize=1024)
def _say_once(symbol: str, interval_name: str, message: str) -> None:
    """Log a warning that would otherwise come with every look at a market that is open."""
    log.warning("bars are missing", symbol=symbol, interval=interval_name, why=message)


def feed_of(word: str, *, at: dt.datetime, segment: str) -> BreezeFeed:
    """Return the feed that a source names, over the line to Breeze; nothing is asked before bars are."""
    kind, folder = split(word)
    chosen = HybridFeed if kind == HYBRID else BreezeFeed
    return chosen(Path(folder), at, breeze(), segment=segment)
