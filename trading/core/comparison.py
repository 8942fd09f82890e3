"""Two sets of traces side by side: which did better by the composite score, and whether chance would explain it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from trading.core.accuracy import WEIGHTS, Accuracy, composite, measure, scores
from trading.core.trace_table import Table
from trading.core.welch import Welch, welch


class Comparison(NamedTuple):
    """Two named sets; every delta is the second less the first. ``better`` is "" when the scores are equal."""

    names: tuple[str, str]
    better: str
    scores: dict[str, float]
    deltas: dict[str, float]
    test: Welch


def compare(named: Mapping[str, Table], weights: Mapping[str, float] = WEIGHTS) -> Comparison:
    """Return the comparison of exactly two named tables."""
    (a, first), (b, second) = named.items()
    one, two = measure(first), measure(second)
    marks = {a: composite(scores(one), weights), b: composite(scores(two), weights)}
    better = "" if marks[a] == marks[b] else max(marks, key=lambda name: marks[name])
    return Comparison((a, b), better, marks, deltas(one, two), welch(second.returns, first.returns))


def deltas(before: Accuracy, after: Accuracy) -> dict[str, float]:
    """Return by how much every single number grew."""
    found = {
        f"{name}_delta": getattr(after, name) - getattr(before, name)
        for name in ("accuracy", "hit_ratio", "win_rate", "avg_return", "max_drawdown", "profit_factor")
    }
    found["sharpe_delta"] = after.sharpe_ratio - before.sharpe_ratio
    for label in ("LONG", "SHORT"):
        found[f"precision_{label.lower()}_delta"] = after.precision[label] - before.precision[label]
        found[f"recall_{label.lower()}_delta"] = after.recall[label] - before.recall[label]
    return found
