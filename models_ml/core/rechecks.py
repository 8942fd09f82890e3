"""Whether what was found once is found again: deltas within ±5 %, and the best one still the best."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

TOLERANCE: Final = 0.05
JUDGED: Final = ("sharpe_ratio", "total_return", "win_rate", "hit_ratio")


def within(kept: float | None, found: float | None, tolerance: float = TOLERANCE) -> bool:
    """Say whether ``found`` lies within ±5 % of what was kept; what has no meaning then has none now."""
    if kept is None or found is None:
        return kept is None and found is None
    return math.isclose(kept, found, rel_tol=tolerance, abs_tol=1e-9)


def deltas(baseline: Mapping[str, Any], best: Mapping[str, Any]) -> dict[str, float | None]:
    """Return best less baseline of the measures an audit judges; None where either is missing."""
    return {
        key: None if baseline.get(key) is None or best.get(key) is None else best[key] - baseline[key] for key in JUDGED
    }


def differing(kept: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Return in words which of the kept numbers are not found again within the tolerance."""
    return [
        f"{key} was {_said(kept[key])}, is {_said(found.get(key))}"
        for key in kept
        if not within(kept[key], found.get(key))
    ]  # fmt: skip


def _said(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.6g}"


def still_best(scores: Sequence[tuple[bool, float | None]]) -> bool:
    """Say whether the first of (feasible, score) is one that no other outdoes, by the order a ranking has."""
    keys = [(feasible, score is not None, score or 0.0) for feasible, score in scores]
    return bool(keys) and keys[0] == max(keys)
