"""Markets whose truth is known: random walks nobody can foresee, and the same walks with an edge planted in them.

Both have what real bars have: clustered and U-shaped volatility, fat tails, a common market move, overnight gaps,
prices on a tick grid. A pipeline that finds an edge in the first looks into the future; one that finds none in the
second cannot learn.
"""

from __future__ import annotations

import datetime as dt
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from trading.core.bars import IST_OFFSET, Bars
from trading.core.calendar import SessionColumns
from trading.core.panel import LaneBars, LaneSpec

Floats = npt.NDArray[np.float64]

MINUTES: Final = 5
A_DAY: Final = 75
FIRST_DAY: Final = dt.date(2024, 1, 1)
EPOCH: Final = dt.date(1970, 1, 1).toordinal()
OPEN_SECONDS: Final = (9 * 60 + 15) * 60 - IST_OFFSET
DAILY_VOLATILITY: Final = 0.016
TICK: Final = 0.05


class Ground(NamedTuple):
    """A market to prove something on; ``edge`` is how much of a bar's movement its past foretells, 0 for none."""

    symbols: int = 6
    days: int = 24
    together: float = 0.2  # correlation of the symbols' moves
    edge: float = 0.0


def market(seed: int, ground: Ground) -> list[LaneBars]:
    """Return the lanes of a market; the same seed gives the same bars."""
    rng = np.random.default_rng([seed, ground.symbols, ground.days])
    n, days = ground.days * A_DAY, _days(ground.days)
    common = rng.standard_t(5, n) / np.sqrt(5.0 / 3.0)
    nights = rng.normal(0.0, 1.0, ground.days)
    lanes = []
    for j in range(ground.symbols):
        own = rng.standard_t(5, n) / np.sqrt(5.0 / 3.0)
        shock = np.sqrt(ground.together) * common + np.sqrt(1.0 - ground.together) * own
        night = np.sqrt(ground.together) * nights + np.sqrt(1.0 - ground.together) * rng.normal(0.0, 1.0, ground.days)
        sigma = _volatility(rng, n)
        moves = sigma * (_trending(shock, ground.edge) if ground.edge else shock)
        lanes.append(_lane(f"W{j}", rng, _price(rng), moves, sigma, 0.5 * DAILY_VOLATILITY * night, days))
    return lanes


def _volatility(rng: np.random.Generator, n: int) -> Floats:
    """Return each bar's volatility: calm and wild days, and a U over the session."""
    level, wild = np.empty(n // A_DAY), 0.0
    for k in range(level.size):
        wild = 0.9 * wild + 0.25 * rng.normal()
        level[k] = np.exp(wild)
    place = np.arange(A_DAY)
    shape = 1.0 + 1.2 * np.exp(-place / 8.0) + 0.5 * np.exp(-(A_DAY - 1 - place) / 6.0)
    shape /= np.sqrt(np.mean(shape**2))
    whole: Floats = DAILY_VOLATILITY / np.sqrt(A_DAY) * np.repeat(level, A_DAY) * np.tile(shape, level.size)
    return whole


def _trending(shock: Floats, edge: float) -> Floats:
    """Return shocks of unit size, part of which follows the average of the last dozen or so."""
    moves, trend = np.empty(shock.size), 0.0
    fresh = np.sqrt(1.0 - edge * edge)
    for k in range(shock.size):
        moves[k] = fresh * shock[k] + edge * trend
        trend = 0.92 * trend + np.sqrt(1.0 - 0.92**2) * shock[k]
    return moves


def _price(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(200.0), np.log(3000.0))))


def _days(count: int) -> npt.NDArray[np.int64]:
    first = np.datetime64(FIRST_DAY, "D")
    return np.busday_offset(first, np.arange(count), roll="forward").astype(np.int64)


def _lane(
    symbol: str, rng: np.random.Generator, price: float, moves: Floats, sigma: Floats, nights: Floats,
    days: npt.NDArray[np.int64],
) -> LaneBars:  # fmt: skip
    """Return bars that open near the last close (but for the night) and wander inside."""
    n = moves.size
    gap = np.zeros(n)
    gap[::A_DAY] = nights
    close = np.log(price) + np.cumsum(gap + moves)
    opened = close - moves
    reach = np.abs(rng.normal(0.0, 0.45, (2, n))) * sigma
    high, low = np.maximum(opened, close) + reach[0], np.minimum(opened, close) - reach[1]
    o, h, l, c = (np.maximum(np.round(np.exp(x) / TICK), 1.0) * TICK for x in (opened, high, low, close))
    volume = np.rint(rng.lognormal(10.0, 0.5, n) * (1.0 + 2.0 * np.abs(moves) / sigma))
    place = np.tile(np.arange(A_DAY), days.size)
    ts = np.repeat(days * 86_400 + OPEN_SECONDS, A_DAY) + place * MINUTES * 60
    session = np.repeat(days + EPOCH, A_DAY).astype(np.int32)
    left = ((A_DAY - 1 - place) * MINUTES).astype(np.int32)
    places = SessionColumns(session, (place * MINUTES).astype(np.int32), left, np.ones(n, bool))
    return LaneBars(LaneSpec(symbol, TICK), Bars(ts, o, h, l, c, volume), places)
