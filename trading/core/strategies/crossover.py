"""Be long from the bar the fast average crosses above the slow one, unless RSI says it is late."""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

from trading.core.bounds import Bound
from trading.core.errors import Invalid
from trading.core.features import Bar
from trading.core.indicators import MASK, RING, Memory, rsi, sma, units, wilder_moves
from trading.core.signals import FLAT, LONG, STAY, Opinion

WINDOWS = ("fast", "slow", "rsi")  # the parameters its features depend on
KIND = "intraday"


class Params(NamedTuple):
    """Crossover's parameters."""

    fast: Annotated[int, Bound(2, 400, "bars", "fast simple moving average")] = 20
    slow: Annotated[int, Bound(3, 500, "bars", "slow simple moving average")] = 50
    rsi: Annotated[int, Bound(2, 100, "bars", "Wilder's relative strength index")] = 14
    rsi_cap: Annotated[float, Bound(1, 100, "RSI", "no entry at or above this")] = 70.0


class Features(NamedTuple):
    """What crossover looks at: both averages now and one bar ago, and Wilder's average gain and loss; rupees."""

    fast: float
    slow: float
    gain: float
    loss: float
    fast_before: float
    slow_before: float


class State(NamedTuple):
    """What crossover remembers from bar to bar, beside its ring of prices."""

    fast_sum: float  # units of 1e-4 rupee
    slow_sum: float
    gain: float
    loss: float
    close: float
    fast: float
    slow: float


PRICE_RING = 8
MEMORY = PRICE_RING + RING

REASONS = {
    0: "no crossing",
    1: "fast average {fast:.2f} crossed above slow {slow:.2f}, RSI {rsi:.1f}",
    2: "fast average {fast:.2f} crossed below slow {slow:.2f}",
    3: "fast average crossed above slow, but RSI {rsi:.1f} is too high",
}


def recall(m: Memory) -> State:
    """Return the state kept in a lane's memory."""
    return State(m[0], m[1], m[2], m[3], m[4], m[5], m[6])


def keep(state: State, m: Memory) -> None:
    """Put the state into a lane's memory."""
    m[0], m[1], m[2], m[3], m[4], m[5], m[6] = state


def advance(state: State, m: Memory, i: int, bar: Bar, p: Params) -> tuple[State, Features]:
    """Return the new state and crossover's features of ``bar``, the i-th this memory sees (from 0)."""
    u = units(bar.close)
    fast_sum, fast = sma(state.fast_sum, m, PRICE_RING, i, p.fast, u)
    slow_sum, slow = sma(state.slow_sum, m, PRICE_RING, i, p.slow, u)
    gain, loss = wilder_moves(state.gain, state.loss, state.close, i, p.rsi, bar.close)
    m[PRICE_RING + (i & MASK)] = u
    f = Features(fast, slow, gain, loss, state.fast, state.slow)
    return State(fast_sum, slow_sum, gain, loss, bar.close, fast, slow), f


def decide(f: Features, side: int, p: Params) -> Opinion:
    """Return LONG on a crossing up below the RSI cap, FLAT on a crossing down, else STAY."""
    if f.fast > f.slow and f.fast_before <= f.slow_before:
        if rsi(f.gain, f.loss) < p.rsi_cap:
            return Opinion(LONG, 1.0, 1)
        return Opinion(STAY, 0.0, 3)
    if f.fast < f.slow and f.fast_before >= f.slow_before:
        return Opinion(FLAT, 1.0, 2)
    return Opinion(STAY, 0.0, 0)


def volatility(f: Features) -> float:
    """Return NaN: crossover keeps no ATR."""
    return math.nan


def described(f: Features) -> dict[str, float]:
    """Return the features as people read them."""
    return {"fast": f.fast, "slow": f.slow, "rsi": rsi(f.gain, f.loss)}


def check(p: Params) -> None:
    """Raise Invalid when the parameters contradict each other."""
    if p.rsi >= p.slow:
        raise Invalid(f"rsi={p.rsi} must be less than slow={p.slow}: RSI has to be warm when the averages first cross")
    if p.fast >= p.slow:
        raise Invalid(f"fast={p.fast:g} must be less than slow={p.slow:g}")
