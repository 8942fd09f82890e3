"""History for the bars the stream missed: asked aside, so that no slow answer holds up the market.

Each lane has one question under way at most. A question that fails is asked again after 2, 4, 8 … 30 seconds, or when
the broker says; the lanes do not wait for one another.
"""

from __future__ import annotations

import datetime as dt
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connections

from sensequant.lib.errors import BadInput, NotFound, SenseQuantError
from sensequant.lib.logs import get_logger
from trading.core.bars import Bars
from trading.core.errors import Invalid

History = Callable[[str, dt.datetime, dt.datetime], Bars]
DELAYS: Final = (2.0, 4.0, 8.0, 16.0, 30.0)
WORKERS: Final = 2
FOR_GOOD: Final = (BadInput, NotFound, Invalid)  # asking again would be answered the same
log = get_logger("filling")


Key = tuple[int, bool]


@dataclass(frozen=True, slots=True)
class Question:
    """A lane's bars that start from ``first`` to ``last``, both included, in seconds UTC.

    ``compare``: only to hold what was decided on against them; nobody waits for it.
    """

    lane: int
    symbol: str
    first: int
    last: int
    compare: bool = False

    @property
    def key(self) -> Key:
        """Return of which questions only one is under way at a time."""
        return self.lane, self.compare


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question: bars, or None and why; ``hopeless`` when asking again would not help."""

    question: Question
    bars: Bars | None
    why: str = ""
    hopeless: bool = False


class Filler:
    """Asks ``history(symbol, start, end)`` in threads of its own; ends are aware and inclusive."""

    def __init__(self, history: History, delays: Sequence[float] = DELAYS) -> None:
        """Ask nothing yet."""
        self._history, self.delays = history, tuple(delays)
        self._questions: queue.SimpleQueue[Question | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._asked: set[Key] = set()
        self._tries: dict[Key, int] = {}
        self._not_before: dict[Key, float] = {}
        self._threads: list[threading.Thread] = []

    def want(self, question: Question) -> None:
        """Ask, unless the lane's last question is under way or failed a moment ago; may be called at every turn."""
        key = question.key
        if key in self._asked or time.monotonic() < self._not_before.get(key, 0.0):
            return
        if not self._threads:
            self._threads = [threading.Thread(target=self._work, name="filling", daemon=True) for _ in range(WORKERS)]
            for thread in self._threads:
                thread.start()
        self._asked.add(key)
        self._tries[key] = self._tries.get(key, 0) + 1
        self._not_before[key] = time.monotonic() + self.delays[min(self._tries[key], len(self.delays)) - 1]
        self._questions.put(question)

    def tries(self, lane: int, *, compare: bool = False) -> int:
        """Return how often in a row a lane's question was asked."""
        return self._tries.get((lane, compare), 0)

    def hurry(self) -> None:
        """Let every lane ask at once: the line is back."""
        self._tries.clear()
        self._not_before.clear()

    def satisfied(self, lane: int, *, compare: bool = False) -> None:
        """Take note that a lane has what it wanted."""
        self._tries.pop((lane, compare), None)
        self._not_before.pop((lane, compare), None)

    def answers(self) -> list[Answer]:
        """Return what was answered since the last call; never wait."""
        found = []
        while not self._answers.empty():
            answer = self._answers.get()
            self._asked.discard(answer.question.key)
            found.append(answer)
        return found

    def close(self) -> None:
        """Ask no more; a question under way ends by its own time limits."""
        for _ in self._threads:
            self._questions.put(None)

    def _work(self) -> None:
        while (question := self._questions.get()) is not None:
            self._answers.put(self._ask(question))
            connections.close_all()  # a thread that waits holds nothing

    def _ask(self, question: Question) -> Answer:
        start, end = (dt.datetime.fromtimestamp(ts, dt.UTC) for ts in (question.first, question.last))
        try:
            return Answer(question, self._history(question.symbol, start, end))
        except FOR_GOOD as error:
            return Answer(question, None, getattr(error, "message", str(error)), hopeless=True)
        except SenseQuantError as error:
            wait = error.context.get("retry_after") or 0.0
            self._not_before[question.key] = max(self._not_before.get(question.key, 0.0), time.monotonic() + wait)
            return Answer(question, None, error.message)
        except Exception as error:  # whatever it is, the other lanes go on, and this one is asked again
            log.exception("history failed", symbol=question.symbol)
            return Answer(question, None, f"{type(error).__name__}: {error}"[:200])
