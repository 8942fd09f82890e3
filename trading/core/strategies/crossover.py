"""Be long from the bar the fast average crosses above the slow one, unless RSI says it is late."""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

from trading.core.bounds import Bound
from trading.core.errors import Invalid
from trading.core.features import Bar
from trading.core.indicators import MASK, RING, Memory, rsi, sma, units
from trading.core.signals import FLAT, LONG, STAY, Opinion

KIND = "intraday"


class Params(NamedTuple):
    """Crossover's parameters."""

    fast: Annotated[int, Bound(2, 400, "bars", "fast simple moving average")] = 20
    slow: Annotated[int, Bound(3, 500, "bars", "slow simple moving average")] = 50
    rsi: Annotated[int, Bound(2, 100, "bars", "Wilder's relative strength index")] = 14
    rsi_cap: Annotated[float, Bound(1, 100, "RSI", "no entry at or above this")] = 70.0


class Features(NamedTuple):
    """What crossover looks at: both averages now and one bar ago (rupees), and RSI."""

    fast: float
    slow: float
    rsi: float
    fast_before: float
    slow_before: float


FAST_AT, SLOW_AT, RSI_AT, FAST_WAS, SLOW_WAS, PRICE_RING = 0, 1, 2, 5, 6, 8
MEMORY = PRICE_RING + RING

REASONS = {
    0: "no crossing",
    1: "fast average {fast:.2f} crossed above slow {slow:.2f}, RSI {rsi:.1f}",
    2: "fast average {fast:.2f} crossed below slow {slow:.2f}",
    3: "fast average crossed above slow, but RSI {rsi:.1f} is too high",
}


def advance(m: Memory, i: int, bar: Bar, p: Params) -> Features:
    """Return crossover's features of ``bar``, the i-th this memory sees (from 0)."""
    fast_before = m[FAST_WAS] if i > 0 else math.nan
    slow_before = m[SLOW_WAS] if i > 0 else math.nan
    u = units(bar.close)
    fast = sma(m, FAST_AT, PRICE_RING, i, p.fast, u)
    slow = sma(m, SLOW_AT, PRICE_RING, i, p.slow, u)
    strength = rsi(m, RSI_AT, i, p.rsi, bar.close)
    m[PRICE_RING + (i & MASK)] = u
    m[FAST_WAS] = fast
    m[SLOW_WAS] = slow
    return Features(fast, slow, strength, fast_before, slow_before)


def decide(f: Features, side: int, p: Params) -> Opinion:
    """Return LONG on a crossing up below the RSI cap, FLAT on a crossing down, else STAY."""
    if f.fast > f.slow and f.fast_before <= f.slow_before:
        if f.rsi < p.rsi_cap:
            return Opinion(LONG, 1.0, 1)
        return Opinion(STAY, 0.0, 3)
    if f.fast < f.slow and f.fast_before >= f.slow_before:
        return Opinion(FLAT, 1.0, 2)
    return Opinion(STAY, 0.0, 0)


def volatility(f: Features) -> float:
    """Return NaN: crossover keeps no ATR."""
    return math.nan


def check(p: Params) -> None:
    """Raise Invalid when the parameters contradict each other."""
    if p.fast >= p.slow:
        raise Invalid(f"fast={p.fast:g} must be less than slow={p.slow:g}")
