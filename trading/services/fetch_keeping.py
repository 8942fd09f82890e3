"""From an answer to bars on the disk: judged, the wrong set aside and recorded, merged, and only then remembered."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from django.conf import settings

from sensequant.lib import paths
from sensequant.lib.clock import IST
from sensequant.lib.errors import Failed, SenseQuantError, is_bad_input
from sensequant.lib.logs import get_logger
from trading.adapters import barfiles, cachefiles, salvage
from trading.adapters.barcache import FOUND, BarCache, Written
from trading.adapters.csvfeed import CsvFeed
from trading.core import gaps
from trading.core.bar_checks import Checked, check
from trading.core.bar_report import FileReport, Removed
from trading.core.bar_rows import Rows, Setting, join
from trading.core.bars import DAY, INTERVALS, Bars, resample
from trading.core.calendar import Calendar
from trading.core.chunks import MADE_FROM, day_of, days_of, spans
from trading.services import bars as bar_reports
from trading.services import calendar as calendars
from trading.services import fetch_states

SILENT: Final = frozenset({"missing_bars", "missing_sessions", "no_rows"})
"""Rules about gaps, which are told session by session."""
INTRADAY: Final = ("1minute", "5minute", "15minute")
SHOWN: Final = 20
log = get_logger("fetching")


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one batch of answers."""

    files: tuple[str, ...] = ()
    kept: int = 0
    quarantined: int = 0
    warnings: tuple[str, ...] = ()


def judge(rows: Rows, name: str, unit: str, calendar: Calendar, segment: str, *, at: dt.datetime) -> Checked:
    """Return the sound bars among an answer's rows and what was found, each row set aside in its own words."""
    setting = Setting(unit, INTERVALS[unit], calendar, segment, int(at.timestamp()))
    symbol = name.split("/", 2)[1] if "/" in name else name
    checked = check(salvage.numbered(rows, name), setting, file=name, symbol=symbol)
    text = {(row.file, row.line): salvage.text(rows, row.line - 1) for row in checked.report.removed}
    removed = tuple(Removed(row.rule, row.file, row.line, text[row.file, row.line]) for row in checked.report.removed)
    return Checked(checked.bars, checked.report.with_text(removed, text))


def keep(cache: BarCache, parts: list[Rows], days: list[dt.date], segment: str, *, at: dt.datetime) -> Kept:
    """Write the answer for ``days``, in order, and return what was kept; the state is not advanced here.

    Failed when the answer as a whole cannot be these bars; nothing is written then. What was taken for ``days`` at the
    end without a bar is not claimed as answered: it may come later.
    """
    rows = join(parts)
    name = f"breeze/{cache.symbol}/{cache.interval}/{days[0]}_to_{days[-1]}"
    checked = judge(rows, name, cache.interval, calendars.current(), segment, at=at)
    report = checked.report
    if len(rows):
        bar_reports.record(report, report.removed, digest=_digest(rows), at=at)
    if bad := next((found for found in report.findings if found.rejects_all and found.rule != "no_rows"), None):
        raise Failed(f"the answer cannot be used: {bad.message}", fix=bad.fix, rule=bad.rule)
    if not len(checked.bars):
        return Kept((), 0, report.quarantined, _told(report))
    last = day_of(int(checked.bars.ts[-1]))
    stretches = spans([day for day in days if day <= last], _neighbours(days, segment))
    parted = [(_of_days(checked.bars, *stretch), stretch) for stretch in stretches]
    written = [cache.write(bars, *stretch, at=at) for bars, stretch in parted if len(bars)]
    _also_coarser(cache, checked.bars, days_of(checked.bars.ts), segment, at=at)
    return Kept(_names(written), len(checked.bars), report.quarantined, _told(report))


def _names(written: Iterable[Written]) -> tuple[str, ...]:
    return tuple(each.path.name for each in written)


def _neighbours(days: list[dt.date], segment: str) -> list[dt.date]:
    return [session.date for session in calendars.current().sessions(days[0], days[-1], segment)]


def _of_days(bars: Bars, first: dt.date, last: dt.date) -> Bars:
    """Return the bars that start from ``first`` to ``last``, days in India, both included."""
    begin, end = (int(dt.datetime.combine(day, dt.time(), IST).timestamp()) for day in (first, last))
    return bars.between(begin, end + 86_400)


def _digest(rows: Rows) -> str:
    columns = (rows.ts, rows.open, rows.high, rows.low, rows.close, rows.volume)
    return hashlib.sha256(b"".join(np.ascontiguousarray(column).tobytes() for column in columns)).hexdigest()


def _told(report: FileReport) -> tuple[str, ...]:
    found = (each for each in report.findings if each.rule not in SILENT)
    return tuple(f"{each.severity} {each.rule}: {each.message}" for each in found)


