"""The numbers of one metric over one span of time: a sum that can be taken in any order and in any parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sensequant.lib.sketch import Counts, bucket, merge, quantile


@dataclass(slots=True)
class Stats:
    """Minimum, maximum, sum, number of samples and their histogram; ``avg`` follows."""

    low: float = float("inf")
    high: float = float("-inf")
    total: float = 0.0
    count: int = 0
    last: float = 0.0
    last_at: float = float("-inf")  # seconds UTC
    counts: Counts = field(default_factory=dict)

    def add(self, other: Stats) -> Stats:
        """Take the numbers of ``other`` in and return self."""
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.total += other.total
        self.count += other.count
        if other.last_at >= self.last_at:
            self.last, self.last_at = other.last, other.last_at
        merge(self.counts, other.counts)
        return self

    def columns(self) -> dict[str, Any]:
        """Return the numbers as the columns of a row (``numbers.Numbers``); its ``at`` is the caller's."""
        return {
            "low": self.low, "high": self.high, "total": self.total, "count": self.count, "last": self.last,
            "counts": self.counts,
        }  # fmt: skip

    @property
    def avg(self) -> float | None:
        """Return the mean; None without samples."""
        return self.total / self.count if self.count else None

    def quantile(self, q: float) -> float | None:
        """Return a percentile from the histogram, kept within what was seen; None without samples."""
        found = quantile(self.counts, q)
        return None if found is None else min(max(found, self.low), self.high)


def one(value: float, at: float) -> Stats:
    """Return the numbers of a single sample."""
    return Stats(value, value, value, 1, value, at, {bucket(value): 1})


def total(parts: Iterable[Stats]) -> Stats:
    """Return the numbers of all parts together."""
    found = Stats()
    for part in parts:
        found.add(part)
    return found


def floor(seconds: float, width: int) -> int:
    """Return the start of the span of ``width`` seconds that ``seconds`` lies in."""
    return int(seconds // width) * width
