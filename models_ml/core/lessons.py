"""What is known of a data set and of a split before anything is fitted: counts, spans, shares; and names for rows."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from models_ml.core.evaluation import classes_of
from models_ml.core.slices import Slices, sessions_of
from trading.core.scoring import CLASSES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def statistics(
    names: tuple[str, ...], x: Floats, symbol: npt.NDArray[Any], ts: Ints, end: Ints, y: Ints, net: Floats,
    ambiguous: npt.NDArray[np.bool_], weight: Floats,
) -> dict[str, Any]:  # fmt: skip
    """Return ``dataset_stats.json``: how many rows of what, how long their labels last, how much of them is known.

    ``effective_rows`` is what the rows weigh together: labels that look at the same bars count once between them.
    """
    classes = classes_of(y)
    known = np.isfinite(x)
    return {
        "rows": int(ts.size),
        "effective_rows": float(weight.sum()),
        "sessions": int(np.unique(sessions_of(ts)).size),
        "first": int(ts.min()) if ts.size else None,
        "last": int(ts.max()) if ts.size else None,
        "labels": counts(classes),
        "labels_by_symbol": {str(name): counts(classes[symbol == name]) for name in np.unique(symbol)},
        "ambiguous_share": _mean(ambiguous.astype(np.float64)),
        "label_minutes": {name: _quantile((end - ts) / 60.0, q) for name, q in (("median", 0.5), ("longest", 1.0))},
        "net": {
            side: {"mean": _mean(gains), "paying_share": _mean((gains > 0).astype(np.float64))}
            for place, side in enumerate(CLASSES[:2])
            for gains in (net[np.isfinite(net[:, place]), place],)
        },
        "features": {
            name: {"known_share": _mean(known[:, k].astype(np.float64)), **_spread(x[known[:, k], k])}
            for k, name in enumerate(names)
        },
    }


def counts(classes: Ints) -> dict[str, int]:
    """Return how many rows each class has."""
    return dict(zip(CLASSES, np.bincount(classes, minlength=len(CLASSES)).tolist(), strict=True))


def spans(parts: Slices, ts: Ints, end: Ints) -> dict[str, Any]:
    """Return for each slice its rows, its first row's moment, and when its last label was known; seconds, UTC."""
    found = {}
    for name in ("fit", "early", "calibrate", "test"):
        rows: Ints = getattr(parts, name)
        found[name] = {
            "rows": int(rows.size),
            "start": int(ts[rows].min()) if rows.size else None,
            "known": int(end[rows].max()) if rows.size else None,
        }
    return found


def fingerprint(symbol: npt.NDArray[Any], ts: Ints, y: Ints) -> str:
    """Return a SHA-256 that names rows by symbol, moment and label: the same rows, however they were reached."""
    total = hashlib.sha256()
    for each in sorted(zip(symbol.astype(str).tolist(), ts.tolist(), y.tolist(), strict=True)):
        total.update(repr(each).encode())
    return total.hexdigest()


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if values.size else None


def _quantile(values: Floats, share: float) -> float | None:
    return float(np.quantile(values, share)) if values.size else None


def _spread(values: Floats) -> dict[str, float | None]:
    return {"mean": _mean(values), "std": float(values.std()) if values.size else None}
