"""The cache of fetched bars: CSV files with the document's names, a ``metadata.json`` beside them, whole or not at all.

    {root}/{SYMBOL}/{interval}/2024-01-15.csv
                               2024-01-01_to_2024-01-31.csv
                               2024-01_to_2024-03.csv
                               metadata.json

The files of a series never overlap: what is fetched again is merged into the file that holds it, the newest fetch
winning bar by bar. A file appears under its name when it is durably on the disk, and what it replaces goes afterwards;
a crash in between leaves two files that say the same, and the next writer tidies up. ``date_range`` in the metadata is
what was asked for and answered, sessions without a bar included.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from sensequant.lib import storage
from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, SenseQuantError
from sensequant.lib.logs import get_logger
from trading.adapters import barfiles, cachefiles, csvbars
from trading.adapters.cachefiles import METADATA
from trading.core.bars import DAY, INTERVALS, IST_OFFSET, Bars, empty, interval
from trading.core.chunks import day_of

FETCHED: Final = "breeze_api"
FOUND: Final = "csv_file"
"""Source of a file somebody else put into the folder, and of one whose metadata was lost."""
Days = tuple[dt.date, dt.date]
log = get_logger("BarCache")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file as ``metadata.json`` describes it; ``start`` and ``end`` are bar starts, ``fetched_at`` naive IST."""

    date_range: str
    rows: int
    start: str
    end: str
    fetched_at: str
    source: str

    @property
    def days(self) -> Days:
        """Return the first and the last day of the range; ValueError when it cannot be read."""
        first, _, last = self.date_range.partition(" to ")
        return dt.date.fromisoformat(first), dt.date.fromisoformat(last)


@dataclass(frozen=True, slots=True)
class Written:
    """What a writing left: the file, the bars in it, and the files merged into it."""

    path: Path
    rows: int
    merged: tuple[str, ...]


