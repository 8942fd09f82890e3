"""Have the model's inputs changed? PSI against what the model has seen, with a threshold from PSI's own history.

On indicators that remember a hundred bars the usual 0.25 fires nineteen times in twenty without any drift. So the
threshold is what past windows of the same length reached against the days before them.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BINS: Final = 10
QUANTILE: Final = 0.99
FEWEST_WINDOWS: Final = 20
LEAST: Final = 0.1  # what everybody calls no change is none, however calm the history
HEADROOM: Final = 1.25  # a quantile of few windows is an underestimate


class Drift(NamedTuple):
    """The largest PSI of any feature, its threshold (NaN while history is too short), and the feature."""

    psi: float
    threshold: float
    feature: str
    by_feature: dict[str, float]

    @property
    def alarm(self) -> bool:
        """Say whether the inputs have changed; never on a history too short to tell."""
        return self.psi > self.threshold  # False for NaN


def psi(reference: Floats, recent: Floats) -> float:
    """Return the population stability index of two samples by the reference's deciles; unknown is a bin of its own."""
    known = reference[np.isfinite(reference)]
    if not known.size or not recent.size:
        return math.nan
    edges = np.unique(np.quantile(known, np.linspace(0.0, 1.0, BINS + 1)[1:-1]))
    a, b = _shares(reference, edges), _shares(recent, edges)
    return float(((b - a) * np.log(b / a)).sum())


def _shares(sample: Floats, edges: Floats) -> Floats:
    known = np.isfinite(sample)
    inside = np.bincount(np.searchsorted(edges, sample[known], side="right"), minlength=edges.size + 1)
    counts = np.append(inside, np.count_nonzero(~known)).astype(np.float64) + 0.5  # no bin is empty
    found: Floats = counts / counts.sum()
    return found


def judge(names: tuple[str, ...], history: Floats, recent: Floats) -> Drift:
    """Return the drift of ``recent`` rows (n, features) against ``history`` rows, oldest first."""
    by_feature = {name: psi(history[:, j], recent[:, j]) for j, name in enumerate(names)}
    worst = max(by_feature, key=lambda name: _or_zero(by_feature[name]))
    return Drift(_or_zero(by_feature[worst]), threshold(history, len(recent)), worst, by_feature)


def threshold(history: Floats, window: int) -> float:
    """Return what windows of ``window`` rows inside ``history`` reached against the rest of it; NaN when too few."""
    count = len(history) // window if window else 0
    if count < FEWEST_WINDOWS:
        return math.nan
    reached = []
    for k in range(count):
        inside = slice(k * window, (k + 1) * window)
        rest = np.delete(history, np.s_[inside], axis=0)
        reached.append(max(_or_zero(psi(rest[:, j], history[inside, j])) for j in range(history.shape[1])))
    return max(LEAST, float(np.quantile(reached, QUANTILE)) * HEADROOM)


def _or_zero(x: float) -> float:
    return x if x == x else 0.0


class Calibration(NamedTuple):
    """How far chances and outcomes lie apart: Brier score, mean gap, and expected calibration error, 0 … 1."""

    decisions: int
    brier: float
    gap: float
    ece: float


def calibration(chances: Floats, outcomes: Floats, bins: int = 10) -> Calibration:
    """Return how well ``chances`` were kept by ``outcomes`` (0 or 1); NaN without any."""
    n = chances.size
    if not n:
        return Calibration(0, math.nan, math.nan, math.nan)
    place = np.minimum((chances * bins).astype(np.int64), bins - 1)
    promised, kept = np.bincount(place, chances, bins), np.bincount(place, outcomes, bins)
    error = float(np.abs(promised - kept).sum()) / n
    return Calibration(
        int(n), float(((chances - outcomes) ** 2).mean()), float((chances - outcomes).mean()), error
    )  # fmt: skip
