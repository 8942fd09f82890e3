"""Files that appear whole or not at all, in a folder whose writers take turns."""

from __future__ import annotations

import fcntl
import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from trading.adapters.barfiles import ENDINGS

METADATA: Final = "metadata.json"
HALF: Final = ".part"
LOCK: Final = ".lock"


def names(folder: Path) -> list[str]:
    """Return the names of the bar files in ``folder``, sorted; none when there is no such folder."""
    try:
        found = [entry.name for entry in os.scandir(folder) if entry.is_file()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in found if name.lower().endswith(ENDINGS))


@contextmanager
def locked(folder: Path, name: str = LOCK, *, wait: bool = True) -> Iterator[None]:
    """Hold the folder's lock, which a process that dies lets go; BlockingIOError when taken and not to ``wait``."""
    handle = os.open(folder / name, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(handle)


@contextmanager
def still(folder: Path) -> Iterator[None]:
    """Keep writers from changing the folder meanwhile; a folder nobody has written to is still by itself."""
    try:
        handle = os.open(folder / LOCK, os.O_RDONLY)
    except OSError:
        yield
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def put(path: Path, text: str, *, packed: bool = False) -> None:
    """Make ``text`` the content of ``path``, on the disk before the name shows it; OSError leaves the old content."""
    fresh = path.with_name(f".{path.name}{HALF}")
    data = gzip.compress(text.encode(), 6, mtime=0) if packed else text.encode()
    try:
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    settle(path.parent)


def settle(folder: Path) -> None:
    """Bring the folder's own list of names to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path) -> None:
    """Remove what a writer that died left half-written; the folder must be locked."""
    for path in folder.glob(f".*{HALF}"):
        path.unlink(missing_ok=True)
