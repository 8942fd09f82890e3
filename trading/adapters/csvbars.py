"""Bars from CSV files: any vendor's column names, gzip or not, with every row accounted for."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

import numpy as np
import numpy.typing as npt

from sensequant.lib import unpacking
from sensequant.lib.errors import BadInput, NotFound
from trading.adapters import stamps
from trading.core.bar_report import FileReport, Removed
from trading.core.bar_rows import UNREADABLE, Mask, Rows
from trading.core.bars import Floats, Ints
from trading.core.zones import to_utc

ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "timestamp": ("timestamp", "time", "datetime", "date", "date time"),
    "open": ("open", "o", "open price"),
    "high": ("high", "h", "high price"),
    "low": ("low", "l", "low price"),
    "close": ("close", "c", "close price"),
    "volume": ("volume", "v", "vol", "total traded quantity"),
}
NAMES: Final[dict[str, tuple[str, ...]]] = {"symbol": ("symbol", "ticker"), "series": ("series",)}
PRICES: Final = ("open", "high", "low", "close")
UNKNOWN: Final = frozenset({"", "-", "na", "n/a", "nan", "null", "none"})
CHUNK: Final = 2048  # rows in work at a time: they stay in the processor's cache
LONGEST_LINE: Final = 4096
KEPT_TEXT: Final = 500
DAILY: Final = "1day"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a file keeps each column: name -> position."""

    columns: dict[str, int]
    names: dict[str, int]
    width: int


def read(path: Path, *, daily: bool | None, naive_timezone: str) -> Rows:
    """Return every row of ``path``; naive times are read in ``naive_timezone`` (a daily bar's date is IST's own).

    With ``daily`` None the file is daily when no row has a time of day. Raises BadInput for a file that is no text,
    is cut off, or lacks a column, and NotFound when there is no file.
    """
    try:
        with _open(path) as source:
            layout = _layout(path, source.readline(1 << 16))
            chunks = list(_chunks(source, layout))
    except FileNotFoundError:
        raise NotFound(f"{path} does not exist", fix="check the path") from None
    except UnicodeDecodeError:
        raise BadInput(
            f"{path} is not a text file", fix="give a CSV file in UTF-8, or one compressed with gzip"
        ) from None
    except EOFError:
        raise BadInput(f"{path} is cut off: the gzip stream ends too early", fix="copy or download it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise BadInput(f"{path} is not a sound gzip file: {error}", fix="copy or download it again") from None
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read: {error.strerror or error}", fix="check the path and its rights"
        ) from None
    return _rows(path, chunks, daily=daily, naive_timezone=naive_timezone)


def _open(path: Path) -> TextIO:
    """Open ``path`` as text; gzip is told by its first bytes, not by its name."""
    return io.TextIOWrapper(unpacking.opened(path), encoding="utf-8-sig")


def _layout(path: Path, header: str) -> Layout:
    """Return where the columns are, or raise BadInput naming the one that is missing."""
    if "\0" in header:
        raise BadInput(f"{path} is not a text file", fix="give a CSV file in UTF-8, or one compressed with gzip")
    found = [cell.strip().strip('"').strip().lower().replace("_", " ") for cell in header.strip().split(",")]
    if not any(found):
        raise BadInput(f"{path} is empty", fix="export the file again")
    columns: dict[str, int] = {}
    for name, aliases in ALIASES.items():
        at = next((found.index(alias) for alias in aliases if alias in found), None)
        if at is None:
            seen = ", ".join(cell for cell in found[:12] if cell)[:200]
            raise BadInput(
                f"{path} has no column {name!r} (its first line has: {seen})",
                fix=f"name the column one of {', '.join(aliases)}",
                rule="missing_column", found=len(columns),
            )  # fmt: skip
        columns[name] = at
    names = {name: at for name, aliases in NAMES.items() for alias in aliases for at in [_at(found, alias)] if at >= 0}
    return Layout(columns, names, max([*columns.values(), *names.values()]) + 1)


def _at(cells: Sequence[str], name: str) -> int:
    return cells.index(name) if name in cells else -1


@dataclass(frozen=True, slots=True)
class _Chunk:
    wall: Ints
    offset: Ints
    values: list[Floats]
    broken: Mask
    line: npt.NDArray[np.int32]
    names: dict[str, list[str]]


def _chunks(source: TextIO, layout: Layout) -> Iterator[_Chunk]:
    """Yield the rows in blocks, so that a long file never stands in memory as text."""
    line = 1
    while lines := list(islice(source, CHUNK)):
        cells, numbers = _cells(lines, line + 1)
        line += len(lines)
        if cells:
            yield _chunk(cells, numbers, layout)


def _cells(lines: list[str], first: int) -> tuple[list[list[str]], Iterable[int]]:
    """Split each line; blank lines are passed over, and one too long to be a bar becomes a broken row."""
    if max(map(len, lines)) > LONGEST_LINE or any('"' in line for line in lines):
        cells = [_split(line) for line in lines]
    else:
        cells = list(csv.reader(lines))
    if all(cells):
        return cells, range(first, first + len(cells))
    pairs = [(row, number) for number, row in enumerate(cells, first) if row]
    return [row for row, _ in pairs], [number for _, number in pairs]


