"""Whether the best configuration stands on a plateau or on a needle, and which parameters matter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
NEIGHBOURS = 2  # for each parameter, one on either side
NEEDLE = 0.5  # neighbours worth less than half of the best, measured from the median of all


class Plateau(NamedTuple):
    """The best score, the median of its nearest neighbours and of all; ``held`` is how much of the lead they share."""

    best: float
    neighbours: float
    median: float
    held: float
    isolated: bool


def plateau(places: Floats, scores: Floats, best: int) -> Plateau:
    """Return how the nearest neighbours of configuration ``best`` do.

    ``places`` (configurations × parameters) are each parameter's whereabouts in its range, 0 … 1. NaN with too few
    configurations to have neighbours, or when the best is no better than the median.
    """
    count, width = places.shape
    nothing = Plateau(float(scores[best]) if count else math.nan, math.nan, math.nan, math.nan, False)
    if count < 4 or not width:
        return nothing
    others = np.delete(np.arange(count), best)
    distance = np.abs(places[others] - places[best]).sum(axis=1)
    nearest = others[np.argsort(distance, kind="stable")[: min(NEIGHBOURS * width, count - 1)]]
    around, middle = float(np.median(scores[nearest])), float(np.median(scores))
    lead = float(scores[best]) - middle
    held = (around - middle) / lead if lead > 1e-12 else math.nan
    return Plateau(float(scores[best]), around, middle, held, bool(held < NEEDLE))


class Sensitivity(NamedTuple):
    """One parameter: the rank correlation of its value with the score, how far its levels lie apart, their means."""

    name: str
    correlation: float
    spread: float
    means: list[tuple[float, float, int]]


def sensitivities(names: Sequence[str], values: Floats, scores: Floats, levels: int = 8) -> list[Sensitivity]:
    """Return every parameter's sensitivity, the strongest spread first.

    ``values`` are (configurations × parameters); a parameter with many values is gathered into ``levels`` groups whose
    mean value stands for them. ``means`` are (value, mean score, configurations).
    """
    found = []
    for k, name in enumerate(names):
        column = values[:, k]
        means = _means(column, scores, levels)
        spread = max(m for _, m, _ in means) - min(m for _, m, _ in means) if means else 0.0
        found.append(Sensitivity(name, rank_correlation(column, scores), spread, means))
    return sorted(found, key=lambda each: -each.spread)


def _means(column: Floats, scores: Floats, levels: int) -> list[tuple[float, float, int]]:
    different = np.unique(column)
    if different.size <= levels:
        groups = [np.flatnonzero(column == value) for value in different]
    else:
        groups = [part for part in np.array_split(np.argsort(column, kind="stable"), levels) if part.size]
    return [(float(column[g].mean()), float(scores[g].mean()), int(g.size)) for g in groups]


def rank_correlation(x: Floats, y: Floats) -> float:
    """Return Spearman's correlation, ties sharing their mean rank; 0 when either never changes."""
    a, b = _ranks(x), _ranks(y)
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / size if size > 0.0 else 0.0


def _ranks(x: Floats) -> Floats:
    _, where, counts = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2.0)[where]


def heat(names: Sequence[str], values: Floats, scores: Floats, levels: int = 8) -> dict[str, Any]:
    """Return the mean score over the two parameters named first: their levels, and a matrix with None where untried."""
    if len(names) < 2:
        return {}
    (rows, row_of), (columns, column_of) = _levelled(values[:, 0], levels), _levelled(values[:, 1], levels)
    total, count = np.zeros((len(rows), len(columns))), np.zeros((len(rows), len(columns)))
    np.add.at(total, (row_of, column_of), scores)
    np.add.at(count, (row_of, column_of), 1.0)
    cells = [
        [float(t / n) if n else None for t, n in zip(a, b, strict=True)] for a, b in zip(total, count, strict=True)
    ]
    return {"row": names[0], "column": names[1], "rows": rows, "columns": columns, "scores": cells}


def _levelled(column: Floats, levels: int) -> tuple[list[float], npt.NDArray[np.int64]]:
    different = np.unique(column)
    if different.size <= levels:
        return different.tolist(), np.searchsorted(different, column).astype(np.int64)
    edges = np.quantile(different, np.linspace(0.0, 1.0, levels + 1))
    place = np.clip(np.searchsorted(edges, column, side="right") - 1, 0, levels - 1).astype(np.int64)
    return [float((edges[k] + edges[k + 1]) / 2.0) for k in range(levels)], place
