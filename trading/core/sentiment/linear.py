"""The scorer ``trained``: a linear model over hashed features, its chances calibrated on headlines it had not seen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from trading.core.errors import Invalid
from trading.core.sentiment import grams as features
from trading.core.sentiment import lexicon
from trading.core.sentiment.grams import Places, grams
from trading.core.sentiment.reliability import Reliability
from trading.core.sentiment.scored import EDGE, LABELS, Scored
from trading.core.sentiment.words import SUBJECT, words

Floats = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float32]
Chances = tuple[float, float, float]

FEATURES: Final = f"{features.VERSION}.{lexicon.VERSION}"  # a model made with other features cannot be used


class Calibration(NamedTuple):
    """What makes a chance of 70 % come true seven times in ten: a factor on the log-odds, a shift of each."""

    factor: float = 1.0
    shifts: tuple[float, float, float] = (0.0, 0.0, 0.0)


PLAIN: Final = Calibration()


@dataclass(frozen=True, slots=True)
class Model:
    """Weights (buckets × labels), the labels' bias, calibrations for a whole text and for one about a named subject.

    ``reliability`` tells how often the other scorers were right on the same headlines; ``digest`` names the model.
    """

    weights: Weights
    bias: tuple[float, float, float]
    whole: Calibration = PLAIN
    subject: Calibration = PLAIN
    reliability: Mapping[str, Reliability] = field(default_factory=dict)
    digest: str = ""

    def __post_init__(self) -> None:
        """Raise Invalid unless the weights are finite and their buckets are a power of two."""
        buckets = self.weights.shape[0] if self.weights.ndim == 2 else 0
        if not buckets or buckets & (buckets - 1) or self.weights.shape[1] != len(LABELS):
            raise Invalid(f"weights of shape {self.weights.shape}: use (a power of two, {len(LABELS)})")
        if not np.isfinite(self.weights).all():
            raise Invalid("the weights hold a value that is no number")


def odds(weights: Weights, bias: tuple[float, ...], places: Places) -> Floats:
    """Return the log-odds of each label; a text of many features weighs no more than one of few."""
    total = weights[places].sum(axis=0, dtype=np.float64)
    return np.asarray(total / max(places.size, 1) ** 0.5 + bias)


def chances(log_odds: Floats, calibration: Calibration) -> Floats:
    """Return the labels' chances, along the last axis, of their log-odds."""
    told = log_odds * calibration.factor + calibration.shifts
    powers = np.exp(told - told.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def predict(model: Model, text: str, entity: str = "") -> Chances:
    """Return the chances that ``text`` is negative, neutral or positive for ``entity``: ``chances`` of one text."""
    found = words(text, entity)
    factor, shifts = model.subject if SUBJECT in found else model.whole
    log_odds = odds(model.weights, model.bias, grams(found, model.weights.shape[0])).tolist()
    told = [each * factor + shift for each, shift in zip(log_odds, shifts, strict=True)]
    highest = max(told)
    low, middle, high = (math.exp(each - highest) for each in told)
    total = low + middle + high
    return low / total, middle / total, high / total


def told(chance: Chances) -> Scored:
    """Return the balance of good and bad chances, and the chance of the label that it makes."""
    low, middle, high = chance
    value = high - low
    return Scored(value, high if value > EDGE else low if value < -EDGE else middle)
