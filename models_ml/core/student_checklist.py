"""The promotion checklist a training writes (§17.4): what a student must show and what it shows, PROMOTE or REJECT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from models_ml.core import gates
from models_ml.core.gates import Baseline

SIGNATURES: Final = ("ML Lead", "Quant Lead", "Risk Manager")
UPLIFTS: Final = (
    ("precision", "precision_long", "min_precision_uplift"),
    ("hit_ratio", "hit_ratio", "min_hit_ratio_uplift"),
    ("sharpe", "sharpe_ratio", "min_sharpe_uplift"),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """What the student is compared with: the ``model`` (a folder, or words where there is none) and its figures.

    ``least`` are the uplifts needed by their names in §17.4; ``every`` says whether all three are.
    """

    model: str
    metrics: Mapping[str, Any]
    least: Mapping[str, float]
    every: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """The student: its folder, version, evaluation, and the days (ISO dates) and symbols it was tested on."""

    model: str
    version: str
    evaluation: Mapping[str, Any]
    start: str
    end: str
    symbols: Sequence[str]
    looks: int


def figures(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """Return what §17.4 calls metrics, of a student's ``evaluation_metrics.json``."""
    realised = evaluation.get("realised") or {}
    return {
        "precision_long": (evaluation.get("precision_per_class") or {}).get("LONG"),
        "hit_ratio": (realised.get("hit_ratio") or {}).get("value"),
        "sharpe_ratio": (realised.get("sharpe") or {}).get("value"),
    }


def checklist(candidate: Candidate, baseline: Baseline, compared: Compared | None, *, at: str) -> dict[str, Any]:
    """Return ``promotion_checklist.json``; ``compared`` is None when no uplift was asked for."""
    mine = figures(candidate.evaluation)
    checks = gates.checks(candidate.evaluation, baseline)
    told: dict[str, Any] = {
        "timestamp": at, "candidate_model": candidate.model, "candidate_version": candidate.version,
        "baseline_model": compared.model if compared else None,
        "validation_period": {"start": candidate.start, "end": candidate.end, "symbols": list(candidate.symbols)},
        "candidate_metrics": mine, "baseline_metrics": dict(compared.metrics) if compared else {},
        "baseline_criteria": {"precision": baseline.precision, "recall": baseline.recall},
        "document_criteria": candidate.evaluation.get("document_criteria", {}),
        "teacher_agreement": candidate.evaluation.get("teacher_agreement", {}), "looks": candidate.looks,
    }  # fmt: skip
    if compared:
        told |= _uplifts(mine, compared)
        met = told["validation_results"]["all_criteria_pass"]
        checks.append(
            {"name": "uplift_over_baseline", "label": f"uplifts over {compared.model}", "value": met, "needed": "met",
             "pass": met}
        )  # fmt: skip
    failed = [each for each in checks if not each["pass"]]
    reason = "All criteria are met." if not failed else "Not met: " + "; ".join(_line(each) for each in failed) + "."
    return {**told, "checks": checks, "recommendation": "REJECT" if failed else "PROMOTE", "reason": reason}


def _uplifts(mine: Mapping[str, Any], compared: Compared) -> dict[str, Any]:
    """Return deltas, thresholds and results by the rule of §17.5; what is missing does not pass."""
    deltas = {
        f"{name}_uplift": _less(mine.get(key), compared.metrics.get(key)) for name, key, _ in UPLIFTS
    }  # fmt: skip
    passed = {
        f"{name}_pass": gates.reaches(deltas[f"{name}_uplift"], compared.least[least]) for name, _, least in UPLIFTS
    }
    met = all(passed.values()) if compared.every else any(passed.values())
    return {
        "deltas": deltas, "validation_thresholds": dict(compared.least),
        "validation_results": {**passed, "all_criteria_pass": met},
    }  # fmt: skip


def _less(mine: Any, other: Any) -> float | None:
    return mine - other if isinstance(mine, int | float) and isinstance(other, int | float) else None


def _line(check: Mapping[str, Any]) -> str:
    return f"{check['label']} is {_number(check['value'])}, needed {check['needed']}"


