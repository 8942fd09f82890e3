"""Train and test rows of a stacked panel, apart in time: no label seen in training reaches into a test.

A row covers the closed interval [ts, end]: from its bar's start to the moment its outcome was known. Rows of all
symbols are cut at the same moments; purging compares intervals, never counts rows. The embargo, in seconds, is on top
and has no default.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trading.core.errors import Invalid

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Split(NamedTuple):
    """Row numbers to train on and to test on, ascending; ``blocks`` are the numbers of the blocks of time tested."""

    train: Ints
    test: Ints
    blocks: tuple[int, ...]


def walk_forward(ts: Ints, end: Ints, *, folds: int, embargo: int, span: int | None = None) -> Iterator[Split]:
    """Yield ``folds`` splits whose training lies before the test, oldest first.

    Time is cut into ``folds`` + 1 blocks of as many moments each; the first is never tested. ``span`` limits how many
    seconds before the test training may begin. Invalid when a fold is left without rows to train on.
    """
    _check(ts, end, embargo)
    blocks = _blocks(ts, folds + 1)
    for k in range(1, folds + 1):
        low, high = blocks[k]
        train = end < low - embargo
        if span is not None:
            train &= ts >= low - span
        yield _split(train, (ts >= low) & (ts <= high), (k,))


def combinatorial(ts: Ints, end: Ints, *, groups: int, tested: int, embargo: int) -> Iterator[Split]:
    """Yield a split for every choice of ``tested`` blocks among ``groups``, the others being trained on.

    Around every tested block by itself, rows are purged on both sides, and so is what begins within the embargo after
    the last outcome of that block. López de Prado, ch. 12. Invalid when a split is left without rows to train on.
    """
    _check(ts, end, embargo)
    if not 0 < tested < groups:
        raise Invalid(f"{tested} blocks of {groups} cannot be tested: use 1 to {groups - 1}")
    blocks = _blocks(ts, groups)
    inside = [(ts >= low) & (ts <= high) for low, high in blocks]
    near = [
        (end >= low - embargo) & (ts <= int(end[here].max()) + embargo)
        for (low, _), here in zip(blocks, inside, strict=True)
    ]
    for chosen in combinations(range(groups), tested):
        test = np.logical_or.reduce([inside[k] for k in chosen])
        yield _split(~np.logical_or.reduce([near[k] for k in chosen]), test, chosen)


def paths(groups: int, tested: int) -> list[list[int]]:
    """Return, per backtest path of ``combinatorial``, which split (by its order) tests each block of time."""
    by_block: list[list[int]] = [[] for _ in range(groups)]
    for number, chosen in enumerate(combinations(range(groups), tested)):
        for block in chosen:
            by_block[block].append(number)
    return [[by_block[block][k] for block in range(groups)] for k in range(comb(groups - 1, tested - 1))]


def crossings(split: Split, ts: Ints, end: Ints) -> int:
    """Return how many training rows share a moment with the label of a test row; 0 for every split made here."""
    low, high = ts[split.test], end[split.test]
    order = np.argsort(low)
    low, reach = low[order], np.maximum.accumulate(high[order])
    begun = np.searchsorted(low, end[split.train], side="right")  # tests that begin by the time the row ends
    touched = begun > 0
    touched[touched] = reach[begun[touched] - 1] >= ts[split.train][touched]
    return int(touched.sum())


def _check(ts: Ints, end: Ints, embargo: int) -> None:
    if ts.shape != end.shape or bool(np.any(end < ts)):
        raise Invalid("every row needs an end that is not before its start")
    if embargo < 0:
        raise Invalid(f"an embargo of {embargo} seconds cannot be: use 0 or more")


def _blocks(ts: Ints, count: int) -> Sequence[tuple[int, int]]:
    """Return the first and last moment of each block of time."""
    moments = np.unique(ts)
    if count < 2 or moments.size < count:
        raise Invalid(f"{moments.size} moments cannot be cut into {count} blocks: use fewer folds or more bars")
    return [(int(part[0]), int(part[-1])) for part in np.array_split(moments, count)]


def _split(train: Bools, test: Bools, blocks: tuple[int, ...]) -> Split:
    if not train.any():
        raise Invalid("purging and embargo leave nothing to train on: use fewer folds, more bars or a shorter embargo")
    return Split(np.flatnonzero(train & ~test), np.flatnonzero(test), blocks)
