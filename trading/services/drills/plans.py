"""A scenario of the drill as data: what the engine is told to decide, what goes wrong meanwhile, and what happens to
the process. Seconds count from the moment the first engine is ready.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

SHARES: Final = ("ALPHA", "BRAVO", "CHARLIE", "DELTA", "ECHO", "THIN")
THIN: Final = 5  # the lane whose market trades so little that orders fill in parts
PRICE: Final = 500.0  # round which every share moves, by a thousandth
STOP_LOSS: Final = 0.02
MAX_EXPOSURE: Final = 60_000.0  # rupees
CAPITAL: Final = 1_000_000.0
LASTS: Final = 2.6  # seconds a scenario is lived before everything is cleared


@dataclass(frozen=True, slots=True)
class Decision:
    """What the engine decides at a moment: ``enter`` a lane, ``leave`` it as an operator would, or ``close`` it by the
    next bar's own decision; quantities are shares.
    """

    at: float
    verb: str
    lane: int
    quantity: int = 10


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to the engine's surroundings, or to its process, at a moment; ``verb`` is a method of the stage."""

    at: float
    verb: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """One scenario.

    ``crashes`` are crash points (``name:count``) of the first, second … engine process; ``number`` is the signal that
    strikes there. ``rival`` starts a second engine at once. ``skew`` seconds is how wrong the engine's clock is from
    second ``skew_from`` on.
    """

    name: str
    seed: int
    decisions: tuple[Decision, ...]
    steps: tuple[Step, ...] = ()
    crashes: tuple[str, ...] = ()
    number: int = signal.SIGKILL
    rival: bool = False
    skew: float = 0.0
    skew_from: float = -60.0
    redis: str = ""
    lasts: float = LASTS
    state: bool = False  # the simulator keeps its orders on the disk
    calls: int = 100_000  # the desk's own budget of calls a minute
    needs: str = ""  # postgres, sqlite or redis; empty: nothing in particular

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return the lanes' shares."""
        return SHARES
