"""Copies of everything a release consists of: written whole or not at all, and worth something once restored."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from releases.core.contents import Item, backup_of
from sensequant.lib import manifests, paths
from sensequant.lib.errors import Failed, NotAllowed
from sensequant.lib.manifest_checks import differs


def folder(release_id: str) -> Path:
    """Return where a release's copies lie."""
    return paths.resolve(f"release/backups/{release_id}")


def write(release_id: str, items: Sequence[Item]) -> Path:
    """Copy every item; the folder stands when all of it is written. NotAllowed when it is there already."""
    target = folder(release_id)
    if target.exists():
        raise NotAllowed(f"{target} is there already", fix="try again in a second")
    fresh = target.with_name(f".{release_id}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        for item in items:
            path = fresh / item.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(item.content)
        fresh.replace(target)
    except OSError as error:
        raise Failed(f"{target} cannot be written: {error.strerror}", fix="mend the disk") from None
    return target


def discard(release_id: str) -> None:
    """Take the copies away again, of a release that did not come to be."""
    shutil.rmtree(folder(release_id), ignore_errors=True)


def restored(content: Mapping[str, Any]) -> list[str]:
    """Restore every copy into a scratch folder, compare it there, and return what differs; empty: they count."""
    home = paths.home()
    (home / "cache").mkdir(parents=True, exist_ok=True)
    told = []
    with tempfile.TemporaryDirectory(dir=home / "cache", prefix="restore-") as scratch:
        for each in manifests.artifacts(content):
            why = _restored(home, Path(scratch), each)
            if why:
                told.append(f"{each['backup']} {why}")
    named = {backup_of(content["release_id"], each["name"]) for each in manifests.artifacts(content)}
    there = (each for each in folder(content["release_id"]).rglob("*") if not each.is_dir())
    extra = sorted({each.relative_to(home).as_posix() for each in there} - named)
    return told + [f"{name} belongs to no artifact" for name in extra]


def _restored(home: Path, scratch: Path, artifact: Mapping[str, Any]) -> str:
    source, target = home / artifact["backup"], scratch / artifact["name"]
    if source.is_symlink():
        return "is a link, not a file"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    except OSError as error:
        return f"cannot be restored: {error.strerror}"
    return differs(scratch, artifact["name"], artifact)