class BarCache:
    """One series of the cache under ``root``; writers of several processes take turns.

    Naive times in files that others put there are read in ``naive_timezone``; what the cache writes carries +05:30.
    """

    def __init__(
        self, root: Path, symbol: str, interval_name: str, *, compress: bool = False,
        naive_timezone: str = "Asia/Kolkata",
    ) -> None:  # fmt: skip
        """Name the series; its folder is made by the first writing."""
        self.root, self.symbol, self.interval = root, barfiles.clean_symbol(symbol), interval(interval_name)
        self.folder = root / self.symbol / self.interval
        self.ending = ".csv.gz" if compress else ".csv"
        self.naive_timezone = naive_timezone
        self.daily = INTERVALS[self.interval] == DAY

    def entries(self) -> dict[str, Entry]:
        """Return what the metadata says of each file that is there; from the files where it does not."""
        return self._entries()[0]

    def claims(self) -> list[Days]:
        """Return the stretches of days that were asked for and answered, oldest first."""
        return sorted(entry.days for entry in self.entries().values())

    def read(self, days: Days | None = None) -> Bars:
        """Return the sound bars, oldest first, of the files that hold any of ``days`` (None: of all files).

        Where files overlap, the newest fetch wins.
        """
        entries = self.entries()
        wanted = [name for name, entry in entries.items() if days is None or _meet(entry.days, days)]
        return merge([self._bars(name) for name in _by_age(entries, wanted)])

    def write(self, bars: Bars, first: dt.date, last: dt.date, *, at: dt.datetime, source: str = FETCHED) -> Written:
        """Keep ``bars`` as the answer for the days from ``first`` to ``last``; they are on the disk when this returns.

        BadInput, naming the folder, when it cannot be written; what was stored is then as it was.
        """
        with self._writing():
            entries = self._tidied()
            return self._put(bars, self._entry(bars, (first, last), at, source), entries)

    def tidy(self) -> None:
        """Mend what a crash or a strange hand left: half files, overlapping files, lost metadata."""
        if self.folder.is_dir():
            with self._writing():
                self._tidied()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with cachefiles.locked(self.folder):
                yield
                storage.push(self.folder)
        except OSError as error:
            raise BadInput(
                f"bars cannot be kept in {self.folder}: {error.strerror or error}",
                fix="free some space, or set DATA_FEED_CSV_DIRECTORY to a folder you may write to",
            ) from None

    def _tidied(self) -> dict[str, Entry]:
        """Return the entries after leftovers are gone and overlapping files are one; the folder is locked."""
        cachefiles.sweep(self.folder)
        entries, sound = self._entries()
        while pair := _overlapping(entries):
            log.warning("overlapping cache files are merged", folder=str(self.folder), files=list(pair))
            self._put(empty(), entries[pair[1]], entries)
            entries, sound = self._entries()
        if entries and not sound:
            self._save(entries)
        return entries

    def _put(self, bars: Bars, entry: Entry, entries: dict[str, Entry]) -> Written:
        """Write the bars merged over every file they overlap, then the metadata, then remove those files."""
        touched = [name for name, known in entries.items() if _meet(known.days, entry.days)]
        stretch = [entry.days, *(entries[name].days for name in touched)]
        whole = (min(first for first, _ in stretch), max(last for _, last in stretch))
        merged = merge([*(self._bars(name, aside=True) for name in _by_age(entries, touched)), bars])
        name = file_name(*whole) + self.ending
        cachefiles.put(self.folder / name, _text(merged), packed=self.ending.endswith(".gz"))
        moment = dt.datetime.fromisoformat(entry.fetched_at)
        kept = {key: value for key, value in entries.items() if key not in touched}
        self._save({**kept, name: self._entry(merged, whole, moment, entry.source)})
        for each in touched:
            if each != name:
                (self.folder / each).unlink(missing_ok=True)
        cachefiles.settle(self.folder)
        return Written(self.folder / name, len(merged), tuple(touched))

    def _entries(self) -> tuple[dict[str, Entry], bool]:
        """Return the entries, and whether the metadata has them so already."""
        names = cachefiles.names(self.folder)
        known = self._metadata() if names else {}
        entries = {name: known[name] for name in names if name in known}
        for name in names:
            if name not in entries and (made := self._from_file(name)):
                entries[name] = made
        return entries, entries == known

    def _metadata(self) -> dict[str, Entry]:
        """Return what ``metadata.json`` says; nothing, with a warning, when it cannot be believed."""
        path = self.folder / METADATA
        try:
            told = json.loads(path.read_text("utf-8"))
            if (told["symbol"], told["interval"]) != (self.symbol, self.interval):
                raise ValueError(f"it is about {told['symbol']} {told['interval']}")
            entries = {str(name): Entry(**each) for name, each in told["files"].items()}
            for each in entries.values():
                _check(each)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("cache metadata made anew from the files", file=str(path), why=str(error))
            return {}
        return entries

    def _from_file(self, name: str) -> Entry | None:
        """Return the entry of a file nobody described; None, with a warning, for one that holds no bar."""
        bars = self._bars(name)
        if not len(bars):
            return None
        days = (day_of(int(bars.ts[0])), day_of(int(bars.ts[-1])))
        moment = dt.datetime.fromtimestamp((self.folder / name).stat().st_mtime, IST)
        return self._entry(bars, _wider(days, told_days(name)), moment, FOUND)

    def _entry(self, bars: Bars, days: Days, at: dt.datetime, source: str) -> Entry:
        moment = at if at.tzinfo is None else at.astimezone(IST).replace(tzinfo=None)
        ends = [_stamp(int(bars.ts[edge])) for edge in (0, -1)] if len(bars) else ["", ""]
        return Entry(
            f"{days[0]} to {days[1]}", len(bars), ends[0], ends[1], moment.isoformat(timespec="seconds"), source
        )

    def _save(self, entries: dict[str, Entry]) -> None:
        files = {name: asdict(entries[name]) for name in sorted(entries)}
        told: dict[str, Any] = {"symbol": self.symbol, "interval": self.interval, "files": files}
        cachefiles.put(self.folder / METADATA, json.dumps(told, indent=2) + "\n")

    def _bars(self, name: str, *, aside: bool = False) -> Bars:
        """Return the sound rows of a file in order; nothing, with a warning, when it is no file of bars.

        Such a file is renamed when it is to be set ``aside``: what cannot be read is never deleted.
        """
        path = self.folder / name
        try:
            rows = csvbars.read(path, daily=self.daily, naive_timezone=self.naive_timezone)
        except SenseQuantError as error:
            log.warning("unreadable cache file left out", file=str(path), why=error.message)
            if aside:
                path.rename(path.with_name(f"{name}.unreadable"))
            return empty()
        if rows.broken.any():
            log.warning("unreadable rows left out", file=str(path), rows=int(rows.broken.sum()))
        good = ~rows.broken
        ts = rows.ts[good]
        if self.daily:
            ts = ts - (ts + IST_OFFSET) % 86_400
        columns = (rows.open, rows.high, rows.low, rows.close, rows.volume)
        return merge([Bars(ts, *(column[good] for column in columns))])


