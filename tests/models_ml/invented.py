"""Datasets made up for the stories of learning: a market without a pattern, and one with an edge of known size."""

import numpy as np

from models_ml.core.frozen import Frozen, row_order, sealed
from models_ml.core.weights import overlap_weights

DAY, OPEN, BAR = 86_400, 13_500, 300  # 09:15 IST is 03:45 UTC
FIRST = 19_540  # a Monday, counted since 1970
CODE = "feature code of the tests"


def dataset(
    *, edge=0.0, days=60, symbols=("AAA", "BBB"), bars=50, features=6, seed=0, cost=0.0008, move=0.02
) -> Frozen:
    """Return rows whose first feature tells the direction with a correlation of ``edge``, the others nothing.

    The second tells how far prices move, as volatility does. A label lasts up to six bars and stays in its session.
    """
    rng = np.random.default_rng(seed)
    ts = np.concatenate([(FIRST + d + 2 * (d // 5)) * DAY + OPEN + BAR * np.arange(bars) for d in range(days)])
    parts = [_symbol(rng, name, ts, bars, edge, cost, move) for name in symbols]
    stacked = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    more = rng.normal(size=(stacked["ts"].size, features - 2))
    more[rng.random(more.shape) < 0.02] = np.nan
    arrays = {**stacked, "X": np.column_stack([stacked.pop("signal"), stacked.pop("spread"), more])}
    arrays = {name: arrays[name] for name in arrays if name not in ("signal", "spread")}
    arrays["weight"] = overlap_weights(arrays["symbol"], arrays["ts"], arrays["end"])
    order = row_order(arrays["symbol"], arrays["ts"])
    names = tuple(f"f{k}" for k in range(features))
    told = {"signature": {"code": CODE}, "seed": seed, "edge": edge}
    return sealed({name: array[order] for name, array in arrays.items()}, names, told)


def _symbol(rng, name, ts, bars, edge, cost, move):
    n = ts.size
    signal, spread = rng.normal(size=n), np.abs(rng.normal(size=n))
    way = np.sign(edge * signal + np.sqrt(1 - edge**2) * rng.normal(size=n))
    moved = rng.random(n) < 0.35 + 0.3 * (spread > 0.7)
    net = np.where(
        moved[:, None], way[:, None] * np.array([move, -move]), rng.normal(scale=move / 8, size=(n, 1)) * [1, -1]
    )
    net = net - cost
    y = np.where(net[:, 0] > 0, 1, np.where(net[:, 1] > 0, -1, 0)) * moved
    left = np.tile(np.arange(bars, 0, -1), n // bars)
    last = np.minimum(rng.integers(1, 7, n), left)
    return {
        "symbol": np.full(n, name), "ts": ts, "end": ts + last * BAR, "y": y, "net": net,
        "ambiguous": np.zeros(n, bool), "signal": signal, "spread": spread,
    }  # fmt: skip
