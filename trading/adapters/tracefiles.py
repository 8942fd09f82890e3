"""Prediction traces as files: buffered, rotated by size and compressed on the way out; read leniently on the way in."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

from sensequant.lib import unpacking
from sensequant.lib.errors import BadInput
from trading.core.trace_lines import quoted
from trading.core.traces import FIELDS, Trace

FORMATS = ("csv", "jsonl")
MEGABYTE = 1 << 20
HEADER = ",".join(FIELDS) + "\r\n"


class TraceWriter:
    """Writes traces into ``folder`` as ``predictions_<strategy>_<n>.csv``; never into a file that was there before.

    ``buffer`` traces are kept in memory before they are written; a file that has reached ``most_bytes`` (as it lies on
    the disk) is closed and the next one begun. OSError is the caller's: what was buffered is then dropped and counted.
    """

    def __init__(
        self, folder: Path, *, kind: str = "csv", compressed: bool = False, buffer: int = 100,
        most_bytes: int = 100 * MEGABYTE,
    ) -> None:  # fmt: skip
        """Begin without touching the disk; the folder is made with the first file."""
        self.folder, self.kind, self.compressed = folder, kind, compressed
        self.buffer, self.most_bytes = max(1, buffer), most_bytes
        self.files: list[Path] = []
        self.written = self.dropped = 0
        self._waiting: list[Trace] = []
        self._open: dict[str, _File] = {}

    def write(self, trace: Trace) -> None:
        """Keep a trace; every ``buffer`` of them are written."""
        self._waiting.append(trace)
        if len(self._waiting) >= self.buffer:
            self.flush()

    def write_lines(self, strategy: str, lines: Sequence[str]) -> None:
        """Write finished lines of CSV (see ``core.trace_lines``) behind what is kept."""
        self.flush()
        done = 0
        try:
            self._file(strategy).put("".join(lines))
            done = len(lines)
        finally:
            self.written += done
            self.dropped += len(lines) - done

    def flush(self) -> None:
        """Write what is kept."""
        waiting, self._waiting = self._waiting, []
        by_strategy: dict[str, list[Trace]] = {}
        for each in waiting:
            by_strategy.setdefault(each.strategy, []).append(each)
        done = 0
        try:
            for strategy, traces in by_strategy.items():
                self._into(strategy, traces)
                done += len(traces)
        finally:
            self.written += done
            self.dropped += len(waiting) - done

    def close(self) -> None:
        """Write what is kept and close the files."""
        try:
            self.flush()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Close the files as they are; what a failing disk still says is of no use any more."""
        files, self._open = self._open, {}
        for file in files.values():
            file.close()

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Close."""
        self.close()

    def _into(self, strategy: str, traces: list[Trace]) -> None:
        self._file(strategy).put(as_csv(traces) if self.kind == "csv" else as_jsonl(traces))

    def _file(self, strategy: str) -> _File:
        """Return the file to write into, the next one when the last is full."""
        file = self._open.get(strategy)
        if file is not None and file.size >= self.most_bytes:
            self._open.pop(strategy).close()
            file = None
        if file is None:
            file = self._open[strategy] = self._fresh(strategy)
        return file

    def _fresh(self, strategy: str) -> _File:
        self.folder.mkdir(parents=True, exist_ok=True)
        ending = f"{self.kind}.gz" if self.compressed else self.kind
        number = 0
        while True:
            path = self.folder / f"predictions_{strategy}_{number}.{ending}"
            try:
                raw = path.open("xb")
            except FileExistsError:
                number += 1
                continue
            self.files.append(path)
            file = _File(raw, compressed=self.compressed)
            if self.kind == "csv":
                file.put(HEADER)
            return file


class _File:
    """One open file, plain or gzip."""

    def __init__(self, raw: IO[bytes], *, compressed: bool) -> None:
        self.raw = raw
        self.file: Any = gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=6) if compressed else raw

    @property
    def size(self) -> int:
        """Return its size on the disk, in bytes."""
        return self.raw.tell()

    def put(self, text: str) -> None:
        """Write text so that a reader finds it even if the writer is killed next."""
        self.file.write(text.encode())
        self.file.flush()

    def close(self) -> None:
        """Close it; a disk that fails now has failed before."""
        try:
            if self.file is not self.raw:
                self.file.close()
            self.raw.close()
        except OSError:
            self.raw.close()


def as_csv(traces: Iterable[Trace]) -> str:
    """Return the rows of traces; JSON is quoted as CSV wants it, and so is a name that needs it."""
    return "".join(map(_line, traces))


def _line(each: Trace) -> str:
    features, metadata = each.features.replace('"', '""'), each.metadata.replace('"', '""')
    return (
        f"{each[0]},{_name(each.symbol)},{_name(each.strategy)},{each[3]},{each[4]},{each[5]},{each[6]},{each[7]},"
        f'{each[8]},{each[9]},"{features}","{metadata}"\r\n'
    )


@lru_cache(maxsize=1024)
def _name(text: str) -> str:
    return quoted(text)


def as_jsonl(traces: Iterable[Trace]) -> str:
    """Return one JSON object a trace and line, features and metadata as objects."""
    return "".join(
        f'{json.dumps(dict(zip(FIELDS[:10], each[:10], strict=True)))[:-1]}, "features": {each.features}, '
        f'"metadata": {each.metadata}}}\n'
        for each in traces
    )


class Row(NamedTuple):
    """One row as it was found: its file, its line, and its fields by name, or why it cannot be read."""

    file: Path
    line: int
    fields: tuple[Any, ...]
    trouble: str = ""


class Unreadable(ValueError):
    """A file that is no file of traces; the message says why."""


def candidates(path: Path) -> list[Path]:
    """Return the files a path stands for: itself, or everything below it that may hold traces."""
    if path.is_file():
        return [path]
    return sorted(each for ending in FORMATS for gz in ("", ".gz") for each in path.rglob(f"*.{ending}{gz}"))


def rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a file; Unreadable when it is no file of traces at all.

    A file whose end is missing (its writer was killed) yields what is there and then a Row that says so.
    """
    name = path.name.removesuffix(".gz")
    line = 0
    try:
        with io.TextIOWrapper(unpacking.opened(path), encoding="utf-8-sig", newline="") as file:
            for found in _csv_rows(path, file) if name.endswith(".csv") else _json_rows(path, file):
                line = found.line
                yield found
    except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError, csv.Error, BadInput) as error:
        if not line:
            raise Unreadable(f"{path} cannot be read: {error}") from None
        yield Row(path, line + 1, (), f"the rest of the file cannot be read: {error}")
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror or error}") from None


