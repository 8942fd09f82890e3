"""What an optimisation maximises: the composite score of §15.3, or one measure by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping

from trading.core.errors import Invalid

WEIGHTS = {"sharpe_ratio": 0.40, "precision_long": 0.30, "hit_ratio": 0.20, "win_rate": 0.10}
FULL_SHARPE = 3.0  # a Sharpe ratio of 3 or more counts in full
OBJECTIVES = {
    "composite": "", "sharpe": "sharpe_ratio", "sortino": "sortino_ratio", "calmar": "calmar_ratio",
    "total_return": "total_return", "total_pnl": "total_pnl", "profit_factor": "profit_factor",
    "expectancy": "expectancy", "win_rate": "win_rate", "hit_ratio": "hit_ratio", "precision": "precision_long",
}  # fmt: skip
"""Every objective with the measure it is; the composite is made of four."""


def objective(name: str) -> str:
    """Return ``name`` (``sharpe_ratio`` and the like as the document writes them, too), or raise Invalid."""
    for known, measure in OBJECTIVES.items():
        if name in (known, measure) and name:
            return known
    raise Invalid(f"unknown objective {name!r}: use one of {', '.join(OBJECTIVES)}")


def score(name: str, metrics: Mapping[str, float | None]) -> float | None:
    """Return the objective of a configuration's measures, more is better; None where it has no meaning."""
    if name == "composite":
        return composite(metrics)
    value = metrics.get(OBJECTIVES[name])
    return None if value is None or not math.isfinite(value) else float(value)


def composite(metrics: Mapping[str, float | None]) -> float:
    """Return 0.40·Sharpe/3 + 0.30·precision LONG + 0.20·hit ratio + 0.10·win rate, each part within 0 … 1 (§15.7).

    A part that has no meaning counts as 0: without trades nothing was predicted right.
    """
    parts = contributions(metrics)
    return sum(parts.values())


def contributions(metrics: Mapping[str, float | None]) -> dict[str, float]:
    """Return what each measure adds to the composite score."""
    found = {}
    for name, weight in WEIGHTS.items():
        value = metrics.get(name)
        known = 0.0 if value is None or not math.isfinite(value) else value
        scaled = known / FULL_SHARPE if name == "sharpe_ratio" else known
        found[name] = weight * min(1.0, max(0.0, scaled))
    return found


def thresholds(baseline: float, best: float, places: int = 2) -> tuple[float, float]:
    """Return what paper trading must reach and below what it is rolled back (§15.10.3), each rounded to ``places``.

    Reached must be the baseline and 80 % of the improvement; the rollback is 85 % of that rounded number: a Sharpe
    ratio that went from 1.45 to 1.92 gives 1.83 and 1.56.
    """
    least = round(baseline + 0.8 * (best - baseline), places)
    return least, round(0.85 * least, places)
