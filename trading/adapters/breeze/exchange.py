"""One request to the broker, and what is certain of its outcome."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field


class Unanswered(Exception):
    """No whole answer came; the exchange says whether anything was written."""


class TooLate(Unanswered):
    """The deadline had passed before the first byte was written; nothing was sent."""


class Forbidden(Unanswered):
    """An order verb where only questions may be asked; nothing was sent."""


class TooMuch(Unanswered):
    """The answer is larger than any answer may be."""


@dataclass(slots=True)
class Exchange:
    """One request and what is certain of its outcome.

    ``written``: bytes may have reached the broker. ``status`` and ``body`` are None and empty until a whole answer has
    come; ``failure`` is why none came, in words ``why``. ``began`` and ``deadline`` are monotonic seconds.
    """

    method: str
    path: str
    began: float
    deadline: float | None = None
    written: bool = False
    status: int | None = None
    body: bytes = b""
    failure: Exception | None = None
    why: str = ""
    ms: float = 0.0

    def about_to_write(self) -> None:
        """Note that the next byte goes out; raise TooLate when its moment has passed."""
        if self.written:
            return
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise TooLate("the send deadline has passed")
        self.written = True


@dataclass(slots=True)
class Watch:
    """The exchanges of one question, in order.

    ``moves``: it may move money. ``deadline`` is the monotonic second after which no order verb is sent.
    """

    moves: bool = False
    deadline: float | None = None
    exchanges: list[Exchange] = field(default_factory=list)


class Now(threading.local):
    """What this thread is asking: the question it is in the middle of, and its request on the line."""

    watch: Watch | None = None
    exchange: Exchange | None = None


now = Now()
