"""Four slices of time: to fit on, to stop early on, to calibrate and choose thresholds on, and to be tested on once.

A slice is whole sessions. A row belongs to one only when the outcome it is labelled by was known, with an embargo on
top, before the next slice began: labels are purged by their interval, not by counting rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from trading.core.errors import Invalid

Ints = npt.NDArray[np.int64]

IST_SECONDS: Final = 19_800
DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of the sessions each slice gets: ``test`` of all, the others of what is left; the rest is fitted on."""

    early: float = 0.1
    calibrate: float = 0.2
    test: float = 0.2

    def __post_init__(self) -> None:
        """Raise Invalid for shares that leave nothing to fit on."""
        for name in ("early", "calibrate", "test"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise Invalid(f"a {name} share of {getattr(self, name)} cannot be: use 0 to below 1")
        if self.early + self.calibrate > 0.8:
            raise Invalid(
                f"{self.early + self.calibrate:.0%} of the sessions are not fitted on: leave at least a fifth"
            )


@dataclass(frozen=True, slots=True)
class Slices:
    """Positions of each slice's rows, and where the test begins (seconds since the epoch, UTC; None without a test)."""

    fit: Ints
    early: Ints
    calibrate: Ints
    test: Ints
    test_start: int | None


def sessions_of(ts: Ints) -> Ints:
    """Return the IST days (n,), counted since 1970, of moments in seconds since the epoch."""
    return (np.asarray(ts, np.int64) + IST_SECONDS) // DAY


def slices(ts: Ints, end: Ints, shares: Shares, *, embargo: int) -> Slices:
    """Return the slices of rows that begin at ``ts`` and whose labels are known at ``end`` (seconds, UTC).

    ``embargo`` is in seconds. Invalid when there are too few sessions for every slice to have one.
    """
    day = sessions_of(ts)
    days = np.unique(day)
    tested = _count(days.size, shares.test)
    kept = days.size - tested
    calibrated, stopped = _count(kept, shares.calibrate), _count(kept, shares.early)
    fitted = kept - calibrated - stopped
    if fitted < 1 or (days.size < 4 and tested + calibrated + stopped):
        raise Invalid(f"{days.size} sessions are too few to fit, stop, calibrate and test on: give a longer time")
    edges = np.cumsum([0, fitted, stopped, calibrated, tested])
    found = []
    for first, last in pairwise(edges.tolist()):
        here = (day >= days[first]) & (day <= days[last - 1]) if last > first else np.zeros(ts.size, bool)
        if last < days.size:
            here &= end < _opens(ts, day, int(days[last])) - embargo
        found.append(np.flatnonzero(here))
    start = _opens(ts, day, int(days[edges[3]])) if tested else None
    fit, early, calibrate, test = found
    return Slices(fit, early, calibrate, test, start)


def _count(days: int, share: float) -> int:
    return max(1, round(days * share)) if share > 0.0 else 0


def _opens(ts: Ints, day: Ints, which: int) -> int:
    """Return when the first row of a session begins."""
    return int(ts[day == which].min())
