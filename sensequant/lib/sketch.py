"""A histogram that merges: counts in buckets whose width grows with the value; a percentile is within 5 %.

The relative-error buckets are those of DDSketch (Masson, Rim, Lee 2019) with gamma 1.1: bucket i of a positive value
holds gamma^(i-1) < x <= gamma^i. Percentiles are never averaged; they are read from merged counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

GAMMA = 1.1
LOG = math.log(GAMMA)
Counts = dict[str, int]


def bucket(value: float) -> str:
    """Return the name of the bucket of ``value``: "p12" or "n12" for ± gamma^12, "z" for what is nearly nothing."""
    size = abs(value)
    if size < 1e-9:
        return "z"
    number = math.ceil(math.log(size) / LOG)
    return f"{'p' if value > 0 else 'n'}{number}"


def middle(name: str) -> float:
    """Return the value that stands for a bucket, within 5 % of every value in it."""
    if name == "z":
        return 0.0
    size = 2.0 * GAMMA ** int(name[1:]) / (1.0 + GAMMA)
    return size if name[0] == "p" else -size


def merge(into: Counts, other: Mapping[str, int]) -> Counts:
    """Add the counts of ``other`` to ``into`` and return it."""
    for name, count in other.items():
        into[name] = into.get(name, 0) + count
    return into


def quantile(counts: Mapping[str, int], q: float) -> float | None:
    """Return the value below which the share ``q`` of the samples lies, within 5 %; None without samples."""
    total = sum(counts.values())
    if not total:
        return None
    rank, seen = q * (total - 1), 0
    for value, count in sorted((middle(name), count) for name, count in counts.items()):
        seen += count
        if seen > rank:
            return value
    return None  # pragma: no cover - the counts add up
