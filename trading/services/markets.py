"""Where bars come from, for engine and backtester alike: files, the broker, a streamed day, or the demo market."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings

from sensequant.lib.errors import BadInput, NotFound, SenseQuantError
from trading.core import demo
from trading.core.bars import INTERVALS, Bars
from trading.core.bars import interval as canonical
from trading.core.calendar import Calendar
from trading.core.errors import Invalid
from trading.core.panel import NOTHING, Floats, LaneBars, LaneSpec, lane, told
from trading.core.rolls import MANY, light
from trading.models.instruments import Instrument
from trading.services import bars as files
from trading.services import calendar as calendars
from trading.services import feeds, news_history, stream_bars, ticks

DEMO = "demo"
STREAM = "stream"
INDEXES = ("NIFTY50", "NIFTY", "NIFTY_50")
FINE_TICK = 0.01
TICK = 0.05


@dataclass(frozen=True, slots=True)
class Wanted:
    """Bars somebody wants: ``source`` is a folder, a broker's feed over one (``feeds.source``), "stream" or "demo".

    "stream" are the bars of live sessions as the desk decided on them. Dates are inclusive.
    """

    source: str
    symbols: tuple[str, ...]
    interval: str
    start: dt.date
    end: dt.date
    sound_rows: bool = False  # go on with the sound rows of a file that has errors

    @property
    def minutes(self) -> int:
        """Return the length of a bar in minutes."""
        return INTERVALS[self.interval]


def want(
    source: str, symbols: Sequence[str], interval: str, start: dt.date, end: dt.date, *, today: dt.date,
    sound_rows: bool = False,
) -> Wanted:  # fmt: skip
    """Return the request, its words checked: BadInput or Invalid names what is wrong with it."""
    if start > end:
        raise BadInput(f"the start {start} lies after the end {end}", fix="swap --start-date and --end-date")
    if start > today:
        raise BadInput(f"the start {start} lies in the future", fix=f"use a date up to {today}")
    names = tuple(dict.fromkeys(symbol.strip().upper() for symbol in symbols if symbol.strip()))
    if not names:
        raise BadInput("no symbol was named", fix="give at least one, e.g. --symbols RELIANCE")
    if source == DEMO:
        for name in names:
            demo.instrument(name)
    return Wanted(source, names, canonical(interval), start, end, sound_rows)


def label(source: str) -> str:
    """Return the word every screen carries for bars of ``source``."""
    return "DEMO" if source == DEMO else ""


def every_symbol(source: str, interval: str, *, at: dt.datetime) -> list[str]:
    """Return the symbols the source has bars of."""
    if source == DEMO:
        return list(demo.INSTRUMENTS)
    if source == STREAM:
        return stream_bars.symbols(interval)
    kind, folder = feeds.split(source)
    if kind and not Path(folder).is_dir():
        return []
    return files.feed(folder, at=at, naive_timezone=settings.DESK.data_feed_naive_timezone).symbols(interval)


def lanes(wanted: Wanted, *, at: dt.datetime) -> list[LaneBars]:
    """Return one lane per wanted symbol, in the order of their names; the order in which a moment's bars are taken."""
    calendar, found, bars = calendars.current(), [], 0
    for symbol in sorted(wanted.symbols):
        one = one_lane(wanted, symbol, calendar, at=at)
        bars += len(one.bars)
        found.append(one if bars <= MANY else light(one, wanted.minutes, calendar=calendar))
    return found


def index(wanted: Wanted, *, at: dt.datetime) -> LaneBars | None:
    """Return the market's index over the wanted days where its bars lie in the same folder; no broker is asked."""
    if wanted.source in (DEMO, STREAM) or feeds.split(wanted.source)[0]:
        return None
    for symbol in INDEXES:
        try:
            return lanes(replace(wanted, symbols=(symbol,), sound_rows=True), at=at)[0]
        except (SenseQuantError, Invalid):
            continue
    return None


