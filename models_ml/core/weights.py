"""How much a row counts: labels that look at the same stretch of time are not independent, so they share its weight.

Average uniqueness: M. López de Prado, Advances in Financial Machine Learning, ch. 4.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trading.core.errors import Invalid

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def uniqueness(ts: Ints, end: Ints) -> Floats:
    """Return each label's average share of the time it covers, [ts, end) in seconds; 1 = nobody else looks at it.

    The weights times their lengths sum to the time that is covered by any label at all. Invalid when a label ends
    before it begins.
    """
    if ts.shape != end.shape or bool(np.any(end <= ts)):
        raise Invalid("every label needs an end after its start")
    if not ts.size:
        return np.zeros(0)
    edges = np.unique(np.concatenate([ts, end]))
    first, last = np.searchsorted(edges, ts), np.searchsorted(edges, end)
    opened = np.bincount(first, minlength=edges.size) - np.bincount(last, minlength=edges.size)
    together = np.cumsum(opened)[:-1]
    spans = np.diff(edges)
    shared = np.where(together > 0, spans / np.maximum(together, 1), 0.0)
    total = np.concatenate([[0.0], np.cumsum(shared)])
    shares: Floats = np.minimum(1.0, (total[last] - total[first]) / (end - ts))
    return shares


def overlap_weights(symbol: npt.NDArray[np.str_], ts: Ints, end: Ints) -> Floats:
    """Return the uniqueness of stacked rows (n,), each among the rows of its own symbol."""
    weights = np.empty(ts.size)
    for name in np.unique(symbol):
        rows = np.flatnonzero(symbol == name)
        weights[rows] = uniqueness(ts[rows], end[rows])
    return weights
