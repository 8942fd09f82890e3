"""Read what may be hostile in a process of its own first: no network, no files, no children, bounded memory and time.

    confined.first_look("trading.adapters.student_files:model_of", text, f"{path}")

The child gets the bytes themselves on its standard input, so what was looked at is what is used afterwards, and an
environment without secrets. Limits of the kernel hold memory, time and files written; a network namespace of its own
holds the network where the kernel gives one; an audit hook that cannot be taken off ends it at the first attempt to
open, connect or start anything. What passed is remembered by its SHA-256 for as long as the process lives.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib
import io
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from sensequant.lib.errors import BadInput

MEMORY: Final = 1 << 30  # bytes of address space
SECONDS: Final = 20  # of the processor; waiting counts three times that
ROOT: Final = Path(__file__).resolve().parents[2]
NEW_USER, NEW_NET, NO_NEW_PRIVILEGES = 0x10000000, 0x40000000, 38
FORBIDDEN: Final = (
    "open", "socket", "subprocess", "ctypes", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn",
    "os.system", "os.kill", "os.remove", "os.rename", "os.link", "os.symlink", "os.mkdir", "os.rmdir", "os.chmod",
    "os.listdir", "os.scandir", "os.truncate", "pty", "shutil", "resource.prlimit", "mmap", "sqlite3", "code.__new__",
    "pickle.find_class",
)  # fmt: skip
FIX: Final = "take it from somebody you trust, or make it again"
REFUSED, TRIED = 3, 4  # what the child ends with

_sound: set[str] = set()


def first_look(reader: str, text: bytes, name: str, *, memory: int = MEMORY, seconds: int = SECONDS) -> None:
    """Let ``reader`` ("module:function" of ours, called with the bytes) read ``text`` in a child.

    BadInput names the file (``name``) and what it tried, or what it needed too much of, and the log keeps it.
    """
    digest = hashlib.sha256(b"%s\0%s" % (reader.encode(), text)).hexdigest()
    if digest in _sound:
        return
    command = [sys.executable, "-P", "-m", "sensequant.lib.confined", reader, str(memory), str(seconds)]
    env = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, input=text, env=env, cwd="/", capture_output=True, timeout=3 * seconds, check=False,
            start_new_session=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        _refuse(name, f"reading it takes more than {3 * seconds} seconds")
        return
    if done.returncode == 0:
        _sound.add(digest)
        return
    said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2][:200]
    if done.returncode in (REFUSED, TRIED):
        _refuse(name, said)
    if done.returncode < 0:
        _refuse(name, f"reading it takes more than {seconds} seconds of the processor (signal {-done.returncode})")
    _refuse(name, f"its reader ended with {done.returncode}: {said}")


def _refuse(name: str, why: str) -> None:
    from sensequant.lib.logs import get_logger

    get_logger("security").warning("model file refused", file=name, why=why)
    raise BadInput(f"{name} cannot be used: {why}", fix=FIX)


def enter(memory: int, seconds: int) -> bool:
    """Confine this process for good; say whether it has a network of its own (an empty one)."""
    own = _own_network()
    for kind, most in (
        (resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NPROC, 0), (resource.RLIMIT_NOFILE, 3),
    ):  # fmt: skip
        resource.setrlimit(kind, (most, most))
    sys.addaudithook(_watch)
    return own


def _own_network() -> bool:
    with contextlib.suppress(OSError, AttributeError):  # a system without these calls
        libc = ctypes.CDLL(None)
        libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        return not libc.unshare(NEW_NET) or not libc.unshare(NEW_USER | NEW_NET)
    return False


def _watch(event: str, given: tuple[Any, ...]) -> None:
    """End the process at once: an exception could be caught by what raised it."""
    if event.startswith(FORBIDDEN):
        what = ", ".join(repr(each)[:60] for each in given if isinstance(each, str | int | tuple))
        os.write(2, f"it tried {event} ({what})\n".encode("ascii", "backslashreplace"))
        os._exit(TRIED)


def main(reader: str, memory: str, seconds: str) -> int:
    """Read standard input with ``reader``, confined."""
    module, _, function = reader.partition(":")
    read = getattr(importlib.import_module(module), function)
    source = io.BytesIO(sys.stdin.buffer.read())
    enter(int(memory), int(seconds))
    try:
        read(source.getvalue())
    except MemoryError:
        why = f"reading it takes more than {int(memory) >> 20} MiB of memory"
    except BadInput as error:
        why = error.message
    except Exception as error:  # noqa: BLE001 - whatever a hostile file makes of its reader
        why = f"it is no model of ours ({type(error).__name__})"
    else:
        return 0
    os.write(2, f"{why}\n".encode())
    return REFUSED


if __name__ == "__main__":
    ended = main(*sys.argv[1:])
    os._exit(ended)
