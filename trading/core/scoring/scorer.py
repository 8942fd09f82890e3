"""A student ready to score: its model, its calibration, its thresholds, and what a feature row must look like."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from trading.core.errors import Invalid
from trading.core.scoring.forest import Forest
from trading.core.scoring.linear import Linear

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CLASSES: Final = ("LONG", "SHORT", "NOOP")
DIRECTIONS: Final = (1, -1, 0)
NEVER: Final = 2.0  # a threshold no chance reaches
TEACHING: Final = ("label_", "teacher_", "fwd_")  # columns a student may learn from but never be served
MOST_HEAT: Final = 1e3


class Thresholds(NamedTuple):
    """The chance from which LONG, or SHORT, is acted upon; ``NEVER`` when it is not."""

    long: float
    short: float


class Scored(NamedTuple):
    """What a student says of one row: the chances, the direction (+1 LONG, −1 SHORT, 0 NOOP) and its chance."""

    p_long: float
    p_short: float
    p_noop: float
    confidence: float
    direction: int


@dataclass(frozen=True, slots=True)
class Scorer:
    """A student: ``names`` are its features in their order, ``digest`` names the code that made them.

    Its chances are the softmax of the model's log-odds divided by ``temperature``, which was fitted on rows the model
    was not fitted on. A direction is taken when its chance reaches its threshold and is above the other's.
    """

    version: str
    model_type: str
    names: tuple[str, ...]
    digest: str
    model: Linear | Forest
    temperature: float
    thresholds: Thresholds

    def __post_init__(self) -> None:
        """Raise Invalid when the parts do not fit each other, or a feature is one that only teaching knows."""
        if len(set(self.names)) != len(self.names) or len(self.names) != self.model.features:
            raise Invalid(f"{len(self.names)} names for {self.model.features} features")
        if guilty := [name for name in self.names if name.startswith(TEACHING)]:
            raise Invalid(f"the feature {guilty[0]} is known only afterwards")
        if self.model.classes != len(CLASSES):
            raise Invalid(f"{self.model.classes} classes: they must be {', '.join(CLASSES)}")
        if not 0.0 < self.temperature <= MOST_HEAT:
            raise Invalid(f"a temperature of {self.temperature} cannot be")
        if not all(0.0 <= threshold <= NEVER for threshold in self.thresholds):
            raise Invalid(f"thresholds {tuple(self.thresholds)} cannot be")

    def score(self, row: Sequence[float] | Floats) -> Scored:
        """Return what the student says of one row, in the order of ``names``; NaN where a feature is unknown."""
        x = np.asarray(row, np.float64)
        if x.shape != (len(self.names),):
            raise Invalid(f"a row of shape {x.shape}: give the {len(self.names)} features in the order of their names")
        first, second, third = (self.model.odds(x) / self.temperature).tolist()
        highest = max(first, second, third)
        long, short, noop = math.exp(first - highest), math.exp(second - highest), math.exp(third - highest)
        total = long + short + noop
        long, short, noop = long / total, short / total, noop / total
        if long >= self.thresholds.long and long > short:
            return Scored(long, short, noop, long, 1)
        if short >= self.thresholds.short and short > long:
            return Scored(long, short, noop, short, -1)
        return Scored(long, short, noop, noop, 0)

    def chances(self, rows: Floats) -> Floats:
        """Return the chances (n, 3) in the order of ``CLASSES`` of rows (n, features)."""
        told = self.model.odds(np.ascontiguousarray(rows, np.float64)) / self.temperature
        powers = np.exp(told - told.max(axis=-1, keepdims=True))
        shares: Floats = powers / powers.sum(axis=-1, keepdims=True)
        return shares

    def directions(self, chances: Floats) -> Ints:
        """Return the directions (n,) that chances (n, 3) lead to, as ``score`` takes them."""
        long, short = chances[:, 0], chances[:, 1]
        up = (long >= self.thresholds.long) & (long > short)
        down = (short >= self.thresholds.short) & (short > long)
        return up.astype(np.int64) - down.astype(np.int64)
