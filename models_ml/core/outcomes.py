"""What a model's directions would have earned, net of charges, and how sure that is.

A trade is a direction taken at a row and held until the row's label ends; while it lasts no other is taken in that
symbol. Confidence intervals are from resampling whole blocks of sessions of all symbols together, because rows of one
day, and symbols of one market, move alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models_ml.core.slices import sessions_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

YEAR: Final = 252
DRAWS: Final = 2_000
LEVEL: Final = 0.95
FEWEST_BLOCKS: Final = 5
SHUFFLES: Final = 200


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to trade on: ``symbol`` (n,) numbers, ``ts`` and ``end`` seconds UTC, ``y`` +1/−1/0.

    ``net`` (n, 2) is the return of LONG and of SHORT as a fraction of the price, charges and slippage paid; NaN where
    nobody could have traded that side, as nobody delivers a short.
    """

    symbol: npt.NDArray[Any]
    ts: Ints
    end: Ints
    y: npt.NDArray[Any]
    net: Floats

    @property
    def both(self) -> bool:
        """Say whether SHORT can be traded at all."""
        return bool(np.isfinite(self.net[:, 1]).any())

    @property
    def decided(self) -> npt.NDArray[np.bool_]:
        """Return the rows on which a direction is right or wrong: those that paid one side; all, where there is one."""
        found: npt.NDArray[np.bool_] = np.asarray(self.y != 0) if self.both else np.ones(self.y.size, bool)
        return found


def taken(rows: Rows, directions: Ints) -> Ints:
    """Return the positions of the rows traded on: one trade at a time in each symbol, in the order of time."""
    found: list[int] = []
    side = np.where(directions > 0, rows.net[:, 0], rows.net[:, 1])
    wanted = (directions != 0) & np.isfinite(side)
    for symbol in np.unique(rows.symbol):
        free = -(1 << 62)
        mine = np.flatnonzero((rows.symbol == symbol) & wanted)
        for at in mine[np.argsort(rows.ts[mine], kind="stable")].tolist():
            if rows.ts[at] >= free:
                found.append(at)
                free = int(rows.end[at])
    return np.array(sorted(found), np.int64)


def nets(rows: Rows, trades: Ints, directions: Ints) -> Floats:
    """Return each trade's net return."""
    found: Floats = np.where(directions[trades] > 0, rows.net[trades, 0], rows.net[trades, 1])
    return found


def realised(rows: Rows, directions: Ints, *, seed: int) -> dict[str, Any]:
    """Return what ``directions`` (n,) of +1, −1 and 0 led to: precision over the base rate, net returns, intervals.

    ``precision`` is the share of trades whose label was their direction, ``base_rate`` what trading at every row in the
    same mix of directions would have had. ``decided`` are both among the trades that paid either side. The Sharpe
    ratio is of a session's net return over all symbols' equal shares, times √252.
    """
    trades = taken(rows, directions)
    signals = int(np.count_nonzero(directions))
    days = np.unique(sessions_of(rows.ts))
    told: dict[str, Any] = {
        "rows": int(rows.ts.size), "sessions": int(days.size), "signals": signals, "trades": int(trades.size),
        "baselines": baselines(rows, directions, seed=seed), "oracle_net": oracle(rows),
    }  # fmt: skip
    if not trades.size:
        return told | dict.fromkeys(
            ("precision", "base_rate", "uplift", "decided", "hit_ratio", "net_mean", "net_total", "sharpe", "capture")
        )
    sides, gains = directions[trades], nets(rows, trades, directions)
    right = (rows.y[trades] == sides).astype(np.float64)
    base = base_rates(rows.y, sides)
    blocks = _blocks(rows, trades)
    total = float(gains.sum())
    return told | {
        "precision": interval(right, blocks, seed),
        "base_rate": float(base.mean()),
        "uplift": interval(right - base, blocks, seed),
        "decided": _decided(rows, trades, sides, blocks, seed),
        "hit_ratio": interval((gains > 0).astype(np.float64), blocks, seed),
        "net_mean": interval(gains, blocks, seed),
        "net_total": total,
        "sharpe": _sharpe(rows, trades, gains, days),
        "capture": total / told["oracle_net"] if told["oracle_net"] > 0 else None,
    }


def decided_uplift(rows: Rows, directions: Ints) -> tuple[float | None, int]:
    """Return by how much the directions of decided rows beat the base rate, and how many rows those are.

    Every row acted on counts: there are more of them than of trades, so that chance makes less of a difference.
    """
    acted = (directions != 0) & rows.decided
    if not acted.any():
        return None, 0
    base = base_rates(rows.y[rows.decided], directions[acted])
    return float(np.mean((rows.y[acted] == directions[acted]) - base)), int(acted.sum())


