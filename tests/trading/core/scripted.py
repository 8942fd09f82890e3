"""A strategy that says what it is told: its word travels in the bar's ``minute``, which no rule of the desk reads."""

from __future__ import annotations

from typing import NamedTuple

from trading.core.features import Bar
from trading.core.indicators import Memory
from trading.core.signals import Opinion

MEMORY = 1


class Params(NamedTuple):
    """How sure the word is, and the average true range it goes with."""

    confidence: float = 1.0
    atr: float = float("nan")


class Features(NamedTuple):
    word: int
    atr: float


def recall(m: Memory) -> float:
    return m[0]


def keep(state: float, m: Memory) -> None:
    m[0] = state


def advance(state: float, m: Memory, i: int, bar: Bar, p: Params) -> tuple[float, Features]:
    return state + 1.0, Features(bar.minute, p.atr)


def decide(f: Features, side: int, p: Params) -> Opinion:
    return Opinion(f.word, p.confidence, 0)


def volatility(f: Features) -> float:
    return f.atr
