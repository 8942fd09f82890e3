"""Tests that may be looked at every evening: a betting e-process, and a confidence sequence beside it.

An e-process is a gambler's fortune that starts at 1 and, while the hypothesis is true, is not expected to grow; it
passes 20 with a chance of at most 1 in 20 however often one looks (Ville; Waudby-Smith and Ramdas, JRSS-B 86, 2024).
A t-test looked at every day for a year cries wolf one time in four.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

ENOUGH: Final = 20.0  # evidence against a hypothesis at which it is given up: 1 in 20
WARM: Final = 3  # blocks that only tell the scale
CLIP: Final = 3.0  # standard deviations at which a block's difference is cut off, both ways
MOST_BET: Final = 0.5
MOST: Final = 1e9  # more evidence than this is not counted
WEEK: Final = 5  # sessions


class Evidence(NamedTuple):
    """The fortune now, the most it ever was, and the interval of the mean that holds at all times; per block."""

    blocks: int
    value: float
    highest: float
    low: float
    high: float

    @property
    def enough(self) -> bool:
        """Say whether the hypothesis of no gain is given up."""
        return self.highest >= ENOUGH


def weekly(daily: Floats, length: int = WEEK) -> Floats:
    """Return the means of whole blocks of ``length`` neighbouring days, so that they hang together less."""
    whole = daily.size // length
    found: Floats = daily[: whole * length].reshape(whole, length).mean(axis=1)
    return found


def better(differences: Floats) -> Evidence:
    """Return the evidence that the mean of ``differences`` is above 0, block by block, oldest first.

    Each block is scaled by the standard deviation of those before it and cut off at ``CLIP`` of them: what is tested
    is the mean of the differences so cut.
    """
    value = highest = 1.0
    bet = _Bet()
    for k, x in enumerate(differences.tolist()):
        if k >= WARM:
            scale = CLIP * max(float(differences[:k].std()), 1e-12)
            unit = max(-1.0, min(1.0, x / scale))
            value = min(MOST, value * (1.0 + bet.size() * unit))
            bet.saw(unit)
            highest = max(highest, value)
    low, high = sequence(differences)
    return Evidence(int(differences.size), value, highest, low, high)


def overconfident(chances: Floats, outcomes: Floats) -> Evidence:
    """Return the evidence that outcomes (0 or 1) come less often than their ``chances`` promised, oldest first."""
    gaps = chances - outcomes  # each lies in [−1, 1] and has mean 0 while the chances are right
    value = highest = 1.0
    bet = _Bet()
    for gap in gaps.tolist():
        value = min(MOST, value * (1.0 + bet.size() * gap))
        bet.saw(gap)
        highest = max(highest, value)
    low, high = sequence(gaps)
    return Evidence(int(gaps.size), value, highest, low, high)


class _Bet:
    """How much of the fortune is staked next, by what was seen so far alone (an approximate Kelly stake)."""

    def __init__(self) -> None:
        self.count, self.total, self.squares = 0, 0.0, 0.25

    def size(self) -> float:
        mean = self.total / (self.count + 1)
        return max(0.0, min(MOST_BET, mean / (self.squares / (self.count + 1) + mean * mean)))

    def saw(self, x: float) -> None:
        self.count += 1
        self.total += x
        self.squares += x * x


def sequence(x: Floats, level: float = 0.95, best_at: int = 26) -> tuple[float, float]:
    """Return an interval of the mean that holds at all times with chance ``level`` (asymptotically).

    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (Annals of Statistics 52, 2024), narrowest after ``best_at``
    observations. NaN below two of them.
    """
    n = x.size
    if n < 2:
        return math.nan, math.nan
    alpha = 1.0 - level
    rho2 = (2.0 * math.log(1.0 / alpha) + math.log(1.0 + 2.0 * math.log(1.0 / alpha))) / best_at
    reach = math.sqrt(2.0 * (n * rho2 + 1.0) / (n * n * rho2) * math.log(math.sqrt(n * rho2 + 1.0) / alpha))
    mean, spread = float(x.mean()), float(x.std(ddof=1))
    return mean - spread * reach, mean + spread * reach


def sessions_needed(effect: float) -> float:
    """Return about how many sessions it takes to find a gain of ``effect`` daily standard deviations; inf for none."""
    return 2.0 * math.log(ENOUGH) / effect**2 if effect > 0.0 else math.inf
