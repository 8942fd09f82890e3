"""Walk-forward: search on a stretch of sessions, trade the next ones unseen, move on and search again.

Windows roll: ``train`` sessions are searched, ``purge`` sessions are left out, ``test`` sessions are traded with what
the search chose; then everything moves on by ``step``. With ``step`` equal to ``test`` the traded stretches follow each
other without a gap and none is traded twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from models_ml.core.periods import LEAST, Span
from trading.core.errors import Invalid

SESSIONS: Final = {"": 1, "d": 1, "w": 5, "m": 21}
"""Trading sessions that a unit stands for: a session (a trading day), a week and a month of them."""

HOW: Final = "write TRAIN:TEST or TRAIN:TEST:STEP in trading sessions, such as 60:20 (w is 5 sessions, m is 21)"
MOST: Final = 10_000
MOST_WINDOWS: Final = 500


class Plan(NamedTuple):
    """How long a window is, in trading sessions."""

    train: int
    test: int
    step: int

    def __str__(self) -> str:
        """Return the plan as it can be asked for."""
        return f"{self.train}:{self.test}:{self.step}"


class Window(NamedTuple):
    """One window: the sessions that are searched, and those that are traded with what was found."""

    number: int
    train: Span
    test: Span


def plan(text: str) -> Plan:
    """Return the plan that ``60:20``, ``60d:20d`` or ``3m:1m:1m`` asks for; Invalid names what cannot be."""
    parts = text.strip().lower().split(":")
    if not 2 <= len(parts) <= 3:
        raise Invalid(f"walk-forward {text!r} cannot be used: {HOW}")
    train, test, *rest = (_sessions(part, text) for part in parts)
    found = Plan(train, test, rest[0] if rest else test)
    for name, value, least in (("TRAIN", found.train, 2 * LEAST), ("TEST", found.test, 1), ("STEP", found.step, 1)):
        if not least <= value <= MOST:
            raise Invalid(f"walk-forward {text!r}: {name} of {value} sessions cannot be: use {least} to {MOST}")
    if found.step < found.test:
        raise Invalid(
            f"walk-forward {text!r}: a STEP of {found.step} is less than TEST, so sessions would be traded twice: "
            f"use {found.test} or more"
        )
    return found


def _sessions(word: str, text: str) -> int:
    match = re.fullmatch(r"(-?[0-9]{1,6})\s*([dwm]?)", word.strip())
    if match is None:
        raise Invalid(f"walk-forward {text!r}: {word.strip()!r} is no number of sessions: {HOW}")
    return int(match[1]) * SESSIONS[match[2]]


def windows(sessions: Sequence[int], asked: Plan, purge: int) -> tuple[Window, ...]:
    """Return the windows over ``sessions`` (ordinals, rising), oldest first; Invalid when there is no room for one.

    The last one may be traded for fewer sessions, but not for less than half of ``asked.test``: such a rest is left.
    """
    found: list[Window] = []
    begin = 0
    while (first := begin + asked.train + purge) < len(sessions):
        stop = min(first + asked.test, len(sessions))
        if 2 * (stop - first) < asked.test:
            break
        train = Span(int(sessions[begin]), int(sessions[begin + asked.train - 1]), asked.train)
        test = Span(int(sessions[first]), int(sessions[stop - 1]), stop - first)
        found.append(Window(len(found) + 1, train, test))
        begin += asked.step
    fits(len(sessions), asked, purge)
    if len(found) > MOST_WINDOWS:
        raise Invalid(f"walk-forward {asked} makes {len(found)} windows: use at most {MOST_WINDOWS}, so a longer STEP")
    return tuple(found)


def fits(sessions: int, asked: Plan, purge: int) -> None:
    """Raise Invalid unless so many sessions hold one whole window."""
    least = asked.train + purge + asked.test
    if sessions < least:
        raise Invalid(
            f"walk-forward {asked} needs {least} sessions ({asked.train} to search, {purge} purged, {asked.test} to "
            f"trade), but there are {sessions}: choose more days or a shorter window"
        )


def left_over(sessions: Sequence[int], found: Sequence[Window]) -> int:
    """Return how many sessions after the last window are not traded."""
    return sum(1 for each in sessions if each > found[-1].test.last)
