"""The storage root past one machine: what is written under SENSEQUANT_HOME is also kept in an object store.

``STORAGE_URL`` names it (``s3://bucket/desk``, ``gs://…``, ``az://…``, ``file:///shared/desk``); empty means that the
home folder is all there is. The folder stays the place everything reads from: what another machine wrote is fetched
when it is missed, what this one writes is put there. Only complete files are put, a sealed folder's manifest last, so a
reader finds an artifact whole or not at all. What could not be put is put by the next ``sync``.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.conf import settings

from sensequant.lib import paths
from sensequant.lib.errors import BadInput, Unavailable
from sensequant.lib.logs import get_logger

SHARED: Final = ("data/historical", "data/market_data", "data/models", "data/datasets", "data/sentiment", "release")
LAST: Final = ("manifest.json", "metadata.json")  # names what is beside it, so it goes when that is there
AGAIN: Final = 60.0  # seconds before the same folder is asked for again
LIMITS: Final[dict[str, Any]] = {
    "client_options": {"timeout": "60s", "connect_timeout": "5s", "allow_http": True},
    "retry_config": {"max_retries": 2},
}
FIX: Final = "look at STORAGE_URL and its credentials (AWS_…, GOOGLE_…, AZURE_… in the environment)"
log = get_logger("storage")
_asked: dict[str, float] = {}


class Moved(NamedTuple):
    """How many files and bytes went over."""

    files: int
    size: int


def shared(path: Path) -> str | None:
    """Return the key of a file or folder in the object store; None when there is none or it is not shared."""
    if not settings.DESK.storage_url:
        return None
    try:
        key = path.resolve().relative_to(paths.home().resolve()).as_posix()
    except ValueError:
        return None
    return key if any(key == root or key.startswith(f"{root}/") for root in SHARED) else None


def push(path: Path) -> Moved:
    """Put a file or a folder where other machines find it; what fails is logged and left to ``sync``."""
    key = shared(path)
    if key is None:
        return Moved(0, 0)
    try:
        return _push(path, key)
    except Unavailable as error:
        log.warning("not yet in the object store", path=key, error=str(error))
        return Moved(0, 0)


def pull(folder: Path, *, always: bool = False) -> Moved:
    """Fetch what other machines put under ``folder`` and this one lacks or has older; once a minute unless ``always``.

    An object store that does not answer changes nothing here: what is on the disk is still read.
    """
    key = shared(folder)
    if key is None or (not always and time.monotonic() - _asked.get(key, -AGAIN) < AGAIN):
        return Moved(0, 0)
    _asked[key] = time.monotonic()
    try:
        return _pull(key)
    except Unavailable as error:
        log.warning("the object store does not answer", path=key, error=str(error))
        return Moved(0, 0)


def sync() -> tuple[Moved, Moved]:
    """Put what others lack, fetch what is new; return what was put and what was fetched. Unavailable says why not."""
    if not settings.DESK.storage_url:
        raise BadInput("STORAGE_URL is empty: there is no object store", fix="set it, e.g. s3://bucket/desk")
    put, got = Moved(0, 0), Moved(0, 0)
    for root in SHARED:
        fetched = _pull(root)
        pushed = _push(paths.home() / root, root)
        put, got = _sum(put, pushed), _sum(got, fetched)
    return put, got


def _sum(one: Moved, other: Moved) -> Moved:
    return Moved(one.files + other.files, one.size + other.size)


def _push(path: Path, key: str) -> Moved:
    home, moved = paths.home(), Moved(0, 0)
    there = {each["path"]: each for each in _listed(key)}
    for file in sorted(_files(path), key=lambda file: (file.name in LAST, file)):
        name = file.relative_to(home).as_posix() if file.is_relative_to(home) else key
        about, known = file.stat(), there.get(name)
        if (
            known is not None
            and known["size"] == about.st_size
            and known["last_modified"].timestamp() >= about.st_mtime
        ):
            continue
        _do("put", name, file)
        moved = _sum(moved, Moved(1, about.st_size))
    return moved


def _pull(key: str) -> Moved:
    moved = Moved(0, 0)
    for each in sorted(_listed(key), key=lambda each: (Path(each["path"]).name in LAST, each["path"])):
        file = paths.home() / each["path"]
        if not _inside(file) or not _newer(each, file):
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f"{file.name}.{os.getpid()}.fetched")
        _do("get", each["path"], fresh)
        stamp = each["last_modified"].timestamp()
        os.utime(fresh, (stamp, stamp))
        fresh.replace(file)
        moved = _sum(moved, Moved(1, each["size"]))
    return moved


def _inside(file: Path) -> bool:
    """Say whether an object's name leads into the home folder; a store may hold anybody's names."""
    return file.resolve().is_relative_to(paths.home().resolve())


def _newer(told: dict[str, Any], file: Path) -> bool:
    try:
        about = file.stat()
    except FileNotFoundError:
        return True
    moment: dt.datetime = told["last_modified"]
    return moment.timestamp() > about.st_mtime + 1e-3 and (
        told["size"] != about.st_size or moment.timestamp() - about.st_mtime > 1.0
    )


def _files(path: Path) -> Iterator[Path]:
    """Yield complete files: no links, nothing hidden, nothing that is still being written."""
    found = [path] if path.is_file() else path.rglob("*")
    for file in found:
        unfinished = file.suffix in (".new", ".fetched", ".lock", ".part") or file.name.startswith(".")
        if file.is_file() and not file.is_symlink() and not unfinished:
            yield file


@cache
def _store(url: str) -> Any:
    import obstore.store

    try:
        if url.startswith("file://"):
            Path(url.removeprefix("file://")).mkdir(parents=True, exist_ok=True)
            return obstore.store.from_url(url)
        return obstore.store.from_url(url, **LIMITS)
    except (OSError, ValueError, obstore.exceptions.BaseError) as error:
        raise BadInput(f"STORAGE_URL={url} cannot be used: {error}", fix="e.g. s3://bucket/desk") from None


def _listed(prefix: str) -> list[Any]:
    import obstore

    try:
        store = _store(settings.DESK.storage_url)
        return [each for part in obstore.list(store, prefix=prefix) for each in part]
    except (OSError, obstore.exceptions.BaseError) as error:
        raise Unavailable(f"the object store cannot list {prefix}: {_short(error)}", fix=FIX) from None


def _do(what: str, name: str, file: Path) -> None:
    import obstore

    store = _store(settings.DESK.storage_url)
    try:
        if what == "put":
            obstore.put(store, name, file)
        else:
            with file.open("wb") as opened:
                for part in obstore.get(store, name):
                    opened.write(part)
    except (OSError, obstore.exceptions.BaseError) as error:
        file.unlink(missing_ok=True) if what == "get" else None
        raise Unavailable(f"the object store cannot {what} {name}: {_short(error)}", fix=FIX) from None


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
