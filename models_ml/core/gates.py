"""What a student must show before anybody may promote it; a figure that is missing is a failure, never a pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from trading.core.errors import Invalid

LEAK_AUC: Final = 0.56
LEAK_UPLIFT: Final = 0.08
FEWEST_TO_TELL: Final = 100  # rows below which such figures are luck
DOCUMENT: Final[Mapping[str, float]] = {"accuracy": 0.80, "precision_macro": 0.75, "recall_macro": 0.70}
"""Promotion Approval Criteria of US-025: reported for every student, and never enough."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The precision and recall (macro averages, 0 to 1) that a student's agreement with its teacher must reach."""

    precision: float
    recall: float

    def __post_init__(self) -> None:
        """Raise Invalid for what is no share."""
        for name in ("precision", "recall"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise Invalid(f"a baseline {name} of {getattr(self, name)} cannot be: use 0 to 1")


def reaches(value: Any, least: float) -> bool:
    """Say whether ``value`` is a number of at least ``least``; None and NaN are not."""
    return isinstance(value, int | float) and value >= least


def suspected_leak(directional_auc: float | None, moved: int, uplift: float | None, acted: int) -> dict[str, Any]:
    """Return whether the figures are too good to be honest on liquid shares, and which.

    ``directional_auc`` is of LONG against SHORT on ``moved`` decided rows, ``uplift`` of precision over the base rate
    on ``acted`` ones. An area above 0.56 or 8 points over the base rate: somebody finds the leak before the model goes
    anywhere. Below a hundred rows such figures are luck and nothing can be told: that is no pass either.
    """
    why = []
    if directional_auc is not None and moved >= FEWEST_TO_TELL and not directional_auc <= LEAK_AUC:
        why.append(f"LONG is told from what is not with an area of {directional_auc:.3f}, above {LEAK_AUC}")
    if uplift is not None and acted >= FEWEST_TO_TELL and not uplift <= LEAK_UPLIFT:
        why.append(f"precision lies {100 * uplift:.1f} points over the base rate, above {100 * LEAK_UPLIFT:.0f}")
    return {
        "suspected": bool(why), "reasons": why, "enough": min(moved, acted) >= FEWEST_TO_TELL,
        "directional_auc": directional_auc, "moved": moved, "uplift": uplift, "acted": acted,
        "limits": {"directional_auc": LEAK_AUC, "uplift": LEAK_UPLIFT, "rows": FEWEST_TO_TELL},
    }  # fmt: skip


def document_criteria(measures: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document's criteria (accuracy ≥ 80 %, precision ≥ 75 %, recall ≥ 70 %) on these measures.

    They are of a student against its teacher, as the document takes them: on a random walk nine in ten agree.
    """
    found = {
        name: {"value": measures.get(name), "minimum": least, "pass": reaches(measures.get(name), least)}
        for name, least in DOCUMENT.items()
    }
    return {**found, "all_pass": all(each["pass"] for each in found.values())}


def checks(evaluation: Mapping[str, Any], baseline: Baseline) -> list[dict[str, Any]]:
    """Return every criterion of a promotion with its value, what it needs, and whether it is met.

    The baselines are compared with its agreement with the teacher, as the document does: needed, and never enough.
    ``evaluation`` is a student's ``evaluation_metrics.json``.
    """
    agreed = evaluation.get("teacher_agreement") or {}
    realised = evaluation.get("realised") or {}
    leak = evaluation.get("leak") or {}
    return [
        _least("precision", "agreement with the teacher, precision", agreed.get("precision_macro"), baseline.precision),
        _least("recall", "agreement with the teacher, recall", agreed.get("recall_macro"), baseline.recall),
        _above("net", "mean net return of a trade, lower end of 95 %", _low(realised.get("net_mean"))),
        _above("uplift", "decided precision over base rate, lower end of 95 %", _low(_uplift(realised))),
        _told("calibrated_pay", "a threshold paid where it was chosen", _pays(evaluation), "yes, on one side at least"),
        {"name": "leak", "label": "suspicion of a leak", "value": _suspicion(leak), "needed": "none",
         "pass": _suspicion(leak) == "none"},
    ]  # fmt: skip


def _suspicion(leak: Mapping[str, Any]) -> str:
    if leak.get("suspected") is not False:
        return "yes" if leak.get("suspected") else "unknown"
    return "none" if leak.get("enough") is True else f"too few rows to tell ({FEWEST_TO_TELL} are needed)"


def _uplift(realised: Mapping[str, Any]) -> Any:
    return (realised.get("decided") or {}).get("uplift")


def _low(told: Mapping[str, Any] | None) -> Any:
    return None if told is None else told.get("low")


def _pays(evaluation: Mapping[str, Any]) -> bool:
    sides = evaluation.get("thresholds") or {}
    return any(side.get("pays") is True for side in sides.values())


def _least(name: str, label: str, value: Any, least: float) -> dict[str, Any]:
    return {"name": name, "label": label, "value": value, "needed": f"≥ {least:g}", "pass": reaches(value, least)}


def _above(name: str, label: str, value: Any) -> dict[str, Any]:
    met = isinstance(value, int | float) and value > 0.0
    return {"name": name, "label": label, "value": value, "needed": "> 0", "pass": met}


def _told(name: str, label: str, met: bool, needed: str) -> dict[str, Any]:
    return {"name": name, "label": label, "value": met, "needed": needed, "pass": met}
