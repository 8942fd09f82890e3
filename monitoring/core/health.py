"""How well the desk is, from 0 to 100, with the reason for every lost point."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitoring.core.levels import Severity

COSTS = {Severity.CRITICAL: 30, Severity.WARNING: 10, Severity.INFO: 2}
ACKED_SHARE = 0.5  # somebody looks after it: half the points


@dataclass(frozen=True, slots=True)
class Lost:
    """Points that are lost, and why."""

    points: int
    why: str


def score(open_alerts: Iterable[tuple[str, Severity, bool]], others: Iterable[Lost] = ()) -> tuple[int, list[Lost]]:
    """Return the score and what it lost; alerts are (name, severity, acknowledged)."""
    lost = [
        Lost(
            round(COSTS[severity] * (ACKED_SHARE if acked else 1.0)),
            f"{severity} {name}{' (acknowledged)' if acked else ''}",
        )
        for name, severity, acked in open_alerts
    ]
    lost += list(others)
    return max(0, 100 - sum(each.points for each in lost)), sorted(lost, key=lambda each: -each.points)
