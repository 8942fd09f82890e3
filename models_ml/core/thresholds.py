"""From which chance on a direction is acted upon: chosen where the model was calibrated, never where it is tested."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models_ml.core.outcomes import Rows, nets, taken
from trading.core.scoring import NEVER, Thresholds

Floats = npt.NDArray[np.float64]

QUANTILES: Final = (0.80, 0.85, 0.90, 0.95, 0.975)
FALLBACK: Final = 0.95
FEWEST: Final = 20  # trades a threshold must lead to, to be judged by them


def choose(rows: Rows, chances: Floats) -> tuple[Thresholds, dict[str, Any]]:
    """Return the thresholds and how they were found.

    For each side, of some quantiles of its chance the one whose trades' mean net return stands highest above 0 in
    standard errors. Where none is above 0 the side keeps its best twentieth of chances and is told not to pay; a side
    that hardly ever leads, or that cannot be traded, is never taken.
    """
    long, told_long = _side(rows, chances, 0)
    short, told_short = _side(rows, chances, 1)
    return Thresholds(long, short), {"long": told_long, "short": told_short}


def _side(rows: Rows, chances: Floats, place: int) -> tuple[float, dict[str, Any]]:
    mine, other = chances[:, place], chances[:, 1 - place]
    leads = (mine > other) & np.isfinite(rows.net[:, place])
    if leads.sum() < FEWEST:
        return NEVER, {"threshold": None, "tried": 0, "pays": False, "trades": 0, "net_mean": None, "t": None}
    sign = 1 - 2 * place
    tried = [(edge, *_judged(rows, leads & (mine >= edge), sign)) for edge in _edges(mine[leads])]
    fit = [each for each in tried if each[1] >= FEWEST]
    best = max(fit, key=lambda each: each[3], default=None)
    pays = best is not None and best[2] > 0.0
    if best is None or not pays:
        edge = float(np.quantile(mine[leads], FALLBACK))
        best = (edge, *_judged(rows, leads & (mine >= edge), sign))
    return best[0], {
        "threshold": best[0], "tried": len(tried), "pays": pays, "trades": best[1], "net_mean": best[2], "t": best[3],
    }  # fmt: skip


def _edges(chances: Floats) -> list[float]:
    return sorted({float(np.quantile(chances, q)) for q in QUANTILES})


def _judged(rows: Rows, acted: npt.NDArray[np.bool_], sign: int) -> tuple[int, float, float]:
    """Return the trades of a side, their mean net return, and that over its standard error."""
    directions = acted.astype(np.int64) * sign
    trades = taken(rows, directions)
    if not trades.size:
        return 0, 0.0, 0.0
    gains = nets(rows, trades, directions)
    mean, spread = float(gains.mean()), float(gains.std(ddof=1)) if trades.size > 1 else 0.0
    return int(trades.size), mean, mean / spread * math.sqrt(trades.size) if spread > 0.0 else 0.0