def _number(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def markdown(told: Mapping[str, Any], evaluation: Mapping[str, Any]) -> str:
    """Return ``promotion_checklist.md``: the same for people, with sign-offs, deployment and rollback."""
    period = told["validation_period"]
    lines = [
        f"# Promotion checklist: {told['candidate_version']}", "",
        f"**Recommendation: {told['recommendation']}** – {told['reason']}", "",
        f"Tested on {', '.join(period['symbols'])} from {period['start']} to {period['end']}, rows it had never seen; "
        f"{told['looks']} earlier trainings had been tested on the same rows.", "",
        "## Criteria", "", "| criterion | found | needed | |", "|---|---|---|---|",
        *(f"| {c['label']} | {_number(c['value'])} | {c['needed']} | {_mark(c['pass'])} |" for c in told["checks"]), "",
        *_performance(told), *_realised(evaluation), *_document(told), *_people(told),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _mark(met: bool) -> str:
    return "✅ met" if met else "❌ not met"


def _performance(told: Mapping[str, Any]) -> list[str]:
    mine, theirs = told["candidate_metrics"], told["baseline_metrics"]
    deltas, results = told.get("deltas", {}), told.get("validation_results", {})
    lines = ["## Performance", "", "| | candidate | baseline | difference | |", "|---|---|---|---|---|"]
    for name, key, _ in UPLIFTS:
        mark = _mark(results[f"{name}_pass"]) if results else ""
        delta = _number(deltas.get(f"{name}_uplift")) if deltas else ""
        lines.append(
            f"| {key} | {_number(mine[key])} | {_number(theirs.get(key)) if theirs else ''} | {delta} | {mark} |"
        )
    return [*lines, ""]


def _realised(evaluation: Mapping[str, Any]) -> list[str]:
    found = evaluation.get("realised") or {}
    lines = [
        "## What it would have earned", "",
        f"{found.get('trades', 0)} trades in {found.get('sessions', 0)} sessions, net of charges and slippage; in "
        "brackets the 95 % interval from resampling whole sessions.", "",
    ]  # fmt: skip
    for label, key in (
        ("precision", "precision"), ("precision over base rate", "uplift"), ("hit ratio", "hit_ratio"),
        ("net return of a trade", "net_mean"), ("Sharpe ratio a year", "sharpe"),
    ):  # fmt: skip
        lines.append(f"* {label}: {_interval(found.get(key))}")
    base = found.get("baselines") or {}
    rivals = ", ".join(f"{name.replace('_', ' ')} {_number(value)}" for name, value in base.items())
    return [*lines, f"* net return of a trade for others: {rivals or 'unknown'}", ""]


def _interval(told: Mapping[str, Any] | None) -> str:
    if not told:
        return "unknown"
    return f"{_number(told.get('value'))} [{_number(told.get('low'))}, {_number(told.get('high'))}]"


def _document(told: Mapping[str, Any]) -> list[str]:
    lines = [
        "## The document's criteria (US-025)", "",
        "They compare the student with its teacher. On a market without any pattern nine in ten agree, so they are "
        "shown and promote nobody.", "",
    ]  # fmt: skip
    for name, least in gates.DOCUMENT.items():
        each = told["document_criteria"].get(name, {})
        value = _number(each.get("value"))
        lines.append(f"* {name.replace('_', ' ')}: {value}, needed ≥ {least:g}: {_mark(bool(each.get('pass')))}")
    return [*lines, ""]


def _people(told: Mapping[str, Any]) -> list[str]:
    return [
        "## Before deployment", "",
        "- [ ] Every criterion above is met", "- [ ] The test rows are later than everything the student learned from",
        "- [ ] Its features are those the engine computes", "- [ ] The present model is archived",
        "- [ ] Whoever is on call knows how to roll back", "",
        "## Sign-offs", "", "| role | name | decision | date |", "|---|---|---|---|",
        *(f"| {role} | | | |" for role in SIGNATURES), "",
        "## Deployment", "",
        "```bash", f"manage.py promote_student_models --candidate {told['candidate_model']}", "```", "",
        "## Rollback", "", "```bash", "manage.py promote_student_models --rollback", "```",
    ]  # fmt: skip
