"""The security master's archive: fetched whole within bounds, its one member of interest read line by line."""

from __future__ import annotations

import io
import time
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import IO, Final, cast

from sensequant.lib.errors import BadInput
from trading.adapters.breeze.errors import Transient
from trading.core.master import MEMBER

TIMEOUT: Final = 15.0  # seconds without a byte
DEADLINE: Final = 120.0  # seconds for all of it
MOST_BYTES: Final = 64_000_000  # the archive is about 3 MB
MOST_TEXT: Final = 64_000_000  # the member is about 1.4 MB
LONGEST_LINE: Final = 20_000
CHUNK: Final = 1 << 16
ZIP: Final = b"PK"
FIX: Final = "fetch it again; the broker renews it each morning by 08:00"


def download(url: str, *, timeout: float = TIMEOUT) -> bytes:
    """Return the archive at ``url``; Transient when it cannot be had whole, is too large or is no archive.

    Nothing is retried here, and the answer is never longer than ``MOST_BYTES``.
    """
    end = time.monotonic() + DEADLINE
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:  # noqa: S310 - http(s), checked by the settings
            told = answer.headers.get("Content-Length")
            content = b"".join(_chunks(answer, end))
    except (OSError, HTTPException, ValueError) as error:
        raise Transient(f"the security master cannot be fetched from {url}: {error}", fix=FIX) from None
    if told and told.isdecimal() and int(told) != len(content):
        raise Transient(f"the security master from {url} broke off after {len(content):,} of {told} bytes", fix=FIX)
    if not content.startswith(ZIP):
        start = content[:40].decode("ascii", "replace").strip()
        raise Transient(f"what {url} answered is no security master but begins {start!r}", fix=FIX)
    return content


def _chunks(answer: IO[bytes], end: float) -> Iterator[bytes]:
    size = 0
    while chunk := answer.read(CHUNK):
        size += len(chunk)
        if size > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES:,} bytes")
        if time.monotonic() > end:
            raise ValueError(f"it took longer than {DEADLINE:.0f} seconds")
        yield chunk


def read(path: Path) -> bytes:
    """Return an archive or a text file from disk; BadInput when it cannot be read or is too large."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise BadInput(f"{path} has {size:,} bytes: no security master is larger than {MOST_BYTES:,}")
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", fix="name SecurityMaster.zip or its text") from None


def lines(content: bytes, name: str = MEMBER) -> Iterator[str]:
    """Yield the lines of a member of the archive, or of NSEScripMaster.txt itself; the whole is never unpacked.

    BadInput, at the first line or at the last, for an archive that is damaged, is a bomb, or lacks the member.
    """
    if not content.startswith(ZIP):
        yield from _lines(io.BytesIO(content), name)
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(_member(archive, name)) as member:
            yield from _lines(io.BufferedReader(cast(io.RawIOBase, member), CHUNK), name)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise BadInput(f"the security master's archive is damaged: {error}", fix=FIX) from None


def holds(content: bytes, name: str) -> bool:
    """Say whether the archive holds a member; a text, and an archive that cannot be opened, hold none."""
    if not content.startswith(ZIP):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return bool(_named(archive, name))
    except zipfile.BadZipFile:
        return False


def _named(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    return [each for each in archive.infolist() if each.filename.rpartition("/")[2] == name]


def _member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    found = _named(archive, name)
    if len(found) != 1:
        names = ", ".join(archive.namelist()[:8]) or "nothing"
        raise BadInput(f"the archive holds {len(found) or 'no'} {name}, but {names}", fix=FIX)
    if found[0].file_size > MOST_TEXT:
        size = f"{found[0].file_size:,}"
        raise BadInput(f"{name} would unpack to {size} bytes: no master is larger than {MOST_TEXT:,}", fix=FIX)
    return found[0]


def _lines(file: IO[bytes], name: str) -> Iterator[str]:
    """Yield the lines as text; a line longer than any row is refused before it fills the memory."""
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise BadInput(f"{name} has a line longer than {LONGEST_LINE:,} bytes: it is no table", fix=FIX)
        if b"\0" in line:
            raise BadInput(f"{name} is no text: it holds a nought byte", fix=FIX)
        yield line.decode("utf-8", "replace")
