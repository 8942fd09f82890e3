"""Recorded bars for a simulated market: of a folder of files, or of the demo market."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings
from django.db import DatabaseError

from sensequant.lib.errors import BadInput, NotFound, Unavailable
from trading.adapters import barfiles
from trading.adapters.csvfeed import CsvFeed, within
from trading.core import demo
from trading.core.bars import INTERVALS, Bars, ordinals, resample
from trading.core.calendar import IST, NSE, Calendar
from trading.core.panel import LaneSpec
from trading.core.ticksize import tick_for
from trading.models.instruments import Instrument
from trading.services import bars as bar_files
from trading.services import calendar as calendars
from trading.services import markets

GRID = 1e-6
LOOK_BACK = dt.timedelta(days=14)  # of the demo market's minutes, made at the start; older ones when asked for


@dataclass(frozen=True, slots=True)
class Asked:
    """Which recording: a folder (empty: the demo market), symbols (none: all), interval (empty: the finest)."""

    folder: str = ""
    symbols: tuple[str, ...] = ()
    interval: str = ""
    date: dt.date | None = None
    days: int = 1
    sound_rows: bool = False


@dataclass(frozen=True)
class Recording:
    """The bars of every symbol, the days to play, and what makes older bars (symbol, minutes, first and last day)."""

    specs: Sequence[LaneSpec]
    bars: Mapping[str, Bars]
    minutes: int
    dates: Sequence[dt.date]
    older: Callable[[str, int, dt.date, dt.date], Bars] | None = None


def load(asked: Asked, *, at: dt.datetime) -> Recording:
    """Return the recording; BadInput, NotFound or Invalid names what is wrong with what was asked for."""
    if asked.folder and not Path(asked.folder).is_dir():
        raise BadInput(f"--csv {asked.folder} is no folder", fix="name a folder of bar files")
    return _of_files(asked, at) if asked.folder else _of_demo(asked, at)


def _of_files(asked: Asked, at: dt.datetime) -> Recording:
    unit = asked.interval or _finest(asked)
    wanted = asked.symbols or tuple(barfiles.symbols(Path(asked.folder), unit))
    names = dict.fromkeys(name.strip().upper() for name in wanted if name.strip())
    if not names:
        raise NotFound(f"{asked.folder} has no {unit} bars", fix="name another --csv folder or --interval")
    calendar, known = calendar_in_force(), _instruments()
    segments = {name: known[name].segment if name in known else "equity" for name in names}
    bars = {name: _read(asked, name, unit, at, calendar, segments[name]) for name in names}
    dates = _dates(bars, asked, calendar)
    specs = [
        LaneSpec(
            name,
            float(known[name].tick) if name in known else tick_on(bars[name], dates[0], calendar),
            known[name].lot if name in known else 1,
            segments[name],
        )
        for name in names
    ]
    return Recording(specs, bars, INTERVALS[unit], dates)


def tick_on(bars: Bars, on: dt.date, calendar: Calendar) -> float:
    """Return the price step on a day: the exchange's own for the close it looks at, a finer one if the prices need it.

    Where the close of the month before was not recorded, the last close before the day, or the first one, stands in.
    """
    review = ordinals(bars.ts) <= calendar.previous_session(on.replace(day=1)).toordinal()
    before = ordinals(bars.ts) < on.toordinal()
    places = np.flatnonzero(review if review.any() else before)
    close = float(bars.close[places[-1]]) if places.size else float(bars.close[0])
    rule = float(tick_for(Decimal(str(round(close, 4))), on))
    steps = bars.close[:: max(1, len(bars) // 5000)] / rule
    return rule if bool(np.all(np.abs(steps - np.rint(steps)) < GRID)) else min(rule, markets.tick_of(bars.close))


def calendar_in_force() -> Calendar:
    """Return the calendar with its recorded overrides, or as shipped when there is no database."""
    try:
        return calendars.current()
    except Unavailable:
        return NSE


def _instruments() -> dict[str, Instrument]:
    """Return what is recorded of instruments; nothing when there is no database."""
    try:
        return {row.symbol: row for row in Instrument.objects.all()}
    except DatabaseError:
        return {}


def _read(asked: Asked, name: str, unit: str, at: dt.datetime, calendar: Calendar, segment: str) -> Bars:
    """Return all bars of a symbol; nothing is recorded of the files, for they are not the desk's."""
    zone = settings.DESK.data_feed_naive_timezone
    source = CsvFeed(Path(asked.folder), at, zone, calendar, segment, bar_files.store())
    report = (series := source.series(name, unit)).report
    if not asked.sound_rows and (error := report.first_error) is not None:
        fix = f"{error.fix}; or go on with the {report.accepted:,} sound rows: --sound-rows"
        raise BadInput(f"{report.file}: {error.message}", fix=fix)
    return within(series, None, None)