def _split(line: str) -> list[str]:
    """Split one line by itself, so that a stray quote costs one row and not the rest of the file."""
    if len(line) > LONGEST_LINE:
        return [line[:KEPT_TEXT]]
    return next(csv.reader([line.strip("\r\n")]), [])


def _chunk(cells: list[list[str]], numbers: Iterable[int], layout: Layout) -> _Chunk:
    lengths = np.fromiter(map(len, cells), dtype=np.int64, count=len(cells))
    short = lengths < layout.width
    if (lengths != layout.width).any():
        cells = [(row + [""] * layout.width)[: layout.width] for row in cells]
    column = list(zip(*cells, strict=True))
    wall, offset = stamps.parse(column[layout.columns["timestamp"]])
    values, broken = [], short | (wall == stamps.BAD)
    for name in (*PRICES, "volume"):
        numeric, bad = _numbers(column[layout.columns[name]])
        values.append(numeric)
        broken |= bad | (np.isnan(numeric) if name in PRICES else False)
    names = {name: [cell.strip() for cell in column[at]] for name, at in layout.names.items()}
    return _Chunk(wall, offset, values, broken, np.fromiter(numbers, dtype=np.int32, count=len(cells)), names)


def _numbers(texts: Sequence[str]) -> tuple[Floats, Mask]:
    """Return a column of numbers, NaN where empty, and which cells hold something that is no finite number."""
    try:
        values = np.fromiter(map(float, texts), dtype=np.float64, count=len(texts))
    except ValueError:
        pairs = [_number(text) for text in texts]
        return np.array([value for value, _ in pairs]), np.array([bad for _, bad in pairs])
    infinite = np.isinf(values)
    values[infinite] = np.nan
    return values, infinite


def _number(text: str) -> tuple[float, bool]:
    """Return a number, Indian or western digit grouping allowed, and whether it is unreadable."""
    plain = text.strip().replace(",", "")
    if plain.lower() in UNKNOWN:
        return np.nan, False
    try:
        value = float(plain)
    except ValueError:
        return np.nan, True
    return (value, False) if np.isfinite(value) else (np.nan, True)


def _rows(path: Path, chunks: list[_Chunk], *, daily: bool | None, naive_timezone: str) -> Rows:
    count = sum(chunk.wall.size for chunk in chunks)
    wall, offset = _joined([chunk.wall for chunk in chunks]), _joined([chunk.offset for chunk in chunks])
    values = [np.concatenate([np.empty(0), *(chunk.values[at] for chunk in chunks)]) for at in range(5)]
    broken = np.concatenate([np.empty(0, np.bool_), *(chunk.broken for chunk in chunks)])
    line = np.concatenate([np.empty(0, np.int32), *(chunk.line for chunk in chunks)])
    ts, zone = _instants(wall, offset, daily=daily, naive_timezone=naive_timezone)
    foreign = _foreign([chunk.names for chunk in chunks], count)
    opens, highs, lows, closes, volumes = values
    file = np.zeros(count, np.int32)
    return Rows(ts, opens, highs, lows, closes, volumes, broken, foreign, line, file, (str(path),), zone)


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate([np.empty(0, np.int64), *parts])


def _instants(wall: Ints, offset: Ints, *, daily: bool | None, naive_timezone: str) -> tuple[Ints, str]:
    """Return seconds UTC (``UNREADABLE`` kept) and the zone naive times were read in, empty without naive times."""
    good, naive = wall != stamps.BAD, offset == stamps.BAD
    if daily is None:
        daily = bool(good.any()) and not (wall[good] % 86_400).any()
    zone = "Asia/Kolkata" if daily else naive_timezone
    ts = np.full(wall.size, UNREADABLE, dtype=np.int64)
    written = good & ~naive
    ts[written] = wall[written] - offset[written]
    ts[good & naive] = to_utc(wall[good & naive], zone)
    return ts, zone if (good & naive).any() else ""


def _foreign(names: list[dict[str, list[str]]], count: int) -> Mask:
    """Say which rows name another symbol or series than most rows of the file."""
    foreign = np.zeros(count, dtype=np.bool_)
    for name in NAMES:
        cells = [cell for each in names for cell in each.get(name, ())]
        if len(set(cells)) > 1:
            usual = max(set(cells), key=cells.count)
            foreign |= np.array([cell != usual for cell in cells])
    return foreign


def with_text(report: FileReport) -> FileReport:
    """Return ``report`` with the text of every row set aside, read again from the files."""
    wanted: dict[str, set[int]] = {}
    for row in report.removed:
        wanted.setdefault(row.file, set()).add(row.line)
    text = {(file, line): raw for file, lines in wanted.items() for line, raw in _lines(Path(file), lines)}
    removed = tuple(Removed(row.rule, row.file, row.line, text.get((row.file, row.line), "")) for row in report.removed)
    return report.with_text(removed, text)


def _lines(path: Path, wanted: set[int]) -> Iterator[tuple[int, str]]:
    with _open(path) as source:
        last = max(wanted)
        for number, line in enumerate(source, 1):
            if number in wanted:
                yield number, line.rstrip("\r\n")[:KEPT_TEXT]
            if number >= last:
                return
