"""The columnar store: parsed bars as memory-mapped numpy columns, beside the CSV files they came from."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from sensequant.lib.errors import Unavailable
from trading.core.bars import Bars

SCHEMA: Final = 1
COLUMNS: Final = ("ts", "open", "high", "low", "close", "volume")
MANIFEST: Final = "manifest.json"
REMOVED: Final = "removed.json"
GENERATION: Final = "generation-"
STALE_SECONDS: Final = 3600
ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Source:
    """One file bars were read from, as it was then."""

    path: str
    size: int
    mtime_ns: int
    sha256: str = ""

    @classmethod
    def of(cls, path: Path, *, hashed: bool = False) -> Source:
        """Return the file's present state, with its digest when ``hashed``."""
        state = path.stat()
        return cls(str(path.resolve()), state.st_size, state.st_mtime_ns, file_digest(path) if hashed else "")


def file_digest(path: Path) -> str:
    """Return the SHA-256 of the file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored series: its bars (memory-mapped, private to the reader), where they came from, and what was noted."""

    bars: Bars
    sources: tuple[Source, ...]
    notes: dict[str, Any]


class ColumnStore:
    """Series by key under one root folder; readers and writers of several processes may meet in it.

    A key's folder holds ``manifest.json`` and the generation of columns it names. A writer makes a new generation and
    then swaps the manifest, so a reader finds the old bars or the new ones, never half of each.
    """

    def __init__(self, root: Path) -> None:
        """Keep the store in ``root``, which is made when first written to."""
        self.root = root

    def key(self, label: str, parts: Mapping[str, Any]) -> str:
        """Return the folder name of the series that ``parts`` identify, beginning with a readable ``label``."""
        text = json.dumps({**parts, "schema": SCHEMA}, sort_keys=True, default=str)
        return f"{label.replace('/', '-')}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    def load(self, key: str, sources: Sequence[Source]) -> Entry | None:
        """Return the series when it is stored, whole, and made from ``sources`` as they are now; None otherwise."""
        for _ in range(ATTEMPTS):
            manifest = self._manifest(key)
            if manifest is None or not _same(manifest, sources):
                return None
            with suppress(OSError, ValueError, KeyError):  # replaced while being read, or damaged: look again
                return self._entry(key, manifest)
        return None

    def save(self, key: str, bars: Bars, sources: Sequence[Source], notes: Mapping[str, Any], removed: object) -> None:
        """Store the series in place of what was there; Unavailable, naming the folder, when it cannot be written."""
        folder = self.root / key
        try:
            folder.mkdir(parents=True, exist_ok=True)
            generation = Path(tempfile.mkdtemp(prefix=GENERATION, dir=folder))
            checksums = {name: _write_column(generation / f"{name}.npy", getattr(bars, name)) for name in COLUMNS}
            _write_text(generation / REMOVED, json.dumps(removed))
            _sync(generation)
            manifest = {
                "schema": SCHEMA, "generation": generation.name, "rows": len(bars), "checksums": checksums,
                "first": int(bars.ts[0]) if len(bars) else None, "last": int(bars.ts[-1]) if len(bars) else None,
                "sources": [asdict(source) for source in sources], "notes": dict(notes),
            }  # fmt: skip
            self._swap(folder, manifest)
        except OSError as error:
            raise Unavailable(
                f"parsed bars cannot be kept in {folder}: {error.strerror or error}",
                fix="free some space there, or set SENSEQUANT_HOME to a folder you may write to",
            ) from None

    def removed(self, key: str) -> list[dict[str, Any]]:
        """Return the rows set aside when the series was parsed; empty when the series is not stored."""
        manifest = self._manifest(key)
        if manifest is None:
            return []
        try:
            text = (self.root / key / manifest["generation"] / REMOVED).read_text("utf-8")
            return list(json.loads(text))
        except (OSError, ValueError):
            return []

    def _manifest(self, key: str) -> dict[str, Any] | None:
        try:
            manifest = json.loads((self.root / key / MANIFEST).read_bytes())
        except (OSError, ValueError):
            return None
        return manifest if isinstance(manifest, dict) and manifest.get("schema") == SCHEMA else None

    def _entry(self, key: str, manifest: Mapping[str, Any]) -> Entry:
        """Map the columns; ValueError when one is not what was written."""
        folder = self.root / key / manifest["generation"]
        columns = [_column(folder / f"{name}.npy", manifest["rows"], manifest["checksums"][name]) for name in COLUMNS]
        sources = tuple(Source(**source) for source in manifest["sources"])
        return Entry(Bars(*columns), sources, manifest["notes"])

    def _swap(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        """Make ``manifest`` the valid one and remove the generation it replaces."""
        before = self._manifest(folder.name)
        fresh = folder / f"{manifest['generation']}.json"
        _write_text(fresh, json.dumps(manifest))
        fresh.replace(folder / MANIFEST)
        _sync(folder)
        with suppress(OSError):  # another writer may be clearing up too
            _clear(folder, kept=manifest["generation"], replaced=(before or {}).get("generation", ""))


def _clear(folder: Path, *, kept: str, replaced: str) -> None:
    """Remove the generation just replaced, and those a crash left behind an hour ago or more."""
    limit = (folder / kept).stat().st_mtime - STALE_SECONDS
    for each in folder.glob(f"{GENERATION}*"):
        if each.stem != kept and (each.name == replaced or each.stat().st_mtime < limit):
            shutil.rmtree(each, ignore_errors=True)


def _same(manifest: Mapping[str, Any], sources: Sequence[Source]) -> bool:
    """Say whether the manifest's files are the given ones, unchanged in size and time."""
    try:
        then = [(source["path"], source["size"], source["mtime_ns"]) for source in manifest["sources"]]
    except (KeyError, TypeError):
        return False
    return then == [(source.path, source.size, source.mtime_ns) for source in sources]


def _column(path: Path, rows: int, checksum: int) -> Any:
    """Map one column copy-on-write after comparing its checksum; ValueError when it is damaged.

    The checksum is taken from a plain read, so that pages nobody asks for never count as this process's memory.
    """
    if zlib.crc32(path.read_bytes()) != checksum:
        raise ValueError(f"{path} is damaged")
    column = np.asarray(np.load(path, mmap_mode="c" if rows else None))
    if column.shape != (rows,):
        raise ValueError(f"{path} has the wrong length")
    return column


def _write_column(path: Path, column: Any) -> int:
    """Write one column to disk for good and return its checksum."""
    with path.open("wb") as file:
        np.save(file, np.ascontiguousarray(column))
        file.flush()
        os.fsync(file.fileno())
    return zlib.crc32(path.read_bytes())


def _write_text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
