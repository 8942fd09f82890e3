"""The only fill rule: the next bar's open, stop and target in the bar with gaps, slippage, a share of the volume."""

from __future__ import annotations

import math

from trading.core.state import NOTHING, STOP_LOSS, TAKE_PROFIT

NO_CAP = 1_000_000_000


def slipped(price: float, way: int, bps: float, tick: float) -> float:
    """Return the price a market order gets: ``bps`` worse, then on the tick grid, rounded against us.

    ``way`` is +1 for a buy, −1 for a sell. ``tick`` 0 leaves the price off the grid.
    """
    if bps > 0.0:
        price *= 1.0 + way * bps * 1e-4
    return on_tick(price, way, tick)


def on_tick(price: float, way: int, tick: float) -> float:
    """Return ``price`` on the tick grid: up for a buy, down for a sell but not to nothing, exact to the paisa."""
    if tick <= 0.0:
        return price
    steps = math.ceil(price / tick - 1e-6) if way > 0 else max(1, math.floor(price / tick + 1e-6))
    return math.floor(steps * tick * 100.0 + 0.5) / 100.0


def capacity(volume: float, participation: float) -> int:
    """Return how many shares one bar can give us: a share of its volume; no cap when the volume is unknown."""
    if participation <= 0.0 or volume != volume:
        return NO_CAP
    return int(volume * participation)


def protection(side: int, o: float, h: float, l: float, stop: float, target: float) -> tuple[int, float]:
    """Return why and where a position is protected inside this bar, or (NOTHING, 0).

    A gap through a level fills at the open. When both levels lie inside the bar the stop is taken to come first.
    """
    if side > 0:
        if l <= stop and stop > 0.0:
            return STOP_LOSS, min(o, stop)
        if 0.0 < target <= h:
            return TAKE_PROFIT, max(o, target)
    else:
        if 0.0 < stop <= h:
            return STOP_LOSS, max(o, stop)
        if l <= target and target > 0.0:
            return TAKE_PROFIT, min(o, target)
    return NOTHING, 0.0
