"""Places where a drill may kill the process, as a power cut would: ``CRASH_AT=claimed:2`` dies at the second claim.

Nothing happens unless a drill set the variable; no door of the desk does.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import Final

VARIABLE: Final = "SENSEQUANT_CRASH_AT"
OF_ORDERS: Final = (
    "intent-committed", "claimed", "before-send", "after-send", "answered", "acknowledged", "fill-written",
    "fill-committed",
)  # fmt: skip
OF_ALERTS: Final = ("alert-claimed", "alert-before-send", "alert-after-send", "alert-written")
OF_THE_LEDGER: Final = ("ledger-appended", "ledger-committed", "ledger-head-filed", "ledger-archive-filed")
_turn = threading.Lock()
_name, _left, _number = "", 0, int(signal.SIGKILL)


def arm(text: str, number: int = signal.SIGKILL) -> None:
    """Let the process get signal ``number`` at ``text`` (``name:count``); an empty text is for never."""
    global _name, _left, _number
    _name, _, count = text.partition(":")
    _left, _number = (int(count or 1) if _name else 0), int(number)


def point(name: str) -> None:
    """Die here, without any clean-up, when it is this place's turn."""
    global _left
    if name != _name:
        return
    with _turn:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), _number)


arm(os.environ.get(VARIABLE, ""))
