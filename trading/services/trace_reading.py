"""Files of traces read into columns: what could not be read is counted, and named with its file and line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sensequant.lib.errors import BadInput, NotFound
from trading.adapters import tracefiles
from trading.core.errors import Invalid
from trading.core.trace_table import Builder, Table

NAMED = 50  # bad rows that are named; more are only counted


@dataclass(slots=True)
class Loaded:
    """Traces, where they came from, and what was left out."""

    table: Table
    files: list[Path] = field(default_factory=list)
    bad_rows: int = 0
    named: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """Return what was read, for JSON."""
        return {
            "files": [str(path) for path in self.files], "traces": len(self.table), "bad_rows": self.bad_rows,
            "named_rows": self.named, "skipped_files": self.skipped,
        }  # fmt: skip


def load(paths: Sequence[str | Path], strategy: str = "both") -> Loaded:
    """Return the traces of files and folders (each file once), of one strategy or of ``both`` (all).

    NotFound for a path that is not there; BadInput when a file named as such holds no traces, or nothing does.
    """
    builder, found = Builder(), Loaded(Builder().table())
    for path, named in _files(paths):
        try:
            _read(path, builder, found)
        except tracefiles.Unreadable as error:
            if named:
                raise BadInput(str(error), fix="name files or folders of prediction traces") from None
            found.skipped.append(str(error))
    table = builder.table()
    found.table = table if strategy in ("both", "") else table.of(strategy)
    if not len(found.table):
        raise BadInput(_nothing(paths, strategy, table, found), fix="record some with backtest --enable-telemetry")
    return found


def _files(paths: Sequence[str | Path]) -> Iterator[tuple[Path, bool]]:
    seen: set[Path] = set()
    for given in paths:
        path = Path(given).expanduser()
        if not path.exists():
            raise NotFound(f"there is no file or folder {path}", fix="name files or folders of prediction traces")
        for each in tracefiles.candidates(path):
            if each.resolve() not in seen:
                seen.add(each.resolve())
                yield each, path.is_file()


def _read(path: Path, builder: Builder, found: Loaded) -> None:
    for row in tracefiles.rows(path):
        if path not in found.files:
            found.files.append(path)
        trouble = row.trouble
        if not trouble:
            try:
                builder.add(row.fields)
                continue
            except Invalid as error:
                trouble = str(error)
        found.bad_rows += 1
        if len(found.named) < NAMED:
            found.named.append({"file": str(row.file), "line": row.line, "message": trouble})


def _nothing(paths: Sequence[str | Path], strategy: str, table: Table, found: Loaded) -> str:
    where = ", ".join(map(str, paths))
    if len(table):
        known = ", ".join(sorted(set(table.strategy.tolist())))
        return f"{where} holds no trace of strategy {strategy!r}, only of {known}"
    if found.bad_rows:
        first = found.named[0]
        return f"{where} holds no sound trace: {first['file']} line {first['line']}: {first['message']}"
    return f"{where} holds no prediction traces" + (f": {found.skipped[0]}" if found.skipped else "")
