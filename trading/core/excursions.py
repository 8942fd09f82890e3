"""How far each trade went against and for its holder before it was closed, from the bars it was held through.

The bar of the entry counts from its open, at which it is filled. Of the bar of the exit only the exit's own price
counts: what else that bar saw may have come after it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trading.core.panel import LaneBars
from trading.core.rolls import rest
from trading.core.state import EVENT_FIELDS, TRADED, WIDTH

Floats = npt.NDArray[np.float64]


def excursions(events: Floats, lanes: Sequence[LaneBars]) -> tuple[Floats, Floats]:
    """Return the maximum adverse and favourable excursion of every closed trade among a run's events, oldest first.

    Both are fractions of the entry price, never below 0.
    """
    rows = events.reshape(-1, WIDTH)
    rows = rows[rows[:, 0] == TRADED]
    side, entry, leave, first = (_column(rows, name) for name in ("side", "entry_price", "exit_price", "entry_bar"))
    low, high = np.minimum(entry, leave), np.maximum(entry, leave)
    lane, a, b = rows[:, 1].astype(int), first.astype(int), rows[:, 2].astype(int)
    for j in np.unique(lane).tolist():
        bars = lanes[j].bars
        for k in np.flatnonzero((lane == j) & (a < b)).tolist():
            low[k] = min(low[k], bars.low[a[k] : b[k]].min())
            high[k] = max(high[k], bars.high[a[k] : b[k]].max())
        rest(bars)
    down, up = 1.0 - low / entry, high / entry - 1.0
    return np.where(side > 0.0, down, up), np.where(side > 0.0, up, down)


def _column(rows: Floats, name: str) -> Floats:
    return rows[:, 4 + EVENT_FIELDS[TRADED].index(name)].copy()


def summary(adverse: Floats, favourable: Floats, net: Floats) -> dict[str, float | int | None]:
    """Return what winners had to bear and losers let go: medians of both, as fractions of the entry price."""
    won = net > 0.0

    def middle(of: Floats) -> float | None:
        return float(np.median(of)) if of.size else None

    mean = float(adverse.mean()) if adverse.size else 0.0
    return {
        "winners": int(won.sum()), "losers": int((~won).sum()), "winners_mae": middle(adverse[won]),
        "winners_mfe": middle(favourable[won]), "losers_mae": middle(adverse[~won]),
        "losers_mfe": middle(favourable[~won]), "edge_ratio": float(favourable.mean()) / mean if mean > 0.0 else None,
    }  # fmt: skip