def _csv_rows(path: Path, file: IO[str]) -> Iterator[Row]:
    reader = csv.reader(file)
    header = [name.strip() for name in next(reader, [])]
    missing = [name for name in FIELDS if name not in header]
    if missing:
        told = "it is empty" if not header else f"it has no column {', '.join(missing)}"
        raise Unreadable(f"{path} holds no prediction traces: {told}")
    order = [header.index(name) for name in FIELDS]
    straight, width = order == list(range(len(FIELDS))), len(header)
    for fields in reader:
        if len(fields) != width:
            if fields:
                yield Row(path, reader.line_num, (), f"{len(fields)} fields instead of {width}")
            continue
        yield Row(path, reader.line_num, tuple(fields if straight else [fields[k] for k in order]))


def _json_rows(path: Path, file: IO[str]) -> Iterator[Row]:
    known = False
    for line, text in enumerate(file, start=1):
        if not text.strip():
            continue
        try:
            found = json.loads(text)
        except ValueError as error:
            yield Row(path, line, (), f"no JSON: {error}")
            continue
        missing = [name for name in FIELDS if name not in found] if isinstance(found, dict) else list(FIELDS)
        if missing and not known:
            raise Unreadable(f"{path} holds no prediction traces: line {line} has no {', '.join(missing)}")
        known = True
        if missing:
            yield Row(path, line, (), f"no {', '.join(missing)}")
        else:
            yield Row(path, line, tuple(found[name] for name in FIELDS))
