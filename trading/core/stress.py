"""What is left under heavier costs, and how many times the costs it could bear.

``stressed`` pays the same trades dearer. A dearer desk would also size, choose and be stopped differently: ``again``
runs it anew for every level.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from trading.core.charges import Rates
from trading.core.returns import from_equity, sharpe
from trading.core.simulation import Desk, Schedule, simulate_desks

LEVELS = (
    *((k, 1.0) for k in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)), *((1.0, k) for k in (0.0, 2.0, 4.0, 8.0)),
    (2.0, 2.0), (3.0, 4.0),
)  # fmt: skip
"""(times the charges, times the slippage) of the runs anew."""
FIXED = frozenset({"second_leg_free", "stamp_sell", "stt_step", "gst"})  # of ``Rates``: no charge, or one on charges
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


def again(
    desks: Sequence[Desk], charges: Schedule, capital: float, *, compiled: bool,
    watch: Callable[[float], bool] = lambda share: False,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return what the desks come to at every level, each a run of its own; ``watch`` may answer True to stop early."""
    told = []
    for k, (costs, slippage) in enumerate(LEVELS, start=1):
        dearer = [_dearer(desk, costs, slippage) for desk in desks]
        m = simulate_desks(dearer, capital=capital, charges=multiplied(charges, costs), compiled=compiled).measures
        told.append({
            "charges": costs, "slippage": slippage, "trades": int(m.trades), "net_pnl": m.total_pnl,
            "sharpe_ratio": m.sharpe_ratio, "max_drawdown": m.max_drawdown, "paid": m.charges,
        })  # fmt: skip
        if watch(k / len(LEVELS)):
            break
    return told


def _dearer(desk: Desk, costs: float, slippage: float) -> Desk:
    s = desk.setup
    venue = s.venue._replace(slippage=s.venue.slippage * slippage)
    flat = s.costs.flat * costs if s.costs.flat >= 0.0 else s.costs.flat
    return desk._replace(setup=s._replace(venue=venue, costs=s.costs._replace(flat=flat)))


def multiplied(charges: Schedule, times: float) -> Schedule:
    """Return the schedule with every charge so many times as high; GST stays, being a share of the charges."""
    scale = np.array([1.0 if name in FIXED else times for name in Rates._fields])
    return Schedule(charges.changes, np.rint(charges.rates * scale).astype(np.int64))
