"""A dataset: rows in order of time, each with features, label interval, outcome, weight; named by its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from trading.core.errors import Invalid

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

FORMAT: Final = "sensequant dataset 1"
ARRAYS: Final = ("X", "symbol", "ts", "end", "y", "net", "ambiguous", "weight")
DTYPES: Final[Mapping[str, str]] = {
    "X": "<f8", "ts": "<i8", "end": "<i8", "y": "|i1", "net": "<f8", "ambiguous": "|b1", "weight": "<f8",
}  # fmt: skip
NOT_FEATURES: Final = ("label_", "teacher_", "fwd_")


@dataclass(frozen=True, slots=True)
class Frozen:
    """A dataset of n rows and k features, sorted by (ts, symbol).

    ``X`` (n, k) float64, NaN where a feature is unknown. ``symbol`` (n,) text. ``ts`` (n,) int64: the start of the bar
    at whose close the decision falls; ``end`` (n,) int64: when the outcome was known; both seconds UTC. ``y`` (n,)
    int8: 1 LONG, −1 SHORT, 0 NOOP. ``net`` (n, 2): what a long and a short return net of charges, as fractions.
    ``ambiguous`` (n,): the label hangs on the order of prices inside one bar. ``weight`` (n,): uniqueness, (0, 1].
    ``names``: the features in their order. ``digest``: SHA-256 of all of it, ``manifest`` included, which says where
    it comes from.
    """

    X: Floats
    symbol: npt.NDArray[np.str_]
    ts: Ints
    end: Ints
    y: npt.NDArray[np.int8]
    net: Floats
    ambiguous: npt.NDArray[np.bool_]
    weight: Floats
    names: tuple[str, ...]
    digest: str
    manifest: Mapping[str, Any]

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.ts.size)

    def select(self, rows: npt.NDArray[Any]) -> Frozen:
        """Return the chosen rows (numbers or a mask) as a dataset of their own, whose manifest names this one."""
        arrays = {name: getattr(self, name)[rows] for name in ARRAYS}
        told = {"part_of": self.digest, "signature": self.manifest.get("signature", {})}
        return sealed(arrays, self.names, told)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in ARRAYS}


def sealed(arrays: Mapping[str, npt.NDArray[Any]], names: Sequence[str], manifest: Mapping[str, Any]) -> Frozen:
    """Return the arrays as a dataset with its digest; Invalid when they do not fit each other."""
    kept = {name: np.ascontiguousarray(arrays[name], dtype=DTYPES.get(name)) for name in ARRAYS}
    kept["symbol"] = np.ascontiguousarray(kept["symbol"], dtype=str)
    _check(kept, names)
    for array in kept.values():
        array.setflags(write=False)
    made = Frozen(**kept, names=tuple(names), digest="", manifest=manifest)
    return replace(made, digest=digest_of(made))


def digest_of(data: Frozen) -> str:
    """Return the SHA-256 of the canonical bytes: names and manifest as sorted JSON, then each array in its order."""
    total = hashlib.sha256()
    told = {"format": FORMAT, "names": list(data.names), "manifest": data.manifest}
    total.update(json.dumps(told, sort_keys=True, separators=(",", ":"), allow_nan=False).encode())
    for name in ARRAYS:
        array = getattr(data, name)
        if name == "symbol":  # the text itself, whatever width numpy gave it
            body = "\n".join(array.tolist()).encode()
        else:
            body = np.ascontiguousarray(array, dtype=DTYPES[name]).tobytes()
        total.update(f"\n{name} {array.shape} {len(body)}\n".encode())
        total.update(body)
    return total.hexdigest()


def row_order(symbol: npt.NDArray[np.str_], ts: Ints) -> npt.NDArray[np.intp]:
    """Return the order of rows by time, then symbol."""
    return np.lexsort((symbol, ts))


def signature(names: Sequence[str], code: str) -> dict[str, Any]:
    """Return what a model must be served: the features in their order, their type, and the digest of their code."""
    return {"names": list(names), "dtypes": ["float64"] * len(names), "code": code}


def _check(kept: Mapping[str, npt.NDArray[Any]], names: Sequence[str]) -> None:
    rows = kept["ts"].size
    wrong = [name for name in ARRAYS if kept[name].shape[0] != rows]
    if wrong or kept["X"].shape != (rows, len(names)) or kept["net"].shape != (rows, 2):
        raise Invalid(f"the arrays of a dataset are of different lengths: {', '.join(wrong) or 'X or net'}")
    if guilty := [name for name in names if name.startswith(NOT_FEATURES)]:
        raise Invalid(f"{guilty[0]} is known only afterwards: it cannot be a feature")
    if len(set(names)) != len(names):
        raise Invalid("two features have one name")
    if rows and (not np.isin(kept["y"], (-1, 0, 1)).all() or bool(np.any(kept["end"] <= kept["ts"]))):
        raise Invalid("a dataset holds known labels only, each with an end after its start")
    order = row_order(kept["symbol"], kept["ts"])
    if not np.array_equal(order, np.arange(rows)):
        raise Invalid("the rows of a dataset are in the order of time, then symbol")
