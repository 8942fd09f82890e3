"""How well scores put one kind before the other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def auc(score: Floats, positive: npt.NDArray[np.bool_]) -> float:
    """Return the chance that a positive row scores above a negative one, ties counted half; NaN without both kinds.

    The Mann-Whitney statistic over its greatest value, from mean ranks.
    """
    up = int(positive.sum())
    down = positive.size - up
    if not up or not down:
        return float("nan")
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks = (last - (count - 1) / 2.0)[place]
    return float((ranks[positive].sum() - up * (up + 1) / 2.0) / (up * down))
