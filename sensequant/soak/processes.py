"""The desk's processes under a keeper that does what systemd's units do: two seconds after an end, a new beginning."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

AGAIN: Final = 2.0  # RestartSec of the units
PATIENCE: Final = 30.0  # TimeoutStopSec of the units


def lines_of(procfile: str) -> dict[str, str]:
    """Return the command lines of a Procfile by their names."""
    found = re.findall(r"^([a-z][a-z-]*):\s*(.+)$", procfile, re.MULTILINE)
    return dict(found)


class Kept:
    """One process that is kept running; ``once`` is one whose good end is the end."""

    def __init__(
        self, name: str, line: str, *, env: Mapping[str, str], cwd: Path, log: Path, once: bool = False
    ) -> None:
        """Be ready to start ``line`` with ``env``, its words going to ``log``."""
        self.name, self.line, self.once = name, line, once
        self.env, self.cwd, self.log = env, cwd, log
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = self.kills = self.failures = 0
        self.finished = False
        self.due = 0.0
        self.born: list[float] = []  # monotonic second of each start

    @property
    def pid(self) -> int | None:
        """Return its number while it lives."""
        return self.process.pid if self.process is not None and self.process.poll() is None else None

    def tend(self, *, now: float) -> None:
        """Start it when it is not running and its time has come."""
        if self.finished or self.pid is not None:
            return
        if self.process is not None:
            self._ended(self.process, now)
        elif now >= self.due:
            self._start(now)

    def _start(self, now: float) -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {self.line}"], env=dict(self.env), cwd=self.cwd, stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        self.starts += 1
        self.born.append(now)

    def _ended(self, process: subprocess.Popen[bytes], now: float) -> None:
        """Clear what is left of its group, as KillMode=mixed does, and say when it starts again."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        code, self.process = process.returncode, None
        if self.once and code == 0:
            self.finished = True
        elif code != -signal.SIGKILL:
            self.failures += 1
        self.due = now + AGAIN

    def kill(self, *, child: bool = False) -> bool:
        """Kill it, or the youngest of its children; False when nothing was there."""
        pid = self.pid
        if pid is None:
            return False
        young = children(pid) if child else []
        os.kill(young[-1] if young else pid, signal.SIGKILL)
        self.kills += 1
        return True

    def rss(self) -> float | None:
        """Return what it has in memory, MB."""
        return None if self.pid is None else rss_of(self.pid)

    def end(self) -> float:
        """Ask it to end, kill it when it does not, and return how long that took."""
        began, process = time.monotonic(), self.process
        if process is None:
            return 0.0
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.failures += 1
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return time.monotonic() - began


def children(pid: int) -> list[int]:
    """Return the processes a process has begun, oldest first."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry.name))
    return sorted(found)


def rss_of(pid: int) -> float | None:
    """Return what a process has in memory, MB; None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    found = re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) / 1024.0 if found else None
