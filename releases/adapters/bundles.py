"""A folder of files sealed as a whole: written aside, digested, put in place by one rename, never changed again.

``bundle.json`` names every file with its size and SHA-256; the digest of a bundle is the SHA-256 of that file. What is
added later (approvals) stands beside it under names the seal leaves out.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sensequant.lib.errors import BadInput, Failed, NotFound
from trading.adapters.sealed_folders import text_of

MANIFEST: Final = "bundle.json"
BESIDE: Final = ("approvals.md", "approvals.json")
PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}\Z")
DEEPEST: Final = 3
LARGEST: Final = 256 << 20
RESTORE: Final = "restore it from a backup, or audit again"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose files are as they were sealed: ``told`` is what bundle.json says, ``files`` name to bytes."""

    folder: Path
    digest: str
    told: Mapping[str, Any]
    files: Mapping[str, int]


def scratch(target: Path) -> Path:
    """Return where a bundle is put together; a name no finished one has."""
    return target.with_name(f".{target.name}.new")


def write(target: Path, files: Mapping[str, bytes], told: Mapping[str, Any]) -> Bundle:
    """Put a bundle in place, whole or not at all; BadInput when something is there already."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BadInput(f"{target} is there already", fix="name a folder that does not exist yet")
    for name in files:
        _safe(name)
    aside = scratch(target)
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        for name, content in files.items():
            _put(aside / name, content)
        listed = {name: {"bytes": len(c), "sha256": hashlib.sha256(c).hexdigest()} for name, c in files.items()}
        manifest = text_of({**told, "files": listed})
        _put(aside / MANIFEST, manifest)
        aside.replace(target)
        _settle(target.parent)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise Failed(
            f"{target} cannot be written: {error.strerror or error}", fix="make room, or name another"
        ) from None
    sizes = {name: len(content) for name, content in files.items()}
    return Bundle(target, hashlib.sha256(manifest).hexdigest(), {**told, "files": listed}, sizes)


def discard(target: Path) -> None:
    """Remove what a bundle that was never finished left behind."""
    shutil.rmtree(scratch(target), ignore_errors=True)


def remove(target: Path) -> None:
    """Take a bundle away again, first out of sight by one rename: nobody finds half of it."""
    aside = scratch(target)
    shutil.rmtree(aside, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        target.replace(aside)
    shutil.rmtree(aside, ignore_errors=True)


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    """Have a rename reach the disk."""
    with contextlib.suppress(OSError):  # some file systems cannot
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _safe(name: str) -> str:
    parts = name.split("/")
    if not 1 <= len(parts) <= DEEPEST or not all(PART.match(part) for part in parts) or name in (MANIFEST, *BESIDE):
        raise BadInput(f"{name!r} cannot be a file of a bundle", fix="use plain names")
    return name


def opened(folder: Path, wanted: str = "") -> Bundle:
    """Return a bundle by its manifest alone, compared with the digest ``wanted``; files are compared as they are read.

    NotFound when there is no finished bundle, BadInput when it is not the one that was sealed.
    """
    try:
        text = (folder / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"there is no finished bundle in {folder}", fix=f"it would have a {MANIFEST}") from None
    except OSError as error:
        raise BadInput(f"{folder / MANIFEST} cannot be read: {error.strerror}", fix="check its rights") from None
    digest = hashlib.sha256(text).hexdigest()
    if wanted and digest != wanted:
        raise BadInput(f"{folder} is not the bundle that was sealed: {digest[:12]}…, not {wanted[:12]}…", fix=RESTORE)
    try:
        told = json.loads(text)
        sizes = {_safe(name): int(each["bytes"]) for name, each in told["files"].items()}
        whole = all(re.fullmatch(r"[0-9a-f]{64}", each["sha256"]) for each in told["files"].values())
        same = text_of(told) == text
    except (ValueError, KeyError, TypeError, AttributeError, BadInput, RecursionError):
        raise BadInput(f"{folder / MANIFEST} is no manifest of ours", fix=RESTORE) from None
    if not (whole and same):
        raise BadInput(f"{folder / MANIFEST} is no manifest of ours", fix=RESTORE)
    return Bundle(folder, digest, told, sizes)


def read(bundle: Bundle, name: str) -> bytes:
    """Return a file of a bundle, compared with its seal; NotFound for no such file, BadInput when it differs."""
    if name not in bundle.files:
        raise NotFound(f"the bundle has no file {name!r}", fix=f"look at its {MANIFEST}")
    path = bundle.folder / name
    if path.is_symlink() or not path.is_file() or path.stat().st_size != bundle.files[name]:
        raise BadInput(f"{path} is not the file that was sealed", fix=RESTORE)
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != bundle.told["files"][name]["sha256"]:
        raise BadInput(f"{path} is not the file that was sealed: its SHA-256 differs", fix=RESTORE)
    return content


def sealed_by(bundle: Bundle) -> bytes:
    """Return bundle.json, by which anybody compares the files."""
    return text_of(bundle.told)


def verified(folder: Path, wanted: str = "") -> Bundle:
    """Return a bundle, every file of it compared and nothing in it that was not sealed; BadInput names the first."""
    bundle = opened(folder, wanted)
    for name in bundle.files:
        read(bundle, name)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or (path.is_file() and name not in (*bundle.files, MANIFEST, *BESIDE)):
            raise BadInput(f"{path} was not there when the bundle was sealed", fix="take it away")
    return bundle


def moved(folder: Path, target: Path, wanted: str) -> Bundle:
    """Move a bundle, verified before and after; by one rename, or copied, verified and only then removed."""
    verified(folder, wanted)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.rename(target)
    except OSError:  # another disk, most likely
        aside = scratch(target)
        shutil.rmtree(aside, ignore_errors=True)
        try:
            shutil.copytree(folder, aside, symlinks=True)
            verified(aside, wanted)
            aside.replace(target)
        except OSError as error:
            shutil.rmtree(aside, ignore_errors=True)
            raise Failed(
                f"{folder} cannot be moved: {error.strerror or error}", fix="make room and try again"
            ) from None
        shutil.rmtree(folder)
    _settle(target.parent)
    return verified(target, wanted)


def put_beside(folder: Path, name: str, text: str) -> None:
    """Write a file the seal leaves out, whole or not at all."""
    if name not in BESIDE:
        raise BadInput(f"{name!r} is not left out by the seal", fix=f"use {' or '.join(BESIDE)}")
    fresh = folder.with_name(f".{folder.name}.{name}.new")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(folder / name)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise Failed(f"{folder / name} cannot be written: {error.strerror or error}", fix="check its rights") from None
