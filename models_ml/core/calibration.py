"""One temperature that makes chances come true as often as they say, fitted on rows the model was not fitted on."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LOWEST, HIGHEST = -3.0, 3.0  # of the logarithm of the factor 1 / temperature
STEPS: Final = 200
NEAR: Final = 1e-12


def softmax(odds: Floats) -> Floats:
    """Return the chances (n, c) of log-odds (n, c)."""
    powers = np.exp(odds - odds.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def temperature(odds: Floats, truth: Ints, weight: Floats) -> float:
    """Return the temperature under which ``truth`` (n,) was likeliest, given log-odds (n, c) and weights (n,).

    The loss is convex in the factor 1 / temperature, so its slope is halved down to nothing. Between 1/20 and 20.
    """

    def slope(log_factor: float) -> float:
        chance = softmax(odds * math.exp(log_factor))
        mean = (chance * odds).sum(axis=1)
        return float(np.average(mean - odds[np.arange(truth.size), truth], weights=weight))

    low, high = LOWEST, HIGHEST
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if slope(middle) > 0.0 else (middle, high)
        if high - low < NEAR:
            break
    return math.exp(-0.5 * (low + high))
