"""What else the same trades might have come to: Monte Carlo of their order, and of their choice.

*Permutation* keeps the trades and changes their order: the end is the same, the way there is not. *Bootstrap* draws
as many trades with replacement: both change. Net P&L is added up in rupees, as positions of a fixed value earn it.
Chunks have generators of their own, so that a run that was interrupted comes to the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
METHODS = ("bootstrap", "permutation")
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
STEPS = 60  # points of the fan
CELLS = 1_000_000  # paths × trades of one chunk


def chunk_sizes(paths: int, trades: int) -> list[int]:
    """Return how many paths each chunk has; the same for the same numbers."""
    most = max(1, min(500, CELLS // max(1, trades)))
    return [min(most, paths - at) for at in range(0, paths, most)]


def orders(net: Floats, paths: int, *, method: str, seed: int, chunk: int) -> Floats:
    """Return ``paths`` sequences of trades' net P&L, shape (paths, trades)."""
    rng = np.random.default_rng([seed, chunk, METHODS.index(method)])
    if method == "permutation":
        return rng.permuted(np.broadcast_to(net, (paths, len(net))), axis=1)
    return net[rng.integers(0, len(net), (paths, len(net)))]


def fates(sequences: Floats, capital: float) -> tuple[Floats, Floats, Floats]:
    """Return each path's final equity and lowest equity in rupees, and deepest drawdown as a fraction."""
    equity = capital + np.cumsum(sequences, axis=1)
    peak = np.maximum(np.maximum.accumulate(equity, axis=1), capital)
    return equity[:, -1], np.minimum(equity.min(axis=1), capital), np.max(1.0 - equity / peak, axis=1, initial=0.0)


def fan(sequences: Floats, capital: float) -> dict[str, Any]:
    """Return quantiles of equity along the way: ``at`` (trades so far) and a list of rupees for each quantile."""
    equity = capital + np.cumsum(sequences, axis=1)
    at = np.unique(np.linspace(0, equity.shape[1] - 1, STEPS).astype(int))
    rows = np.quantile(equity[:, at], QUANTILES, axis=0)
    lines = {f"{q:.2f}": [capital, *np.round(row, 2).tolist()] for q, row in zip(QUANTILES, rows, strict=True)}
    return {"at": [0, *(at + 1).tolist()], "lines": lines}


def summary(
    final: Sequence[float], lowest: Sequence[float], deepest: Sequence[float], capital: float, ruin: float
) -> dict[str, Any]:
    """Return quantiles over all paths, the shares that lose and that fall to ``ruin`` (a share of capital) or below."""
    end, low, fall = (np.asarray(x, np.float64) for x in (final, lowest, deepest))

    def quantiles(x: Floats) -> dict[str, float]:
        return {f"{q:.2f}": float(v) for q, v in zip(QUANTILES, np.quantile(x, QUANTILES), strict=True)}

    return {
        "paths": len(end), "final": quantiles(end), "drawdown": quantiles(fall),
        "probability_of_loss": float(np.mean(end < capital)),
        "risk_of_ruin": float(np.mean(low <= ruin * capital)),
    }  # fmt: skip
