"""Where the desk keeps its files: everything lies under one folder, ``SENSEQUANT_HOME``."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

from django.conf import settings

from sensequant.lib.errors import BadInput

FOLDERS = ("data", "logs", "release", "cache")
FIX = "set SENSEQUANT_HOME to a folder you may write to"


def home() -> Path:
    """Return the folder everything is written to."""
    return Path(settings.SENSEQUANT_HOME)


def resolve(path: str | Path) -> Path:
    """Return ``path`` itself when absolute, otherwise as it lies under the home folder."""
    return home() / Path(path).expanduser()


def standing(path: Path) -> Path:
    """Return ``path``, or the nearest folder above it that exists."""
    return next(each for each in (path, *path.absolute().parents) if each.exists())


def prepare(folder: Path) -> None:
    """Make the home folder and its parts, or raise BadInput when they cannot be written."""
    for each in (folder, *(folder / name for name in FOLDERS)):
        try:
            each.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"SENSEQUANT_HOME={folder}: cannot make {each}: {error.strerror}", fix=FIX) from None
        if not os.access(each, os.W_OK | os.X_OK):
            raise BadInput(f"SENSEQUANT_HOME={folder}: {each} is not writable", fix=FIX)


def write_private(path: Path, text: str) -> None:
    """Write ``text`` to a file only its owner can read, never leaving a half-written one behind."""
    fresh = path.with_name(path.name + ".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def read_or_make_private(path: Path, text: str) -> str:
    """Return what the private file holds; the first caller's ``text`` becomes it, whoever else asks meanwhile."""
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
        write_private(fresh, text)
        with contextlib.suppress(FileExistsError):  # another process was first: then theirs is the one that counts
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text(encoding="utf-8").strip()
