"""The same trades under heavier costs: what is left, and how many times the costs it could bear.

Only what was paid changes. A dearer desk would also size and choose differently, which only a run of its own shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from trading.core.returns import from_equity, sharpe

COSTS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)  # times the charges that were paid
SLIPPAGE = (0.0, 0.0005, 0.001, 0.002)  # more on each side, as a fraction of the price


class Paid(NamedTuple):
    """What a trade came to, in rupees; ``turnover`` is both sides together, ``day`` the session it was closed in."""

    day: str
    gross: float
    charges: float
    turnover: float


def stressed(trades: Sequence[Paid], equity: Sequence[tuple[str, float]], capital: float) -> dict[str, Any]:
    """Return net P&L and Sharpe for each multiple of the charges and each extra slippage; losers have no break-even.

    ``equity`` is [(session, rupees at its end)]; what is paid more is taken off from the session a trade is closed in.
    """
    gross, charges = sum(t.gross for t in trades), sum(t.charges for t in trades)
    turnover = sum(t.turnover for t in trades)
    costs = [_row(k, [(k - 1.0) * t.charges for t in trades], trades, equity, capital) for k in COSTS]
    slips = [_row(s, [s * t.turnover for t in trades], trades, equity, capital) for s in SLIPPAGE]
    return {
        "costs": costs, "slippage": slips,
        "break_even_costs": gross / charges if charges > 0.0 and gross > 0.0 else None,
        "break_even_slippage": (gross - charges) / turnover if gross > charges and turnover > 0.0 else None,
    }  # fmt: skip


def _row(
    level: float, more: Sequence[float], trades: Sequence[Paid], equity: Sequence[tuple[str, float]], capital: float
) -> dict[str, float]:  # fmt: skip
    days = {day: k for k, (day, _) in enumerate(equity)}
    taken = np.zeros(len(equity))
    for trade, paid in zip(trades, more, strict=True):
        if trade.day in days:
            taken[days[trade.day]] += paid
    curve = np.array([rupees for _, rupees in equity]) - np.cumsum(taken)
    ratio = float(sharpe(from_equity(curve.tolist(), capital))) if len(curve) > 1 else float("nan")
    net = sum(t.gross - t.charges for t in trades) - sum(more)
    return {"level": level, "net_pnl": net, "sharpe_ratio": ratio}
