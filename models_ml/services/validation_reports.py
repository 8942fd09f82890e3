"""The two reports of a validation: how accurate teachers and students were, and what the optimizer found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from models_ml.core.report_pages import bars, heading, page, prose, table
from models_ml.core.validation_text import DRY
from models_ml.models import StudentRun, TeacherRun, ValidationRun

BANNER: Final = DRY.strip("*")
FIGURES: Final = ("sharpe_ratio", "trades", "verdict")
AGREEMENT: Final = (
    "Agreement is how far a student says what its teacher says. On a market without any pattern nine in ten agree, so "
    "it is shown and promotes nobody. What counts are the outcomes that came later, net of charges."
)


def pages(run: ValidationRun, teachers: Sequence[TeacherRun], students: Sequence[StudentRun]) -> dict[str, str]:
    """Return the pages by their name without ``.html``."""
    banner = BANNER if run.dryrun else ""
    head = prose(f"{', '.join(run.symbols)}, {run.start} to {run.end}; validation {run.run_id}.")
    return {
        "accuracy_report": page("Accuracy report", [head, *_accuracy(run, teachers, students)], banner=banner),
        "optimization_report": page("Optimization report", [head, *_optimization(run)], banner=banner),
    }


def _accuracy(run: ValidationRun, teachers: Sequence[TeacherRun], students: Sequence[StudentRun]) -> list[str]:
    if run.dryrun:
        windows = run.results.get("teacher", {}).get("windows", [])
        return [
            heading("Planned windows"),
            table("Windows a real run would train on", ("Symbol", "Window", "From", "To"), windows),
        ]
    precise = [(row.window_label, row.metrics.get("precision")) for row in students if row.status == "success"]
    return [
        heading("Teachers"), prose("Macro averages on rows the teacher had not seen."),
        table("Teachers by window", ("Window", "Outcome", "Precision", "Recall", "F1", "Error"),
              map(_teacher, teachers)),
        heading("Students against their teachers"), prose(AGREEMENT),
        table("Agreement by window", ("Window", "Outcome", "Accuracy", "Precision", "Recall", "Error"),
              map(_student, students)),
        bars("Precision against the teacher, by window; the line is the 75 % that US-025 asks for", precise, mark=0.75),
        heading("Students against what came true"),
        table("Realised, later, net of charges",
              ("Window", "Accuracy", "Direction AUC", "Trades", "Net of a trade", "95 % from", "to", "Suspected leak",
               "Recommendation"), map(_realised, students)),
        *_matrices(students),
    ]  # fmt: skip


def _teacher(row: TeacherRun) -> tuple[Any, ...]:
    m = row.metrics
    return (row.window_label, row.status, m.get("precision"), m.get("recall"), m.get("f1"), row.error)


def _student(row: StudentRun) -> tuple[Any, ...]:
    m = row.metrics
    return (row.window_label, row.status, m.get("accuracy"), m.get("precision"), m.get("recall"), row.error)


def _realised(row: StudentRun) -> tuple[Any, ...]:
    found: Mapping[str, Any] = row.evaluation.get("realised") or {}
    net = found.get("net_mean") or {}
    return (
        row.window_label, row.evaluation.get("accuracy"), row.evaluation.get("directional_auc"), found.get("trades"),
        net.get("value"), net.get("low"), net.get("high"), row.suspected_leak, row.recommendation or None,
    )  # fmt: skip


def _matrices(students: Sequence[StudentRun]) -> list[str]:
    """Return each student's confusion matrix: what came true in rows, what was said in columns."""
    found = [heading("Confusion matrices")]
    for row in students:
        told = row.evaluation
        if "confusion_matrix" in told:
            names = told["class_labels"]
            lines = [(name, *counts) for name, counts in zip(names, told["confusion_matrix"], strict=True)]
            found.append(table(f"{row.window_label}: came true, and was told", ("", *names), lines))
    return found


def _optimization(run: ValidationRun) -> list[str]:
    found = run.results.get("optimizer", {})
    state = run.steps.get("optimizer", "skipped")
    if not found.get("best_configs"):
        why = found.get("reason") or "; ".join(found.get("errors", [])) or "nothing was found"
        return [heading("Best configurations"), prose(f"None: {state} ({why}).")]
    rows = [
        (symbol, one.get("sharpe_ratio"), one.get("trades"), one.get("verdict"),
         ", ".join(f"{key} {value:g}" for key, value in one.items() if key not in FIGURES))
        for symbol, one in found["best_configs"].items()
    ]  # fmt: skip
    sharpes = [(symbol, one.get("sharpe_ratio")) for symbol, one in found["best_configs"].items()]
    high = max([1.0, *(value for _, value in sharpes if value is not None)])
    return [
        heading("Best configurations"),
        prose("Read-only: no live configuration was touched. The figures are of days the search did not choose by."),
        table("By symbol", ("Symbol", "Sharpe", "Trades", "Verdict", "Parameters"), rows),
        bars("Sharpe ratio by symbol; the line is the 1.0 that US-025 asks for", sharpes, high=high, mark=1.0),
    ]
