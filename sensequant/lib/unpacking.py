"""Compressed files that others gave: what comes out of them is bounded, so that a small file cannot fill the memory.

A megabyte of gzip may stand for a gigabyte of zeros. Tables as people write them shrink to a tenth or so; what grows to
more than a hundred times its size, beyond a size nobody minds, is no table.
"""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from sensequant.lib.errors import BadInput

RATIO: Final = 100  # bytes out for each that was packed
FREE: Final = 64 << 20  # bytes that may come out of any file, however small
MOST: Final = 4 << 30  # bytes that may come out at all
LONGEST_LINE: Final = 8 << 20  # bytes between two line ends
MAGIC: Final = b"\x1f\x8b"
FIX: Final = "unpack it yourself and look at what it holds; split a file that is really so long"


class Bounded(io.RawIOBase):
    """A stream that is given up, with BadInput, once it is longer than ``most`` bytes or a line of it is endless."""

    def __init__(self, source: Any, path: Path, most: int) -> None:
        """Read ``source``, which is closed with this."""
        super().__init__()
        self.source, self.path, self.most, self.left, self.line = source, path, most, most, 0
        self.fill = getattr(
            source, "readinto1", source.readinto
        )  # of a file that is cut off, what is there comes first

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` and return how much of it."""
        count = int(self.fill(buffer))
        self.left -= count
        if self.left < 0:
            raise BadInput(f"{self.path} unpacks to more than {self.most >> 20} MB", fix=FIX)
        end = bytes(memoryview(buffer)[:count]).rfind(b"\n")
        self.line = self.line + count if end < 0 else count - end
        if self.line > LONGEST_LINE:
            raise BadInput(f"{self.path} has a line of more than {LONGEST_LINE >> 20} MB", fix="is it a table at all?")
        return count

    def close(self) -> None:
        """Close what is read."""
        self.source.close()
        super().close()


def most_of(packed: int) -> int:
    """Return how many bytes may come out of a file of ``packed`` bytes."""
    return min(MOST, max(FREE, RATIO * packed))


def opened(path: Path) -> BinaryIO:
    """Open a file of lines, compressed or not, which its first bytes tell; reading raises BadInput past the bound."""
    with path.open("rb") as file:
        packed = file.read(len(MAGIC)) == MAGIC
    size = path.stat().st_size
    source: Any = gzip.open(path) if packed else path.open("rb", buffering=0)  # noqa: SIM115 - the wrapper closes it
    return cast(
        BinaryIO, io.BufferedReader(Bounded(source, path, most_of(size) if packed else max(MOST, size)), 1 << 16)
    )


def unpacked(content: bytes, path: Path) -> bytes:
    """Return what a gzip file's ``content`` holds; BadInput past the bound, OSError, EOFError or zlib.error as gzip."""
    most = most_of(len(content))
    with gzip.open(io.BytesIO(content)) as source:
        found = source.read(most + 1)
    if len(found) > most:
        raise BadInput(f"{path} unpacks to more than {most >> 20} MB", fix=FIX)
    return found
