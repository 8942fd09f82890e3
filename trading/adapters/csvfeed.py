"""The feed ``csv``: validated bars of a symbol from a folder of CSV files, through the columnar store."""

from __future__ import annotations

import datetime as dt
import zlib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from sensequant.lib.errors import BadInput, NotFound, Unavailable
from trading.adapters import barfiles, csvbars
from trading.adapters.columns import ColumnStore, Entry, Source
from trading.core.bar_checks import Checked, check
from trading.core.bar_report import FileReport, Finding, Removed, Severity, restore
from trading.core.bar_rows import Setting, join
from trading.core.bars import DAY, INTERVALS, Bars, interval, resample
from trading.core.calendar import IST, NSE, Calendar

RULES_VERSION: Final = 1  # raise it when a rule changes, so that stored series are judged again
PROBES: Final = (9 * 60 + 15, 12 * 60, 18 * 60 + 30)
DAY_SECONDS: Final = 86_400
EPOCH: Final = 719_163
Moment = dt.date | dt.datetime


@dataclass(frozen=True, slots=True)
class Series:
    """All sound bars of one symbol and interval, with the report, the files, and whether they were parsed just now.

    ``made_from`` is the finer series as it was read, when the bars were resampled.
    """

    bars: Bars
    report: FileReport
    sources: tuple[Source, ...]
    parsed: bool
    key: str = ""
    made_from: Series | None = None


