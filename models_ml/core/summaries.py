"""What a batch came to: counts, the rate of success, and the averages of the measures (US-024)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

AVERAGED = ("accuracy", "precision", "recall", "f1")


def mean(values: Iterable[float | None]) -> float | None:
    """Return the average of the numbers among ``values``; None without any."""
    found = [value for value in values if value is not None and math.isfinite(value)]
    return math.fsum(found) / len(found) if found else None


def averages(metrics: Sequence[Mapping[str, float]], names: Sequence[str] = AVERAGED) -> dict[str, float | None]:
    """Return the average of each measure over the runs that have it, under ``avg_`` and its name; None without any."""
    return {f"avg_{name}": mean(each.get(name) for each in metrics) for name in names}


def summary(runs: Sequence[tuple[str, Mapping[str, float]]]) -> dict[str, Any]:
    """Return how many of the (status, measures) runs completed, failed or were skipped, and the averages.

    ``success_rate`` is the share of the completed among those that were tried, 0 to 1; None when none was.
    """
    counts = Counter(status for status, _ in runs)
    tried = counts["success"] + counts["failed"]
    return {
        "total": len(runs), "completed": counts["success"], "failed": counts["failed"], "skipped": counts["skipped"],
        "pending": counts["queued"] + counts["running"],
        "success_rate": counts["success"] / tried if tried else None,
        **averages([metrics for status, metrics in runs if status == "success"]),
    }  # fmt: skip


def outcome(found: Mapping[str, Any], *, cancelled: bool = False) -> str:
    """Return a batch's state from its summary: done, partial, failed, cancelled, or running."""
    if cancelled:
        return "cancelled"
    if found["pending"]:
        return "running"
    if not found["failed"]:
        return "done"
    return "partial" if found["completed"] else "failed"