def base_rates(y: npt.NDArray[Any], sides: Ints) -> Floats:
    """Return, for each of ``sides``, the share of all rows whose label is that side."""
    up, down = float(np.mean(y > 0)), float(np.mean(y < 0))
    found: Floats = np.where(sides > 0, up, down)
    return found


def _decided(rows: Rows, trades: Ints, sides: Ints, blocks: Ints, seed: int) -> dict[str, Any] | None:
    """Return precision and uplift among the decided trades: telling up from down, and nothing else."""
    moved = rows.decided[trades]
    if not moved.any():
        return None
    base = base_rates(rows.y[rows.decided], sides[moved])
    right = (rows.y[trades][moved] == sides[moved]).astype(np.float64)
    return {
        "trades": int(moved.sum()),
        "precision": float(right.mean()),
        "base_rate": float(base.mean()),
        "uplift": interval(right - base, blocks[moved], seed),
    }


def _blocks(rows: Rows, trades: Ints) -> Ints:
    """Return the block of sessions of each trade; a block is as long as the longest of the usual labels."""
    spans = sessions_of(rows.end[trades]) - sessions_of(rows.ts[trades]) + 1
    length = max(1, int(np.quantile(spans, 0.9)))
    days = np.unique(sessions_of(rows.ts))
    found: Ints = np.searchsorted(days, sessions_of(rows.ts[trades])) // length
    return found


def interval(values: Floats, blocks: Ints, seed: int) -> dict[str, Any]:
    """Return the mean of ``values`` and the ends of its 95 % interval; None for the ends below five blocks."""
    mean = float(values.mean())
    _, place = np.unique(blocks, return_inverse=True)
    count, total = np.bincount(place), np.bincount(place, values)
    if count.size < FEWEST_BLOCKS:
        return {"value": mean, "low": None, "high": None, "n": int(values.size), "blocks": int(count.size)}
    drawn = np.random.default_rng(seed).multinomial(count.size, np.full(count.size, 1.0 / count.size), DRAWS)
    means = (drawn @ total) / np.maximum(drawn @ count, 1)
    low, high = np.quantile(means, (0.5 * (1 - LEVEL), 0.5 * (1 + LEVEL))).tolist()
    return {"value": mean, "low": low, "high": high, "n": int(values.size), "blocks": int(count.size)}


def daily(rows: Rows, trades: Ints, gains: Floats) -> Floats:
    """Return each session's net return, sessions without a trade included, on capital shared equally by the symbols."""
    days = np.unique(sessions_of(rows.ts))
    place = np.searchsorted(days, sessions_of(rows.ts[trades]))
    found: Floats = np.bincount(place, gains, days.size) / np.unique(rows.symbol).size
    return found


def _sharpe(rows: Rows, trades: Ints, gains: Floats, days: Ints) -> dict[str, Any]:
    """Return the Sharpe ratio a year with its standard error (Lo, 2002), √((1 + S²/2)/n) on the daily one."""
    series = daily(rows, trades, gains)
    spread = float(series.std(ddof=1)) if days.size > 1 else 0.0
    if not spread > 0.0:
        return {"value": None, "low": None, "high": None, "n": int(days.size)}
    ratio = float(series.mean()) / spread
    error = 1.96 * math.sqrt((1.0 + 0.5 * ratio * ratio) / days.size)
    low, value, high = (each * math.sqrt(YEAR) for each in (ratio - error, ratio, ratio + error))
    return {"value": value, "low": low, "high": high, "n": int(days.size)}


def baselines(rows: Rows, directions: Ints, *, seed: int) -> dict[str, Any]:
    """Return the mean net return of a trade for LONG always, SHORT always, and the same directions at shuffled rows."""
    found: dict[str, Any] = {}
    for name, side in (("always_long", 1), ("always_short", -1)):
        every = np.full(rows.ts.size, side, np.int64)
        trades = taken(rows, every)
        found[name] = float(nets(rows, trades, every).mean()) if trades.size else None
    sides = directions[directions != 0]
    found["shuffled"] = None
    if sides.size:
        rng = np.random.default_rng(seed)
        drawn = rng.integers(0, rows.ts.size, (SHUFFLES, sides.size))
        gains = np.where(sides > 0, rows.net[drawn, 0], rows.net[drawn, 1])
        found["shuffled"] = float(np.nanmean(gains)) if np.isfinite(gains).any() else None
    return found


def oracle(rows: Rows) -> float:
    """Return the sum of net returns of one who knew every label: the most there was to be had."""
    net = np.where(np.isfinite(rows.net), rows.net, -np.inf)
    known = np.where(net[:, 0] >= net[:, 1], 1, -1)
    known = np.where(net.max(axis=1) > 0.0, known, 0).astype(np.int64)
    trades = taken(rows, known)
    return float(nets(rows, trades, known).sum()) if trades.size else 0.0