def _also_coarser(
    cache: BarCache, bars: Bars, days: set[dt.date], segment: str, *, at: dt.datetime
) -> None:  # fmt: skip
    """Where the folder has files of an interval made from this one, add to them: the feed would see only those."""
    for name in (name for name, finer in MADE_FROM.items() if finer == cache.interval):
        coarser = BarCache(cache.root, cache.symbol, name, compress=cache.ending.endswith(".gz"))
        if not cachefiles.names(coarser.folder):
            continue
        places = calendars.current().session_columns(bars.ts, 1, segment)
        opens = bars.ts - bars.ts % 60 - places.minute.astype(np.int64) * 60
        made = resample(bars, INTERVALS[name], opens=opens)
        for day in sorted(days):
            coarser.write(_of_days(made, day, day), day, day, at=at)


def adopt(cache: BarCache, *, at: dt.datetime, segment: str) -> str:
    """Take the bars of files that would no longer be seen beside the cache's own folder over; return a note, or "".

    A folder ``SYMBOL/interval`` goes before files such as ``SYMBOL_5m.csv`` and before folders deeper down.
    """
    if cachefiles.names(cache.folder) or not cache.root.is_dir():
        return ""
    files = barfiles.find(cache.root, cache.symbol, cache.interval)
    if not files:
        return ""
    feed = CsvFeed(
        cache.root, at, naive_timezone=cache.naive_timezone, calendar=calendars.current(), segment=segment
    )  # fmt: skip
    series = feed.series(cache.symbol, cache.interval)
    names = ", ".join(path.name for path in files)
    if series.report.rejected or not len(series.bars):
        return f"{names} was left out: {series.report.findings[0].message}"
    there = days_of(series.bars.ts)
    sessions = [day for day in _neighbours([min(there), max(there)], segment) if day in there]
    for stretch in spans(sessions, _neighbours([min(there), max(there)], segment)):
        cache.write(_of_days(series.bars, *stretch), *stretch, at=at, source=FOUND)
    return f"the {len(series.bars):,} bars of {names} were taken over into the cache"


def configured() -> Path:
    """Return the folder whose series have a recorded state."""
    return paths.resolve(settings.DESK.data_feed_csv_directory)


@dataclass(frozen=True, slots=True)
class Survey:
    """What the kept bars of a range lack, and what looks wrong with them."""

    gaps: list[gaps.Gap]
    warnings: tuple[str, ...]


def survey(cache: BarCache, days: tuple[dt.date, ...], segment: str, *, at: dt.datetime) -> Survey:
    """Look at the kept bars of ``days``, sessions in order: gaps, and for daily bars open and close exchanged."""
    if not days:
        return Survey([], ())
    calendar = calendars.current()
    sessions = [session for session in calendar.sessions(days[0], days[-1], segment) if session.date in set(days)]
    bars = cache.read((days[0], days[-1]))
    found = gaps.gaps(bars.ts, sessions, INTERVALS[cache.interval], at)
    if INTERVALS[cache.interval] != DAY:
        return Survey(found, ())
    finer = [BarCache(cache.root, cache.symbol, name) for name in INTRADAY]
    swaps = gaps.swapped(_of_days(bars, days[0], days[-1]), [one.read((days[0], days[-1])) for one in finer])
    told = [swap.told for swap in swaps]
    more = [f"and {len(told) - SHOWN} more days like these"] if len(told) > SHOWN else []
    return Survey(found, (*told[:SHOWN], *more))


def remember(
    cache: BarCache, found: Survey, days: Iterable[dt.date], again: set[dt.date], *, at: dt.datetime
) -> fetch_states.State:  # fmt: skip
    """Advance the state of a series after its bars were written.

    ``days`` were looked at, and ``again`` are those asked for a second time: what they still lack is not to be had.
    """
    state = fetch_states.read(cache, at=at)
    looked = {str(day) for day in days}
    missing = {str(day): count for day, count in gaps.missing_by_day(found.gaps).items()}
    gone = {day: count for day, count in state.gaps.items() if day not in looked} | missing
    confirmed = {day: count for day, count in state.confirmed.items() if day not in looked or gone.get(day) == count}
    confirmed |= {str(day): missing[str(day)] for day in again if str(day) in missing}
    return fetch_states.advance(replace(state, gaps=gone, confirmed=confirmed), cache, at=at)


def notes_of(error: Exception) -> str:
    """Return an error as a run keeps it, in one line; one nobody foresaw with its kind."""
    foreseen = isinstance(error, SenseQuantError) or is_bad_input(error)
    told = str(error) if foreseen else f"{type(error).__name__}: {error}"
    return " ".join(told.split())
