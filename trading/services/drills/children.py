"""Processes of the drill: forked from a warm one, so that a scenario takes seconds; each can be killed or frozen.

The parent never runs a thread and holds no connection when it forks.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

from django.db import connections

PDEATHSIG: Final = 1
PATIENCE: Final = 5.0
BROKEN: Final = 4


class Child:
    """A process of ours: ``ended`` is its exit code (below zero: the signal that killed it), None while it lives."""

    def __init__(self, name: str, work: Callable[[int], int], out: Path) -> None:
        """Fork, and let the child run ``work(pipe)``; what it prints goes to the file ``out``."""
        connections.close_all()
        self.name, self.frozen, self.counted = name, False, False
        self.ended: int | None = None
        self.reader, writer = os.pipe()
        self.begun = time.monotonic()
        self._text = ""
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.reader)
            _live(work, writer, out)
        os.close(writer)
        os.set_blocking(self.reader, False)

    @property
    def alive(self) -> bool:
        """Say whether it has not ended, after a look; a stopped one is ``frozen``."""
        if self.ended is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED)
            if pid and os.WIFSTOPPED(status):
                self.frozen = True
            elif pid:
                self.ended = os.waitstatus_to_exitcode(status)
                self.frozen = False
        return self.ended is None

    def said(self) -> list[str]:
        """Return the whole lines it has written into its pipe since the last call."""
        try:
            while select.select([self.reader], [], [], 0)[0] and (piece := os.read(self.reader, 65_536)):
                self._text += piece.decode()
        except BlockingIOError:
            pass
        *lines, self._text = self._text.split("\n")
        return lines

    def send(self, number: int) -> None:
        """Send it a signal, if it lives."""
        if self.alive:
            os.kill(self.pid, number)
        if number == signal.SIGCONT:
            self.frozen = False

    def end(self, number: int = signal.SIGTERM, patience: float = PATIENCE) -> None:
        """End it by a signal, and by SIGKILL when that does not do."""
        self.send(number)
        until = time.monotonic() + patience
        while self.alive and time.monotonic() < until:
            time.sleep(0.005)
        if self.alive:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.ended = -signal.SIGKILL

    def close(self) -> None:
        """Kill it, if it lives, and let go of its pipe."""
        self.end(signal.SIGKILL)
        os.close(self.reader)


def _live(work: Callable[[int], int], pipe: int, out: Path) -> NoReturn:
    """Be the child: never return into the parent's code."""
    code = BROKEN
    try:
        ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGKILL)  # nobody is left behind when the drill itself is killed
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        door = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(door, 1)
        os.dup2(door, 2)
        code = work(pipe)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:  # noqa: BLE001 - whatever it is, it must not reach the parent's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def tell(pipe: int, line: str) -> None:
    """Write a line into the pipe to the parent; one that does not listen is no reason to wait."""
    try:
        os.write(pipe, f"{line}\n".encode())
    except OSError:
        return
