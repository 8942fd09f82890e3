"""What a batch is asked for, checked and completed, and the windows that follow from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db.models import Max

from models_ml.core import windows
from models_ml.core.windows import Plan, Window
from models_ml.models import TeacherRun
from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput, NotFound, SenseQuantError, is_bad_input
from sensequant.lib.fan_out import digest_of
from trading.core.bars import interval as canonical
from trading.core.panel import LaneBars
from trading.services import calendar as calendars
from trading.services import markets, runs

EARLIEST: Final = dt.date(2000, 1, 1)
WINDOW_DAYS: Final = 90
LONGEST_WINDOW: Final = 3_650


@dataclass(frozen=True, slots=True)
class TeacherAsked:
    """A batch of teachers: which bars of which symbols, in windows of how many days, and how each is trained.

    Dates are None where the batch takes what there is. ``options`` are the training's own.
    """

    symbols: tuple[str, ...]
    source: str
    interval: str
    start: dt.date | None
    end: dt.date | None
    window_days: int = WINDOW_DAYS
    incremental: bool = False
    sound_rows: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return plain data; ``teacher_asked`` reads it."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        days = {name: str(told[name]) if told[name] else None for name in ("start", "end")}
        return {**told, **days, "symbols": list(self.symbols), "options": dict(self.options)}

    @property
    def digest(self) -> str:
        """Return what tells this batch from one that asks for something else."""
        return digest_of(self.as_json())


@dataclass(frozen=True, slots=True)
class StudentAsked:
    """A batch of students of one teacher batch; a student must reach the baselines to be recommended."""

    teacher_batch: str
    model_type: str
    baseline_precision: float
    baseline_recall: float
    incremental: bool = False
    promotion: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return plain data; ``StudentAsked(**…)`` reads it."""
        return {**asdict(self), "options": dict(self.options)}

    @property
    def digest(self) -> str:
        """Return what tells this batch from one that asks for something else."""
        return digest_of(self.as_json())


class Planned(NamedTuple):
    """The windows of a whole batch, those too short to train on, and by symbol why it has none."""

    windows: tuple[Window, ...]
    left_over: tuple[Window, ...]
    without: Mapping[str, str]


def teacher_asked(told: Mapping[str, Any]) -> TeacherAsked:
    """Return what ``as_json`` told."""
    days = {name: dt.date.fromisoformat(told[name]) if told[name] else None for name in ("start", "end")}
    return TeacherAsked(**{**told, **days, "symbols": tuple(told["symbols"])})


def ask_teachers(  # noqa: PLR0913 - the doors give them one by one
    *, symbols: Sequence[str] = (), source: str = "", directory: str = "", interval: str = "5minute",
    start: dt.date | None = None, end: dt.date | None = None, window_days: int = WINDOW_DAYS,
    incremental: bool = False, sound_rows: bool = False, options: Mapping[str, Any] | None = None, at: dt.datetime,
) -> TeacherAsked:  # fmt: skip
    """Return what is asked, its words checked; BadInput, NotFound or Invalid names what cannot be.

    Without symbols those of the setting SYMBOLS are meant. ``source`` is a kind of ``runs.source_of``; empty: files.
    """
    if not windows.SHORTEST <= window_days <= LONGEST_WINDOW:
        told = f"give {windows.SHORTEST} to {LONGEST_WINDOW}"
        raise BadInput(f"--window-days {window_days} cannot be used", fix=told)
    if incremental and (start or end):
        raise BadInput("--incremental finds its days by itself", fix="leave --start-date and --end-date out")
    place = runs.source_of(source or "csv", directory)
    today = ist(at).date()
    names = [name for name in symbols if name.strip()] or list(settings.DESK.symbols)
    wanted = markets.want(place, names, interval, start or min(EARLIEST, today), end or today, today=today)
    return TeacherAsked(
        wanted.symbols, place, canonical(interval), start, end, window_days, incremental, sound_rows,
        dict(options or {}),
    )  # fmt: skip


def plan(asked: TeacherAsked, *, at: dt.datetime) -> Planned:
    """Return the windows of a batch, symbol by symbol; one without bars is told of and stops no other.

    BadInput when no symbol has a window, naming the first reason; an update without anything new plans nothing.
    """
    found: list[Window] = []
    left: list[Window] = []
    without: dict[str, str] = {}
    for symbol in asked.symbols:
        try:
            one = _of_symbol(asked, symbol, at=at)
        except (SenseQuantError, ValueError) as error:
            if not is_bad_input(error):
                raise
            without[symbol] = str(error)
            continue
        found += one.windows
        left += one.left_over
    if without and not found and not left:
        raise BadInput(next(iter(without.values())), fix="no other symbol has a window either")
    return Planned(tuple(found), tuple(left), without)


def _of_symbol(asked: TeacherAsked, symbol: str, *, at: dt.datetime) -> Plan:
    if asked.incremental:
        return _update(asked, symbol, at=at)
    start, end = asked.start, asked.end
    if start is None or end is None:
        first, last = days_of(asked, symbol, start or EARLIEST, end or ist(at).date(), at=at)
        start, end = start or first, end or last
    return windows.tiled(symbol, start, end, asked.window_days)


def _update(asked: TeacherAsked, symbol: str, *, at: dt.datetime) -> Plan:
    """Return the windows with days that nothing was trained on; the first time, those of the lookback."""
    today = ist(at).date()
    trained = trained_until(symbol, asked.interval)
    back = dt.timedelta(days=max(asked.window_days, settings.DESK.incremental_lookback_days))
    since = today - back if trained is None else min(trained - back, today)
    try:
        first, newest = days_of(asked, symbol, since, today, at=at)
    except NotFound:
        if trained is None:
            raise
        return Plan((), ())
    return windows.trailing(symbol, newest, trained, asked.window_days, first=first)


def trained_until(symbol: str, interval: str) -> dt.date | None:
    """Return the last day any teacher of a symbol was trained on, on bars of ``interval``; None before the first."""
    mine = TeacherRun.objects.filter(symbol=symbol, status="success", spec__interval=interval)
    found: dt.date | None = mine.aggregate(last=Max("end"))["last"]
    return found


def days_of(
    asked: TeacherAsked, symbol: str, start: dt.date, end: dt.date, *, at: dt.datetime
) -> tuple[dt.date, dt.date]:
    """Return the first and last day, between two days, that a symbol has bars of; NotFound when there is none."""
    wanted = markets.Wanted(asked.source, (symbol,), asked.interval, start, end, asked.sound_rows)
    lane: LaneBars = markets.one_lane(wanted, symbol, calendars.current(), at=at)
    ts = lane.bars.ts
    if not len(ts):
        raise NotFound(f"{symbol} has no {asked.interval} bars from {start} to {end}", fix="choose other dates")
    first, last = (ist(dt.datetime.fromtimestamp(int(ts[k]), dt.UTC)).date() for k in (0, -1))
    return first, last
