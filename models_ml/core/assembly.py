"""From lanes of bars to a dataset: what the decision core sees of each bar, and what a trade decided there came to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models_ml.core import frozen, labels, net, weights
from models_ml.core.frozen import Frozen, row_order, sealed, signature
from models_ml.core.labels import Barriers, Labels, label
from models_ml.core.weights import overlap_weights
from trading.core import booking, charges, fills, sizing
from trading.core.calendar import SessionColumns
from trading.core.errors import Invalid
from trading.core.features import Bar
from trading.core.kernel import kernel
from trading.core.observations import NAMES, made_by, observe, suited
from trading.core.panel import LaneBars
from trading.core.rules import Setup
from trading.core.setups import flat
from trading.core.simulation import Schedule
from trading.core.state import BARS, LANE_INTS
from trading.core.strategies import strategy

Floats = npt.NDArray[np.float64]
WARMUP: Final = 400
"""Bars after which the slowest averages have forgotten where they began (Wilder's to 1e-13, EMA 50 to 1e-9)."""


class Recipe(NamedTuple):
    """What is made of the bars: features of ``strategy`` with ``setup``, labels by ``barriers``.

    Rows are kept from the ``warmup``-th bar of a lane on, and from the moment ``since`` (seconds UTC) on.
    """

    strategy: str
    setup: Setup
    barriers: Barriers = Barriers()
    warmup: int = WARMUP
    since: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One lane's rows, and how many bars gave none because of what."""

    arrays: dict[str, npt.NDArray[Any]]
    counts: dict[str, int]


def lane_bars(lane: LaneBars) -> Iterator[Bar]:
    """Yield a lane's bars as the engine meets them."""
    scores = lane.sentiment if lane.sentiment.size else np.full(len(lane.bars), np.nan)
    places = lane.places
    columns = (*lane.bars.columns()[1:], scores, places.session, places.minute, places.left, lane.bars.ts)
    for row in zip(*(column.tolist() for column in columns), strict=True):
        yield Bar(*row)


def first_bars(lane: LaneBars, n: int) -> LaneBars:
    """Return a lane as it was when it had ``n`` bars."""
    places = SessionColumns(*(getattr(lane.places, name)[:n] for name in ("session", "minute", "left", "inside")))
    return replace(lane, bars=lane.bars.until(n), places=places, sentiment=lane.sentiment[:n], student=lane.student[:n])


def observed(lane: LaneBars, name: str, setup: Setup) -> tuple[Floats, Floats]:
    """Return what a model sees of each bar (n, k), and the average true range in rupees (n,).

    The lane's memory is advanced bar by bar by the very function the engine calls. Invalid for a strategy that makes
    no full feature row.
    """
    suited(name)
    look = kernel(name, compiled=False).look
    memory, ints = [0.0] * strategy(name).MEMORY, [0] * LANE_INTS
    x, atr = np.empty((len(lane.bars), len(NAMES))), np.empty(len(lane.bars))
    for i, bar in enumerate(lane_bars(lane)):
        ints[BARS] = i
        f = look(bar, memory, ints, setup)
        x[i], atr[i] = observe(bar, f), f.atr
    return x, atr


Seen = Callable[[LaneBars, str, Setup], tuple[Floats, Floats]]


def part(lane: LaneBars, recipe: Recipe, charged: Schedule, *, see: Seen = observed) -> Part:
    """Return the labelled rows of one lane; ``see`` makes its features."""
    x, atr = see(lane, recipe.strategy, recipe.setup)
    found = label(lane, recipe.setup.minutes, recipe.barriers, charged, atr)
    warm = np.arange(len(lane.bars)) >= recipe.warmup
    asked = lane.bars.ts >= recipe.since
    keep = warm & asked & found.known
    counts = {
        "bars": len(lane.bars),
        "before": int((~asked).sum()),
        "warming_up": int((asked & ~warm).sum()),
        "not_enterable": int((asked & warm & ~found.enterable).sum()),
        "not_settled": int((asked & warm & found.enterable & ~found.known).sum()),
        "rows": int(keep.sum()),
    }
    return Part(_kept(lane, x, found, keep), counts)


def _kept(lane: LaneBars, x: Floats, found: Labels, keep: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray[Any]]:
    symbol = np.full(int(keep.sum()), lane.spec.symbol)
    ts, end = lane.bars.ts[keep], found.end[keep]
    return {
        "X": x[keep], "symbol": symbol, "ts": ts, "end": end, "y": found.y[keep], "net": found.net[keep],
        "ambiguous": found.ambiguous[keep], "weight": overlap_weights(symbol, ts, end),
    }  # fmt: skip


def assemble(parts: Sequence[Part], recipe: Recipe, lineage: Mapping[str, Any]) -> Frozen:
    """Return all lanes' rows as one dataset; ``lineage`` (plain JSON) says where the bars come from.

    Invalid when no bar has a label.
    """
    if not sum(each.counts["rows"] for each in parts):
        why = ", ".join(f"{key} {sum(each.counts[key] for each in parts)}" for key in parts[0].counts) if parts else ""
        raise Invalid(f"no bar has a label ({why}): give more bars, a shorter warm-up or a shorter horizon")
    arrays = {name: np.concatenate([each.arrays[name] for each in parts]) for name in frozen.ARRAYS}
    order = row_order(arrays["symbol"], arrays["ts"])
    arrays = {name: array[order] for name, array in arrays.items()}
    return sealed(arrays, NAMES, {**lineage, **told(recipe), "counts": _counts(parts), "labels": tally(arrays["y"]),
                                  "ambiguous_share": float(arrays["ambiguous"].mean())})  # fmt: skip


def told(recipe: Recipe) -> dict[str, Any]:
    """Return what a dataset says of how its rows were made."""
    return {
        "signature": signature(NAMES, made_by(recipe.strategy, recipe.setup)),
        "features": {
            "strategy": recipe.strategy, "settings": flat(recipe.setup), "minutes": recipe.setup.minutes,
            "warmup": recipe.warmup, "since": recipe.since,
        },
        "label": {**recipe.barriers._asdict(), "code": label_code()},
    }  # fmt: skip


def tally(y: npt.NDArray[np.int8]) -> dict[str, int]:
    """Return how many rows have each label."""
    return {word: int((y == value).sum()) for word, value in (("LONG", 1), ("SHORT", -1), ("NOOP", 0))}


def _counts(parts: Sequence[Part]) -> dict[str, dict[str, int]]:
    named = [(str(each.arrays["symbol"][0]) if each.arrays["symbol"].size else f"#{k}", each) for k, each in
             enumerate(parts)]  # fmt: skip
    return {name: each.counts for name, each in named}


@cache
def label_code() -> str:
    """Return the SHA-256 of the text that labels follow from."""
    modules = (labels, net, weights, fills, booking, charges, sizing)
    return hashlib.sha256(b"".join(Path(str(module.__file__)).read_bytes() for module in modules)).hexdigest()
