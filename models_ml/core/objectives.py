"""What an optimisation maximises: the composite score of §15.3, or one measure by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping

from trading.core import accuracy
from trading.core.accuracy import thresholds
from trading.core.errors import Invalid

PARTS = {"sharpe": "sharpe_ratio", "precision": "precision_long", "hit_ratio": "hit_ratio", "win_rate": "win_rate"}
"""The parts of the composite score and the measure each is taken from."""

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
    return accuracy.composite(_known(metrics), accuracy.OPTIMISER_WEIGHTS)


def contributions(metrics: Mapping[str, float | None]) -> dict[str, float]:
    """Return what each measure adds to the composite score."""
    known = _known(metrics)
    return {
        measure: accuracy.composite(known, {part: accuracy.OPTIMISER_WEIGHTS[part]}) for part, measure in PARTS.items()
    }


def _known(metrics: Mapping[str, float | None]) -> dict[str, float]:
    found = {part: metrics.get(measure) for part, measure in PARTS.items()}
    return {part: math.nan if value is None else value for part, value in found.items()}


__all__ = ["OBJECTIVES", "composite", "contributions", "objective", "score", "thresholds"]
