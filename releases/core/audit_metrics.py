"""metrics.json of a release audit, in the document's schema (§9) to the last key; what is not known is null.

Ratios, shares and Sharpe ratios are as they are; what ends in ``_pct`` is per cent, a drawdown negative.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

PARTS: Final = ("optimizer", "student", "intraday", "swing")
FOUR: Final = ("sharpe_ratio", "total_return_pct", "win_rate_pct", "hit_ratio_pct")
MEASURES: Final = ("strategy", *FOUR, "precision_long", "max_drawdown_pct")
DELTAS: Final = ("sharpe_ratio_delta", "total_return_delta_pct", "win_rate_delta_pct", "hit_ratio_delta_pct")
STUDENT: Final = (
    "deployed", "version", "validation_precision", "validation_recall", "test_accuracy", "feature_count",
    "training_samples",
)  # fmt: skip
INTRADAY: Final = ("hit_ratio", "sharpe_ratio", "alert_count", "degradation_detected")
SWING: Final = ("precision_long", "recall_long", "max_drawdown_pct", "alert_count", "degradation_detected")
OPTIMIZER_VALIDATION: Final = ("best_config_consistent", "delta_tolerance_met", "warnings")
STUDENT_VALIDATION: Final = ("all_checks_passed", "baseline_met", "feature_stability", "no_data_leakage")

SECTIONS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = MappingProxyType({
    "baseline": ("optimizer", MEASURES),
    "optimized": ("optimizer", (*MEASURES, "config_id")),
    "deltas": ("optimizer", DELTAS),
    "student_model": ("student", STUDENT),
    "monitoring.intraday_30day": ("intraday", INTRADAY),
    "monitoring.swing_90day": ("swing", SWING),
    "validation_results.optimizer_validation": ("optimizer", OPTIMIZER_VALIDATION),
    "validation_results.student_validation": ("student", STUDENT_VALIDATION),
})  # fmt: skip
"""Every section of the schema: the part of the audit it belongs to, and its keys."""

Section = Mapping[str, Any]
NOTHING: Final[Section] = MappingProxyType({})


def metrics(audit_id: str, at: dt.datetime, found: Mapping[str, Section]) -> dict[str, Any]:
    """Return metrics.json of the sections ``found``, by their names in SECTIONS; ``at`` is IST.

    Flags and readiness are not known yet: ``judged`` adds them.
    """
    filled = {name: _filled(found.get(name, NOTHING), keys) for name, (_, keys) in SECTIONS.items()}
    filled["deltas"] = deltas(filled["baseline"], filled["optimized"])
    told: dict[str, Any] = {"audit_timestamp": at.strftime("%Y-%m-%dT%H:%M:%S"), "audit_id": audit_id}
    for name, section in filled.items():
        top, _, below = name.partition(".")
        if below:
            told.setdefault(top, {})[below] = section
        else:
            told[top] = section
    return told


def judged(told: Mapping[str, Any], risk_flags: Sequence[str]) -> dict[str, Any]:
    """Return metrics.json with its flags; it is ready for deployment only without any."""
    return {**told, "risk_flags": list(risk_flags), "deployment_ready": not risk_flags}


def _filled(section: Section, keys: Sequence[str]) -> dict[str, Any]:
    empty: dict[str, Any] = {"deployed": False, "warnings": []}
    return {key: known(section.get(key, empty.get(key))) for key in keys}


def known(value: Any) -> Any:
    """Return a value as JSON keeps it: rounded, null for what is not finite."""
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def measures(strategy: str, told: Mapping[str, Any], config_id: str = "") -> dict[str, Any]:
    """Return a configuration's measures (fractions, drawdown positive) as the schema has them."""
    found = {
        "strategy": strategy, "sharpe_ratio": told.get("sharpe_ratio"),
        "total_return_pct": _times(told.get("total_return"), 100.0),
        "win_rate_pct": _times(told.get("win_rate"), 100.0),
        "hit_ratio_pct": _times(told.get("hit_ratio"), 100.0), "precision_long": told.get("precision_long"),
        "max_drawdown_pct": _times(told.get("max_drawdown"), -100.0),
    }  # fmt: skip
    return {**found, "config_id": config_id} if config_id else found


def _times(value: Any, by: float) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return value * by + 0.0 if number else None  # + 0.0: no negative zero


def deltas(baseline: Section, optimized: Section) -> dict[str, Any]:
    """Return optimised less baseline; null where either is not known."""
    return {
        name: None if baseline[key] is None or optimized[key] is None else known(float(optimized[key] - baseline[key]))
        for name, key in zip(DELTAS, FOUR, strict=True)
    }


def section(told: Mapping[str, Any], name: str) -> Section:
    """Return a section of metrics.json by its name in SECTIONS."""
    top, _, below = name.partition(".")
    found: Section = told[top]
    return found[below] if below else found


def unknown(told: Mapping[str, Any], parts: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield every section of the parts asked for that lacks something, with the keys that are null."""
    for name, (part, keys) in SECTIONS.items():
        missing = [key for key in keys if section(told, name)[key] is None]
        if part in parts and missing:
            yield name, missing
