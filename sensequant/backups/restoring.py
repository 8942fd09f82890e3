"""Come back from a backup, into a fresh database and a fresh home; what is there already is never overwritten."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyrage
from django.db import connection

from sensequant.backups import databases, making
from sensequant.lib import paths
from sensequant.lib.errors import BadInput, Failed, NotAllowed


def restore(folder: Path, *, identity: Path | None = None) -> dict[str, Any]:
    """Restore ``folder`` whole, compare every table with what was saved, and return the backup's paper.

    ``identity`` is the file of the age key the backup was sealed for. Raises NotAllowed when the database has tables or
    a file would be overwritten, Failed when something is damaged; then nothing was changed.
    """
    told = making.read(folder)
    with _opened(folder, told, identity) as clear:
        archive = clear / making.FILES
        _refuse_overwriting(archive)
        found = databases.prove(clear / told["database"])
        if found != told["tables"]:
            raise Failed(f"the database in {folder} is not what its paper says")
        databases.restore(clear / told["database"])
        with tarfile.open(archive) as tar:
            tar.extractall(paths.home(), filter="data")
    connection.close()
    now = databases.marks()
    for table, mark in told["tables"].items():
        if now.get(table) != mark:
            raise Failed(f"after restoring, {table} is {now.get(table)} instead of {mark}")
    return told


def check(folder: Path, *, identity: Path | None = None) -> dict[str, Any]:
    """Restore a backup into a scratch database only, and return its paper; Failed names what differs."""
    told = making.read(folder)
    with _opened(folder, told, identity) as clear:
        if databases.prove(clear / told["database"]) != told["tables"]:
            raise Failed(f"the database in {folder} is not what its paper says")
    return told


@contextmanager
def _opened(folder: Path, told: dict[str, Any], identity: Path | None) -> Iterator[Path]:
    if not told["sealed"]:
        yield folder
        return
    if identity is None:
        raise BadInput(f"{folder} is sealed", fix="give --identity FILE, the age key it was sealed for")
    try:
        lines = [line for line in identity.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
        keys = [pyrage.x25519.Identity.from_str(line.strip()) for line in lines]
        with tempfile.TemporaryDirectory(prefix="restore-") as name:
            for file in told["files"]:
                pyrage.decrypt_file(str(folder / file), str(Path(name) / file.removesuffix(making.SUFFIX)), keys)
            yield Path(name)
    except OSError as error:
        raise BadInput(f"{identity} cannot be read: {error.strerror}", fix="give the file age-keygen wrote") from None
    except pyrage.IdentityError:
        raise BadInput(f"{identity} holds no age key", fix="give the file age-keygen wrote") from None
    except pyrage.DecryptError:
        raise NotAllowed(f"{identity} does not open {folder}", fix="give the key it was sealed for") from None


def _refuse_overwriting(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        for member in tar:
            if (paths.home() / member.name).exists():
                raise NotAllowed(
                    f"{paths.home() / member.name} exists", fix="restore into a fresh SENSEQUANT_HOME, then compare"
                )