@dataclass(frozen=True)
class CsvFeed:
    """Bars from the folder ``directory``.

    ``at`` is the present moment (aware): bars after it are set aside. Without ``store`` every call parses the files.
    """

    directory: Path
    at: dt.datetime
    naive_timezone: str = "Asia/Kolkata"
    calendar: Calendar = NSE
    segment: str = "equity"
    store: ColumnStore | None = field(default=None)

    def symbols(self, interval_name: str) -> list[str]:
        """Return the symbols with files of the interval, sorted."""
        return barfiles.symbols(self.directory, interval(interval_name))

    def sources(self, symbol: str, interval_name: str) -> list[Path]:
        """Return the files of the series in reading order; NotFound, naming near matches, when there is none."""
        name, unit = barfiles.clean_symbol(symbol), interval(interval_name)
        paths = barfiles.find(self.directory, name, unit)
        if not paths:
            raise barfiles.unknown(self.directory, name, unit)
        return paths

    def get_historical_bars(
        self, symbol: str, from_date: Moment | None, to_date: Moment | None, interval: str = "1minute"
    ) -> Bars:
        """Return the bars from ``from_date`` to ``to_date``, both included (a date, or midnight, is the whole day).

        Naive moments are IST. BadInput when the range is empty or the files cannot be used across it, NotFound when
        they hold no bar of it.
        """
        series = self.series(symbol, interval)
        return within(series, from_date, to_date)

    def series(self, symbol: str, interval_name: str) -> Series:
        """Return the whole series, resampled from a finer one when only that exists; see ``report.derived``."""
        name, unit = barfiles.clean_symbol(symbol), interval(interval_name)
        paths = barfiles.find(self.directory, name, unit)
        if paths:
            return self._read(name, unit, paths)
        finer = [each for each in INTERVALS if _divides(INTERVALS[each], INTERVALS[unit])]
        for other in reversed(finer):
            if paths := barfiles.find(self.directory, name, other):
                return self._resampled(self._read(name, other, paths), unit)
        raise barfiles.unknown(self.directory, name, unit)

    def _resampled(self, series: Series, unit: str) -> Series:
        """Return ``series`` in a coarser interval counted from each session's open, with a note that says so."""
        columns = self.calendar.session_columns(series.bars.ts, 1, self.segment)
        opens = series.bars.ts - series.bars.ts % 60 - columns.minute.astype(np.int64) * 60
        bars = resample(series.bars, INTERVALS[unit], opens=opens)
        made = f"{len(bars)} {unit} bars were made from {len(series.bars)} {series.report.interval} bars"
        note = Finding("derived", Severity.WARN, len(bars), made, f"add a file of {unit} bars if you have one")
        report = replace(series.report, derived=series.report.interval, interval=unit, kept=len(bars))
        return replace(series, bars=bars, report=report.with_findings([note]), made_from=series)

    def _read(self, symbol: str, unit: str, paths: list[Path]) -> Series:
        """Return the series from the store when it is fresh there, from the files otherwise."""
        if self.store is None:
            checked = self._check(symbol, unit, paths)
            return Series(
                checked.bars, checked.report, tuple(Source.of(path, hashed=True) for path in paths), parsed=True
            )
        key = self._key(symbol, unit, paths)
        entry = self.store.load(key, [Source.of(path) for path in paths])
        if entry is not None and self._valid(entry):
            return Series(entry.bars, restore(entry.notes["report"]), entry.sources, parsed=False, key=key)
        return self._parse_and_keep(self.store, key, symbol, unit, paths)

    def _parse_and_keep(self, store: ColumnStore, key: str, symbol: str, unit: str, paths: list[Path]) -> Series:
        # The files' state is taken before they are read: a file that changes meanwhile is parsed again next time.
        sources = tuple(Source.of(path, hashed=True) for path in paths)
        checked = self._check(symbol, unit, paths)
        series = Series(checked.bars, checked.report, sources, parsed=True, key=key)
        try:
            removed = [asdict(row) for row in checked.report.removed]
            store.save(key, checked.bars, sources, self._notes(checked), removed)
            kept = store.load(key, sources)  # as it lies in its files now: mapped, no longer memory of this process
            series = series if kept is None else replace(series, bars=kept.bars)
        except Unavailable as error:
            note = Finding("not_cached", Severity.WARN, 1, error.message, error.fix)
            return replace(series, report=series.report.with_findings([note]))
        return series

    def _check(self, symbol: str, unit: str, paths: list[Path]) -> Checked:
        rows = join(
            [csvbars.read(path, daily=INTERVALS[unit] == DAY, naive_timezone=self.naive_timezone) for path in paths]
        )
        name = str(paths[0]) if len(paths) == 1 else str(paths[0].parent)
        setting = Setting(unit, INTERVALS[unit], self.calendar, self.segment, int(self.at.timestamp()))
        checked = check(rows, setting, file=name, symbol=symbol)
        return Checked(checked.bars, csvbars.with_text(checked.report))

    def _key(self, symbol: str, unit: str, paths: list[Path]) -> str:
        """Return the series' place in the store: its folder's when it has one, whichever files come and go in it."""
        own = [path.parent if path.parent.parent.name == symbol else path for path in paths]
        parts: dict[str, Any] = {
            "paths": sorted({str(path.resolve()) for path in own}), "interval": unit, "zone": self.naive_timezone,
            "segment": self.segment, "rules": RULES_VERSION,
        }  # fmt: skip
        assert self.store is not None  # noqa: S101 - the callers have asked
        return self.store.key(f"{symbol}_{unit}", parts)

    def _notes(self, checked: Checked) -> dict[str, Any]:
        """Return what decides later whether the stored verdict still holds."""
        ends = [int(checked.bars.ts[0]), int(checked.bars.ts[-1])] if len(checked.bars) else []
        judged_early = any(found.rule in {"future", "missing_bars"} for found in checked.report.findings)
        return {
            "report": checked.report.dump(), "ends": ends, "calendar": self._calendar_mark(ends),
            "judged_at": int(self.at.timestamp()) if judged_early else None,
        }  # fmt: skip

    def _valid(self, entry: Entry) -> bool:
        """Say whether the same rules would give the same verdict now: same calendar, no future bar come of age."""
        notes = entry.notes
        future = notes["judged_at"] is not None and self._came_of_age(notes)
        return not future and notes["calendar"] == self._calendar_mark(notes["ends"])

    def _came_of_age(self, notes: dict[str, Any]) -> bool:
        findings = restore(notes["report"]).findings
        on_last_day = bool(notes["ends"]) and notes["judged_at"] - notes["ends"][1] < DAY_SECONDS
        return int(self.at.timestamp()) > notes["judged_at"] and (
            on_last_day or any(found.rule == "future" for found in findings)
        )

    def _calendar_mark(self, ends: list[int]) -> int:
        """Return a checksum of the sessions between two instants, so that a changed calendar is noticed."""
        if not ends:
            return 0
        known = (self.calendar.known_from.toordinal(), self.calendar.known_until.toordinal())
        first, last = (int((end + 19_800) // DAY_SECONDS) + EPOCH for end in ends)
        days = np.arange(max(first, known[0]), min(last, known[1]) + 1, dtype=np.int64)
        midnight = (days - EPOCH) * DAY_SECONDS - 19_800
        mark = zlib.crc32(str(known).encode())
        for minute in PROBES:
            found = self.calendar.session_columns(midnight + 60 * minute, 1, self.segment)
            for column in (found.minute, found.left, found.inside):
                mark = zlib.crc32(np.ascontiguousarray(column).tobytes(), mark)
        return mark


def _divides(finer: int, coarser: int) -> bool:
    return finer < coarser and coarser % finer == 0


def bounds(from_date: Moment | None, to_date: Moment | None) -> tuple[int, int]:
    """Return ``[start, end)`` in seconds UTC; BadInput when nothing lies between."""
    start = -(1 << 62) if from_date is None else int(_moment(from_date).timestamp())
    end = 1 << 62
    if to_date is not None:
        last = _moment(to_date)
        whole_day = last.time() == dt.time()
        end = int((last + dt.timedelta(days=1) if whole_day else last + dt.timedelta(seconds=1)).timestamp())
    if start >= end:
        raise BadInput(f"the range {from_date} to {to_date} is empty", fix="give a start that is not after the end")
    return start, end


def _moment(value: Moment) -> dt.datetime:
    if not isinstance(value, dt.datetime):
        return dt.datetime(value.year, value.month, value.day, tzinfo=IST)
    return value.replace(tzinfo=IST) if value.tzinfo is None else value.astimezone(IST)


def within(series: Series, from_date: Moment | None, to_date: Moment | None) -> Bars:
    """Return the bars of the range, or raise as ``CsvFeed.get_historical_bars`` says."""
    start, end = bounds(from_date, to_date)
    report = series.report
    bars = series.bars.between(start, end)
    objection = report.objection(start, end) or (None if len(series.bars) else report.first_error)
    if objection is not None:
        raise BadInput(f"{report.file}: {objection.message}", fix=objection.fix, rule=objection.rule)
    if not len(bars):
        raise NotFound(
            f"no {report.interval} bar of {report.symbol} between {from_date} and {to_date}",
            fix=f"{report.file} covers {report.first} to {report.last}",
        )
    return bars


def removed_rows(series: Series, store: ColumnStore | None) -> list[Removed]:
    """Return the rows set aside when the series was parsed, from the store if need be."""
    if series.parsed or store is None:
        return list(series.report.removed)
    return [Removed(**row) for row in store.removed(series.key)]
