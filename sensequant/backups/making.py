"""Make a backup: the database and the files nothing can make again, digested, restored once, and only then named.

Keys are no part of it: who finds a backup must not find what opens it. The handbook says where they are kept.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyrage

from sensequant.backups import databases
from sensequant.lib import paths
from sensequant.lib.errors import BadInput, Failed, NotFound
from sensequant.lib.logs import get_logger

FILES, PAPER, SUFFIX = "files.tar", "backup.json", ".age"
KEPT = ("data", "release", "logs/trades.csv", "logs/alerts")
LEFT = ("data/columns", "data/market_data")  # parsed again, fetched again
SHAPE = "sensequant-backup/1"
log = get_logger("backup")


def make(to: Path, *, at: dt.datetime, recipient: str = "", keep: int = 0) -> Path:
    """Write ``to/backup_<moment>``, prove it, and return its folder.

    ``recipient`` is an age public key: the files are sealed for its holder. ``keep`` older backups stay, at least one;
    0 keeps all. Raises Failed when the restored copy is not what was saved; a backup that failed leaves nothing.
    """
    asked = _recipient(recipient)
    name = f"backup_{at:%Y%m%d_%H%M%S}"
    try:
        to.mkdir(parents=True, exist_ok=True, mode=0o700)
        half = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=to))
    except OSError as error:
        raise BadInput(
            f"{to} cannot be written: {error.strerror}", fix="give --to, or BACKUP_DIR, another folder"
        ) from None
    try:
        dumped, marks = databases.dump(half)
        _collect(half / FILES)
        _compare(marks, databases.prove(half / dumped))
        _look_into(half / FILES)
        if asked is not None:
            _seal(half, asked)
        _sign_off(half, dumped, marks, at, bool(asked))
        half.rename(to / name)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    log.info("backup proved", folder=str(to / name), tables=len(marks))
    _prune(to, keep)
    return to / name


def read(folder: Path) -> dict[str, Any]:
    """Return a backup's paper, or say what it lacks; NotFound, or Failed naming the file that changed."""
    paper = folder / PAPER
    if not paper.is_file():
        raise NotFound(f"{folder} is no backup: it has no {PAPER}", fix="give a folder backup_<moment>")
    try:
        told: dict[str, Any] = json.loads(paper.read_text(encoding="utf-8"))
        listed: dict[str, str] = dict(told["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise Failed(f"{paper} cannot be read: {error}") from None
    if told.get("shape") != SHAPE:
        raise BadInput(f"{paper} has the shape {told.get('shape')!r}", fix=f"this version reads {SHAPE}")
    for name, digest in listed.items():
        file = folder / name
        if "/" in name or not file.is_file() or file.is_symlink():
            raise Failed(f"{folder} lacks {name}")
        if digest_of(file) != digest:
            raise Failed(f"{file} changed since the backup was made")
    return told


def digest_of(file: Path) -> str:
    """Return a file's SHA-256."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _recipient(text: str) -> Any:
    if not text:
        return None
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise BadInput(f"{text} is no age public key", fix="it begins with age1; age-keygen makes one") from None


def _collect(file: Path) -> None:
    with tarfile.open(file, "w") as tar:
        for path in _paths():
            try:
                tar.add(path, arcname=str(path.relative_to(paths.home())), recursive=False)
            except FileNotFoundError:  # rotated away while we were looking
                continue


def _paths() -> Iterator[Path]:
    """Yield every file kept, without links, unfinished files or what can be made again."""
    home = paths.home()
    left = tuple(home / each for each in LEFT)
    for name in KEPT:
        root = home / name
        found = [root] if root.is_file() else sorted(root.rglob("*")) if root.is_dir() else []
        for path in found:
            if path.is_file() and not path.is_symlink() and not any(path.is_relative_to(each) for each in left):
                yield path


def _compare(saved: databases.Marks, found: databases.Marks) -> None:
    for table in sorted(saved.keys() | found.keys()):
        if saved.get(table) != found.get(table):
            raise Failed(f"the restored copy differs in {table}: {found.get(table)} instead of {saved.get(table)}")


def _look_into(file: Path) -> None:
    """Read the archive to its end, so that what cannot be read is found now."""
    with tarfile.open(file) as tar:
        for member in tar:
            opened = tar.extractfile(member)
            while opened is not None and opened.read(1 << 20):
                pass


def _seal(half: Path, recipient: Any) -> None:
    for file in sorted(half.iterdir()):
        pyrage.encrypt_file(str(file), str(file) + SUFFIX, [recipient])
        file.unlink()


def _sign_off(half: Path, dumped: str, marks: databases.Marks, at: dt.datetime, sealed: bool) -> None:
    told = {
        "shape": SHAPE, "made_at": at.isoformat(), "database": dumped, "sealed": sealed, "tables": marks,
        "files": {file.name: digest_of(file) for file in sorted(half.iterdir())},
    }  # fmt: skip
    (half / PAPER).write_text(json.dumps(told, indent=1), encoding="utf-8")


def _all(to: Path) -> list[Path]:
    return sorted(each for each in to.glob("backup_*") if (each / PAPER).is_file())


def _prune(to: Path, keep: int) -> None:
    for old in _all(to)[:-keep] if keep > 0 else []:
        shutil.rmtree(old)
        log.info("old backup deleted", folder=str(old))
