"""Markets of shares whose truth is known, searched through the real desk: a random walk, or one that pays one strategy.

A planted market drifts in the direction the swing strategy with ``PLANTED`` parameters holds, and is a random walk
otherwise: so that configuration has skill, its neighbours share some of it, and nobody else has any. Nothing costs
anything here, which makes noise as hard to see through as it can be.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math

import numpy as np
import numpy.typing as npt

from models_ml.core.overfitting import Floats
from models_ml.core.part_measures import curve
from trading.core import demo
from trading.core.bars import DAY, Bars
from trading.core.calendar import NSE
from trading.core.features import Bar
from trading.core.panel import LaneSpec, Panel, lane, panel
from trading.core.setups import make_setup
from trading.core.signals import FLAT, LONG, SHORT
from trading.core.simulation import NO_CHARGES, simulate
from trading.core.strategies import swing

STRATEGY = "swing"
PLANTED = swing.Params(sma=20, ema=50, rsi=14, rsi_entry=45.0, rsi_exit=72.0)
GRID = [
    PLANTED._replace(ema=ema, rsi=rsi, rsi_entry=entry, rsi_exit=leave)
    for ema, rsi, entry, leave in itertools.product(
        (20, 35, 50, 80), (9, 14, 20), (40.0, 45.0, 50.0), (68.0, 72.0, 80.0)
    )
]
SHARES, VOLATILITY, WICK = 5, 0.012, 0.5  # deviation of a day's return, and of a wick in parts of it
EDGE = 0.0022 / 3.0  # drift of a day, as a fraction, that gives the planted configuration a Sharpe of 1
CAPITAL = 1e6
FREE = {
    "flat": 0.0, "slippage": 0.0, "participation": 0.0, "sizing": "notional", "notional": 100_000.0, "by_confidence": 0,
    "stop_loss": 0.5, "take_profit": 2.0, "min_hold": 0, "max_hold": 250, "allow_short": 1,
}  # fmt: skip
SINCE, UNTIL = dt.date(2015, 1, 1), dt.date(2025, 12, 31)


def market(days: int, sharpe: float, seed: int) -> Panel:
    """Return daily bars of SHARES shares over ``days`` sessions; equal seeds give equal markets."""
    rng = np.random.default_rng(seed)
    ts = demo.generate(next(iter(demo.INSTRUMENTS)), NSE.sessions(SINCE, UNTIL)[:days], seed=1, minutes=DAY).ts
    lanes = [lane(LaneSpec(f"SHARE{k}", tick=0.0), _share(ts, EDGE * sharpe, rng), DAY) for k in range(SHARES)]
    return panel(lanes)


def _share(ts: npt.NDArray[np.int64], edge: float, rng: np.random.Generator) -> Bars:
    """Return one share's bars: every close is the next open, and the drift follows what PLANTED holds."""
    moves = rng.standard_normal(ts.size) * VOLATILITY - VOLATILITY**2 / 2.0
    wicks = np.abs(rng.standard_normal((ts.size, 2))) * VOLATILITY * WICK
    rows = np.empty((ts.size, 4))
    memory = [0.0] * swing.MEMORY
    state, side, before = swing.recall(memory), 0, 1_000.0
    for i, move in enumerate(moves.tolist()):
        close = before * math.exp(move + edge * side)
        high, low = max(before, close) * (1.0 + wicks[i, 0]), min(before, close) * (1.0 - wicks[i, 1])
        rows[i] = before, high, low, close
        bar = Bar(before, high, low, close, 1e6, math.nan, i, 0, 0, i)
        state, seen = swing.advance(state, memory, i, bar, PLANTED)
        said = swing.decide(seen, side, PLANTED).direction
        side = said if said in (LONG, SHORT, FLAT) else side
        before = close
    o, h, l, c = np.ascontiguousarray(rows.T)
    return Bars(ts, o, h, l, c, np.full(ts.size, 1e6))


def searched(bars: Panel, grid: list[swing.Params] | None = None, *, compiled: bool) -> Floats:
    """Return the daily returns of every configuration of the grid (days × configurations), each run by the desk."""
    found = []
    for params in grid or GRID:
        setup = make_setup(STRATEGY, DAY, {**FREE, **params._asdict()})
        outcome = simulate(STRATEGY, setup, bars, capital=CAPITAL, charges=NO_CHARGES, compiled=compiled)
        found.append(curve(outcome.events, CAPITAL).returns)
    return np.column_stack(found)
