"""A rolling window of trades against what was before it, by the document's thresholds (§10, normal monitoring)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from trading.core.accuracy import Accuracy

DAYS: Final[Mapping[str, int]] = MappingProxyType({"intraday": 30, "swing": 90})
NAMES: Final[Mapping[str, str]] = MappingProxyType({
    "intraday": "monitoring.intraday_30day", "swing": "monitoring.swing_90day",
})  # fmt: skip
DROPS: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType({
    "intraday": {"hit_ratio": 0.10, "sharpe_ratio": 0.25},
    "swing": {"precision_long": 0.10, "max_drawdown": 0.10},
})  # fmt: skip
"""By how much a measure may fall, shares as fractions; a drawdown is a negative fraction that falls when it deepens."""


class Compared(NamedTuple):
    """What a window was compared with, whether it is worse (None: nothing to compare with), and the drops found."""

    reference: str
    degraded: bool | None
    reasons: list[str]


def measured(found: Accuracy) -> dict[str, float | None]:
    """Return what is compared, None where it has no meaning."""
    told = {
        "hit_ratio": found.hit_ratio, "sharpe_ratio": found.sharpe_ratio, "win_rate": found.win_rate,
        "precision_long": found.precision["LONG"], "recall_long": found.recall["LONG"],
        "max_drawdown": found.max_drawdown,
    }  # fmt: skip
    return {name: value if math.isfinite(value) else None for name, value in told.items()}


def section(kind: str, found: Mapping[str, float | None], alerts: int | None, compared: Compared) -> dict[str, Any]:
    """Return the section of metrics.json of a kind's window."""
    drawdown = found["max_drawdown"]
    return {
        **found, "max_drawdown_pct": None if drawdown is None else drawdown * 100.0, "alert_count": alerts,
        "degradation_detected": compared.degraded,
    }  # fmt: skip


def compare(kind: str, now: Mapping[str, float | None], references: Mapping[str, Mapping[str, Any]]) -> Compared:
    """Return how the window compares with the first of the references that knows one of the kind's measures."""
    for name, before in references.items():
        pairs = {key: (now[key], before.get(key)) for key in DROPS[kind]}
        both = {key: (a, b) for key, (a, b) in pairs.items() if a is not None and b is not None}
        if both:
            told = [
                f"{key.replace('_', ' ')} fell from {b:.3f} to {a:.3f}, more than {DROPS[kind][key]:g}"
                for key, (a, b) in both.items()
                if b - a > DROPS[kind][key]
            ]
            return Compared(name, bool(told), told)
    return Compared("", None, [])
