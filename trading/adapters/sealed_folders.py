"""Artifacts in a folder: a manifest names the SHA-256 of each file and its own; what differs is not read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from sensequant.lib.errors import BadInput, NotFound

MANIFEST: Final = "manifest.json"
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\Z")
LARGEST: Final = 1 << 30  # bytes of a file
LARGEST_MANIFEST: Final = 4 << 20
AGAIN: Final = "restore it from where it was copied, or train again"


class Elsewhere(Protocol):
    """Where other machines find what is sealed here, and what they sealed is fetched from."""

    def push(self, path: Path) -> Any:
        """Put a finished folder there."""

    def pull(self, folder: Path, *, always: bool = False) -> Any:
        """Fetch a folder that is missing here."""


class Nowhere:
    """One machine alone: what is missing is missing."""

    def push(self, path: Path) -> None:
        """Put nothing anywhere."""

    def pull(self, folder: Path, *, always: bool = False) -> None:
        """Fetch nothing."""


elsewhere: Elsewhere = Nowhere()
"""Set once, when the app begins, so that reading a folder needs nothing of Django."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A folder whose every file is as its manifest says: ``told`` is that manifest, ``digest`` its SHA-256."""

    folder: Path
    told: Mapping[str, Any]
    digest: str

    def read(self, name: str) -> bytes:
        """Return a file's bytes, compared with the manifest; BadInput names the file when they differ."""
        files: Mapping[str, str] = self.told["files"]
        if name not in files:
            raise BadInput(f"{self.folder / MANIFEST} names no file {name}", fix=AGAIN)
        path = self.folder / name
        try:
            with path.open("rb") as file:
                found = file.read(LARGEST + 1)
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error.strerror}", fix=AGAIN) from None
        if len(found) > LARGEST or hashlib.sha256(found).hexdigest() != files[name]:
            raise BadInput(f"{path} is not the file that was written: its SHA-256 differs", fix=AGAIN)
        return found

    def read_json(self, name: str) -> Any:
        """Return what a JSON file of the folder holds."""
        return json.loads(self.read(name))


def text_of(content: Any) -> bytes:
    """Return an artifact's JSON: the same content gives the same bytes. ValueError for NaN and infinities."""
    return (json.dumps(content, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n").encode()


def seal(folder: Path, files: Mapping[str, bytes], told: Mapping[str, Any]) -> Sealed:
    """Write ``files`` and, last of all, the manifest that holds ``told`` and their SHA-256.

    Until the manifest stands, the folder counts as unfinished. BadInput when it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MANIFEST).unlink(missing_ok=True)
        for name, content in files.items():
            _write(folder / name, content)
        whole = {**told, "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}}
        whole["sha256"] = hashlib.sha256(text_of(whole)).hexdigest()
        _write(folder / MANIFEST, text_of(whole))
        elsewhere.push(folder)
    except OSError as error:
        fix = "name a folder you may write to"
        raise BadInput(f"{folder} cannot be written: {error.strerror}", fix=fix) from None
    return Sealed(folder, whole, whole["sha256"])


def unseal(folder: Path) -> Sealed:
    """Return the folder, every file of it compared with the manifest.

    NotFound when it has no manifest, BadInput naming the file that is not as it was written.
    """
    path = folder / MANIFEST
    if not path.exists():
        elsewhere.pull(folder, always=True)
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_MANIFEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"there is no finished artifact in {folder}", fix=f"it would have a {MANIFEST}") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", fix="check its rights") from None
    told = _told(path, text)
    sealed = Sealed(folder, told, str(told["sha256"]))
    for name in sealed.told["files"]:
        sealed.read(name)
    return sealed


def _told(path: Path, text: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(text)
        files = told["files"]
        rest = {key: value for key, value in told.items() if key != "sha256"}
        if text_of(told) != text or hashlib.sha256(text_of(rest)).hexdigest() != told["sha256"]:
            raise BadInput(f"{path} is not the file that was written: its SHA-256 differs", fix=AGAIN)
        named = all(NAME.match(name) and re.fullmatch(r"[0-9a-f]{64}", files[name]) for name in files)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadInput(f"{path} is no manifest of ours", fix=AGAIN) from None
    if not named:
        raise BadInput(f"{path} names a file that cannot be one of the folder's", fix=AGAIN)
    return dict(told)


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)