def _finest(asked: Asked) -> str:
    """Return the finest interval that all wanted symbols have files of."""
    for unit in INTERVALS:
        there = set(barfiles.symbols(Path(asked.folder), unit))
        if there and {name.upper() for name in asked.symbols} <= there:
            return unit
    return "1minute"


def _dates(bars: Mapping[str, Bars], asked: Asked, calendar: Calendar) -> list[dt.date]:
    """Return the days to play: trading days on which something was recorded."""
    days = np.unique(np.concatenate([ordinals(each.ts) for each in bars.values()]))
    found = [day for day in map(dt.date.fromordinal, days.tolist()) if calendar.is_session(day)]
    if not found:
        raise NotFound(f"{asked.folder} has no bars of a trading day")
    if asked.date is not None and asked.date not in found:
        near = [day for day in found if day >= asked.date] or found
        raise NotFound(f"there are no bars of {asked.date}", fix=f"{near[0]} is the next day with bars")
    start = found.index(asked.date) if asked.date else 0
    return found[start : start + asked.days]


def _of_demo(asked: Asked, at: dt.datetime) -> Recording:
    """Return the demo market from some days before the first day on; it begins on the last session before today."""
    calendar = calendar_in_force()
    today = at.astimezone(IST).date()
    names = tuple(name.upper() for name in asked.symbols) or tuple(demo.INSTRUMENTS)
    items = [demo.instrument(name) for name in names]
    unit = asked.interval or "1minute"
    first = asked.date or calendar.previous_session(today)
    if not calendar.is_session(first):
        raise NotFound(f"the exchange is closed on {first}", fix=f"use {calendar.next_session(first)}")
    dates = [first]
    while len(dates) < asked.days:
        dates.append(calendar.next_session(dates[-1]))
    bars = {
        item.symbol: demo.generate(
            item.symbol, calendar.sessions(first - LOOK_BACK, dates[-1], item.segment), seed=settings.DESK.demo_seed,
            minutes=INTERVALS[unit],
        )
        for item in items
    }  # fmt: skip
    specs = [LaneSpec(item.symbol, item.tick, 1, item.segment) for item in items]
    return Recording(specs, bars, INTERVALS[unit], dates, _older(calendar))


def _older(calendar: Calendar) -> Callable[[str, int, dt.date, dt.date], Bars]:
    """Return what makes the demo market's bars of earlier days, without asking the database."""
    seed = settings.DESK.demo_seed

    @lru_cache(maxsize=256)
    def older(symbol: str, minutes: int, first: dt.date, last: dt.date) -> Bars:
        start = max(first, calendar.known_from + dt.timedelta(days=1))
        sessions = calendar.sessions(start, last, demo.instrument(symbol).segment) if start <= last else []
        if minutes in INTERVALS.values():
            return demo.generate(symbol, sessions, seed=seed, minutes=minutes)
        return resample(demo.generate(symbol, sessions, seed=seed, minutes=1), minutes)

    return older