def one_lane(wanted: Wanted, symbol: str, calendar: Calendar, *, at: dt.datetime) -> LaneBars:
    """Return the wanted bars of one symbol with their places in the sessions."""
    known = Instrument.objects.filter(symbol=symbol).first()
    if wanted.source == DEMO:
        item = demo.instrument(symbol)
        spec = LaneSpec(symbol, item.tick, 1, item.segment)
        sessions = calendar.sessions(wanted.start, wanted.end, item.segment)
        if not sessions:
            raise NotFound(f"there is no session from {wanted.start} to {wanted.end}", fix="choose other dates")
        bars = demo_bars(symbol, wanted.start, wanted.end, wanted.minutes)
        news = [(ts, score) for ts, score, _ in demo.headlines(symbol, sessions, settings.DESK.demo_seed)]
        return lane(spec, bars, wanted.minutes, calendar=calendar, sentiment=told(bars.ts, wanted.minutes, news))
    segment = known.segment if known else "equity"
    if wanted.source == STREAM:
        bars = _streamed(wanted, symbol)
        spec = LaneSpec(symbol, float(ticks.known(known) or tick_of(bars.close)), known.lot if known else 1, segment)
        return lane(spec, bars, wanted.minutes, calendar=calendar)
    loaded = _loaded(wanted, symbol, segment, at=at)
    if not wanted.sound_rows and (error := loaded.report.first_error) is not None:
        raise BadInput(
            f"{loaded.report.file}: {error.message}",
            fix=f"{error.fix}; or go on with the {loaded.report.accepted:,} sound rows: --sound-rows",
        )
    tick = float(ticks.known(known) or tick_of(loaded.bars.close))
    spec = LaneSpec(symbol, tick, known.lot if known else 1, segment)
    notes = tuple(found.message for found in loaded.report.findings if found.rule in feeds.TOLD)
    told_then = news_history.sentiment(symbol, loaded.bars.ts, wanted.minutes, calendar=calendar, segment=segment)
    return replace(lane(spec, loaded.bars, wanted.minutes, calendar=calendar, sentiment=told_then), notes=notes)


def _streamed(wanted: Wanted, symbol: str) -> Bars:
    """Return the bars a stream brought of a symbol; NotFound, naming what there is, when it brought none."""
    bars = stream_bars.load(symbol, wanted.interval, wanted.start, wanted.end)
    if not len(bars):
        some = ", ".join(stream_bars.symbols(wanted.interval)[:5]) or "nothing"
        raise NotFound(
            f"no {wanted.interval} bar of {symbol} was streamed from {wanted.start} to {wanted.end}",
            fix=f"live and dry-run sessions at the broker leave them; of this interval there is {some}",
        )
    return bars


def _loaded(wanted: Wanted, symbol: str, segment: str, *, at: dt.datetime) -> files.Loaded:
    """Return the bars of a folder or of the broker, with the report on them."""
    if feeds.split(wanted.source)[0]:
        feed = feeds.feed_of(wanted.source, at=at, segment=segment)
        return feed.load(symbol, wanted.interval, wanted.start, wanted.end)
    source = files.feed(wanted.source, at=at, naive_timezone=settings.DESK.data_feed_naive_timezone, segment=segment)
    return files.load_from(source, symbol, wanted.interval, wanted.start, wanted.end)


@lru_cache(maxsize=64)
def demo_bars(symbol: str, start: dt.date, end: dt.date, minutes: int) -> Bars:
    """Return the demo market's bars of a symbol; the same seed gives the same market."""
    sessions = calendars.current().sessions(start, end, demo.instrument(symbol).segment)
    return demo.generate(symbol, sessions, seed=settings.DESK.demo_seed, minutes=minutes)


def tick_of(close: Floats) -> float:
    """Return the tick prices look to be on: 5 paise when all are, else 1 paisa."""
    some = close[:: max(1, close.size // 5000)]
    steps = np.rint(some / TICK)
    return TICK if bool(np.all(np.abs(some - steps * TICK) < 1e-6)) else FINE_TICK


__all__ = ["DEMO", "NOTHING", "STREAM", "Wanted", "every_symbol", "label", "lanes", "want"]
