"""How often a scorer is right, told by how strongly it speaks; learned from labelled texts."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

STRONGEST: Final = 3.0  # more than this says no more
CAUTION: Final = 1.0  # how much evidence it takes to leave an even chance
STEPS: Final = 50


class Reliability(NamedTuple):
    """The log-odds of being right: base + slope × strength, for a neutral label and for the other two."""

    neutral_base: float
    neutral_slope: float
    base: float
    slope: float

    def confidence(self, strength: float, *, neutral: bool) -> float:
        """Return the chance that the label is right, 0 … 1."""
        strength = min(strength, STRONGEST)
        odds = self.neutral_base + self.neutral_slope * strength if neutral else self.base + self.slope * strength
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, odds))))


# Measured on Indian headlines, rounded; a trained model brings its own.
KEYWORD: Final = Reliability(0.0, -1.0, 0.4, 0.5)
LEXICON: Final = Reliability(1.0, -2.6, 0.1, 1.2)


def fitted(right: Bools, strength: Floats, neutral: Bools) -> Reliability:
    """Return what fits labelled texts: was the label right, how strong was the word for it, was it neutral."""
    capped = np.minimum(strength, STRONGEST)
    return Reliability(*_line(right[neutral], capped[neutral]), *_line(right[~neutral], capped[~neutral]))


def _line(right: Bools, strength: Floats) -> tuple[float, float]:
    """Return base and slope of the log-odds by Newton's method, held back from extremes where little was seen."""
    x = np.column_stack((np.ones(strength.size), strength))
    line = np.zeros(2)
    for _ in range(STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(x @ line, -30.0, 30.0)))
        slope = x.T @ (right - chance) - CAUTION * line
        curve = (x * (chance * (1.0 - chance))[:, None]).T @ x + CAUTION * np.eye(2)
        step = np.linalg.solve(curve, slope)
        line += step
        if np.abs(step).max() < 1e-9:
            break
    return float(line[0]), float(line[1])
