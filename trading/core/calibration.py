"""Whether a confidence means what it says: reliability bins, expected calibration error, Brier score."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from trading.core.trace_table import Floats, Table

BINS = 10


class Bin(NamedTuple):
    """Predictions whose confidence lies in (``low``, ``high``], 0 with the first: how sure and how right they were."""

    low: float
    high: float
    predictions: int
    confidence: float
    share_right: float


class Calibration(NamedTuple):
    """How well confidence and outcome agree: ``ece`` and ``brier`` lie in 0 … 1, 0 is perfect."""

    predictions: int
    ece: float
    brier: float
    bins: list[Bin]


def calibrate(confidence: Floats, right: Floats, bins: int = BINS) -> Calibration:
    """Return the calibration of predictions made with ``confidence`` (0 … 1) of which ``right`` (0 or 1) came true."""
    n = confidence.size
    if not n:
        return Calibration(0, math.nan, math.nan, [])
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    sure, hits = np.bincount(place, confidence, bins), np.bincount(place, right, bins)
    found = [
        Bin(k / bins, (k + 1) / bins, int(count[k]), float(sure[k] / count[k]), float(hits[k] / count[k]))
        for k in np.flatnonzero(count)
    ]
    ece = float(np.abs(sure - hits).sum() / n)
    return Calibration(n, ece, float(((confidence - right) ** 2).mean()), found)


def by_version(table: Table) -> dict[str, Calibration]:
    """Return the calibration of each version's LONG and SHORT predictions; "" holds those that name none."""
    told = table.take(np.asarray(table.predicted < 2, bool))
    right = (told.predicted == told.actual).astype(np.float64)
    found = {}
    for version in sorted(set(told.version.tolist())):
        mine = np.asarray(told.version == version, bool)
        found[version] = calibrate(told.confidence[mine], right[mine])
    return found