def merge(parts: list[Bars]) -> Bars:
    """Return the bars of all parts in order of time; of bars that start together the last one given stays."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return empty()
    columns = [np.concatenate(each) for each in zip(*(part.columns() for part in parts), strict=True)]
    order = np.argsort(columns[0], kind="stable")
    ts = columns[0][order]
    last = order[np.append(ts[1:] != ts[:-1], True)]
    return Bars(*(column[last] for column in columns))


def file_name(first: dt.date, last: dt.date) -> str:
    """Return the document's name, without its ending, for the bars of a stretch of days."""
    if first == last:
        return f"{first}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first}_to_{last}"
    return f"{first:%Y-%m}_to_{last:%Y-%m}"


def told_days(name: str) -> Days | None:
    """Return the days a file's name tells, None when it tells none; months alone do not tell days."""
    first, _, last = name.split(".", 1)[0].partition("_to_")
    with suppress(ValueError):
        return dt.date.fromisoformat(first), dt.date.fromisoformat(last or first)
    return None


def _wider(days: Days, other: Days | None) -> Days:
    return days if other is None else (min(days[0], other[0]), max(days[1], other[1]))


def _check(entry: Entry) -> None:
    """Raise ValueError or TypeError when an entry says what cannot be."""
    first, last = entry.days
    dt.datetime.fromisoformat(entry.fetched_at)
    if first > last or entry.rows < 0:
        raise ValueError(f"an impossible entry: {entry.date_range}, {entry.rows} rows")


def _meet(one: Days, other: Days) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _by_age(entries: dict[str, Entry], names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (entries[name].fetched_at, name))


def _overlapping(entries: dict[str, Entry]) -> tuple[str, str] | None:
    """Return the names of two files with a day in common, the older fetch first; None when there are none."""
    ordered = sorted(entries, key=lambda name: entries[name].days)
    for at, name in enumerate(ordered[1:]):
        before = ordered[at]
        if _meet(entries[before].days, entries[name].days):
            older, newer = _by_age(entries, [before, name])
            return older, newer
    return None


def _stamp(ts: int) -> str:
    return dt.datetime.fromtimestamp(ts, IST).isoformat()


def _text(bars: Bars) -> str:
    """Return the bars as CSV whose numbers read back to the last bit; an unknown volume is empty."""
    wall = np.datetime_as_string((bars.ts + IST_OFFSET).astype("datetime64[s]"))
    prices = [[repr(value) for value in column.tolist()] for column in bars.columns()[1:5]]
    volumes = [_whole(value) for value in bars.volume.tolist()]
    stamps = [f"{text[:10]} {text[11:]}+05:30" for text in wall.tolist()]
    lines = map(",".join, zip(stamps, *prices, volumes, strict=True))
    return "\n".join(["timestamp,open,high,low,close,volume", *lines]) + "\n"


def _whole(value: float) -> str:
    if value != value:
        return ""
    return str(int(value)) if value.is_integer() else repr(value)
