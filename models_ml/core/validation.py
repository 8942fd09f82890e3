"""The validation of models (US-025): its six steps, how a run ends, its summary, and whether it may be promoted.

Agreement with the teacher is not skill: on a random walk a student agrees with its teacher nine times in ten. So the
document's criteria are computed as it says, and an approval also needs what the student's checklist found on later,
realised outcomes, and that no measure is too good to be true.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

STEPS: Final = ("teacher", "student", "optimizer", "reports", "summary", "state")
TITLES: Final[Mapping[str, str]] = {
    "teacher": "Teacher batch training", "student": "Student batch training", "optimizer": "Optimizer evaluation",
    "reports": "Report generation", "summary": "Summary generation", "state": "State recording",
}  # fmt: skip
STATES: Final = ("running", "completed", "partial", "failed", "cancelled")
OVER: Final = ("completed", "partial", "failed", "cancelled")

GATES: Final[tuple[tuple[str, str, str, float], ...]] = (
    ("student accuracy", "student_results", "avg_accuracy", 0.80),
    ("student precision", "student_results", "avg_precision", 0.75),
    ("student recall", "student_results", "avg_recall", 0.70),
    ("teacher F1", "teacher_results", "avg_f1", 0.75),
)
"""What US-025 asks of the averages: name, section of the summary, key, least value."""

LEAST_SHARPE: Final = 1.0


class Criterion(NamedTuple):
    """One thing an approval needs: ``value`` is what was found, None when it is not known."""

    name: str
    needs: str
    value: float | None
    met: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What the steps found: the sections of the summary, and what became of each symbol.

    ``symbols`` tells by symbol the status (success, partial, failed), the runs by status, and the errors.
    ``checklists`` are the recommendations of the students' promotion checklists; ``leaks`` the students whose measures
    are too good to be true; ``criticals`` what went wrong badly enough to stop an approval.
    """

    teacher: Mapping[str, Any]
    student: Mapping[str, Any]
    optimizer: Mapping[str, Any]
    reports: Mapping[str, str]
    symbols: Mapping[str, Mapping[str, Any]]
    steps: Mapping[str, str]
    checklists: Sequence[str] = ()
    leaks: Sequence[str] = ()
    criticals: Sequence[str] = field(default_factory=list)


def of_symbols(runs: Iterable[tuple[str, str, str]]) -> dict[str, dict[str, Any]]:
    """Return by symbol what became of its runs, given as (symbol, status, error).

    A symbol is ``success`` when every run is, ``failed`` when none is, ``partial`` otherwise. Runs that were skipped
    do not count: what is left over at a window's end is nobody's failure.
    """
    found: dict[str, dict[str, Any]] = {}
    for symbol, status, error in runs:
        one = found.setdefault(symbol, {"status": "", "success": 0, "failed": 0, "skipped": 0, "errors": []})
        one[status] = one.get(status, 0) + 1
        if error and error not in one["errors"]:
            one["errors"].append(error)
    for one in found.values():
        one["status"] = "partial" if one["success"] and one["failed"] else "success" if one["success"] else "failed"
    return found


def ended(found: Found, *, dryrun: bool) -> str:
    """Return how the run ended: completed, partial or failed.

    A dry run is always completed: it tries the workflow, not the models. A step that trains and failed wholly fails
    the run, so does a summary that could not be written; the optimizer and the reports never do.
    """
    if dryrun:
        return "completed"
    if any(found.steps.get(name) == "failed" for name in ("teacher", "student", "summary")):
        return "failed"
    states = {one["status"] for one in found.symbols.values()}
    if not states or states == {"failed"}:
        return "failed"
    return "completed" if states == {"success"} else "partial"


def criteria(found: Found) -> list[Criterion]:
    """Return everything an approval needs, and whether it is met. What is not known is not met."""
    sections = {"student_results": found.student, "teacher_results": found.teacher}
    judged = [_at_least(name, sections[section].get(key), least) for name, section, key, least in GATES]
    judged += _of_optimizer(found.optimizer)
    judged.append(Criterion("critical errors", "none", float(len(found.criticals)), not found.criticals))
    written = found.steps.get("reports") in ("success", "skipped")
    judged.append(Criterion("reports", "all generated, or not asked for", None, written))
    promoted = sum(word == "PROMOTE" for word in found.checklists)
    share = promoted / len(found.checklists) if found.checklists else None
    judged.append(Criterion("checklists on realised outcomes", "every one says PROMOTE", share, share == 1.0))
    judged.append(Criterion("suspected leaks", "none", float(len(found.leaks)), not found.leaks))
    return judged


def _at_least(name: str, value: float | None, least: float) -> Criterion:
    told = f">= {least:.2f}" if name == "teacher F1" or name == "optimizer Sharpe" else f">= {least:.0%}"
    known = value is not None and math.isfinite(value)
    return Criterion(name, told, value if known else None, known and value >= least)  # type: ignore[operator]


def _of_optimizer(told: Mapping[str, Any]) -> list[Criterion]:
    """Return the criterion on the optimizer's Sharpe ratio, where there is one: the lowest of the best counts."""
    best = [one.get("sharpe_ratio") for one in dict(told.get("best_configs") or {}).values()]
    known = [value for value in best if value is not None and math.isfinite(value)]
    return [_at_least("optimizer Sharpe", min(known), LEAST_SHARPE)] if known else []


def recommendation(found: Found, *, status: str, dryrun: bool) -> dict[str, Any]:
    """Return the summary's ``promotion_recommendation``: approved or not, why, and what to do next."""
    judged = criteria(found)
    told = [{"name": c.name, "needs": c.needs, "value": c.value, "met": c.met} for c in judged]
    if dryrun:
        reason = "Dry run: nothing was trained, so there is nothing to approve"
        return {
            "approved": False, "reason": reason, "criteria": [{**each, "value": None, "met": None} for each in told],
            "next_steps": ["Review validation_summary.md", "Run the same again with --no-dryrun"],
        }  # fmt: skip
    if status != "completed":
        why = "; ".join(found.criticals) or f"symbols with failures: {', '.join(_unwell(found)) or 'all'}"
        return {
            "approved": False, "reason": f"Rejected: the run is {status} ({why})", "criteria": told,
            "next_steps": ["Look at the errors of each symbol", "Run it again with --run-id to do what is missing"],
        }  # fmt: skip
    missed = [each for each in judged if not each.met]
    if missed:
        return {
            "approved": False, "reason": "Rejected: " + "; ".join(_missed(each) for each in missed), "criteria": told,
            "next_steps": ["Review validation_summary.md", "Leave the models in production as they are"],
        }  # fmt: skip
    return {
        "approved": True,
        "reason": "All accuracy thresholds met (accuracy >= 80%, precision >= 75%), and later outcomes agree",
        "criteria": told,
        "next_steps": [
            "Review validation_summary.md", "Verify report outputs",
            "Promote models to live with manage.py promote_student_models",
        ],
    }  # fmt: skip


def _unwell(found: Found) -> list[str]:
    return sorted(symbol for symbol, one in found.symbols.items() if one["status"] != "success")


def _missed(each: Criterion) -> str:
    told = "unknown" if each.value is None else f"{each.value:.3f}"
    return f"{each.name} is {told}, needs {each.needs}"
