"""Files that only grow: a line is appended whole and seen onto the disk, by as many processes as there are."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def append(path: Path, text: str, *, mode: int = 0o640) -> None:
    """Append ``text`` as one line; a line that was cut off by a crash stays alone. OSError when the disk refuses."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = f"{text}\n".encode()
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, mode)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            line = b"\n" + line
        os.write(handle, line)
        os.fsync(handle)
    finally:
        os.close(handle)
