"""A validation's summary as Markdown, for people to read and sign."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from models_ml.core.validation import TITLES

DRY: Final = "**DRY RUN: nothing was trained. Every number that a real run would find is missing on this page.**"
MEASURES: Final = (
    ("teacher_results", "Teacher", ("avg_precision", "avg_recall", "avg_f1")),
    ("student_results", "Student", ("avg_accuracy", "avg_precision", "avg_recall", "avg_f1")),
)


def markdown(told: Mapping[str, Any]) -> str:
    """Return the summary (the object of ``validation_summary.json``) as Markdown."""
    parts = [
        f"# Model validation {told['run_id']}", *([DRY] if told["dryrun"] else []), _head(told), _steps(told),
        _measures(told), _symbols(told), _optimizer(told["optimizer_results"]), _reports(told["reports"]),
        _judgement(told["promotion_recommendation"]),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Return a Markdown table; bars inside a cell are escaped."""
    heads = list(columns)
    lines = [_row(heads), _row("---" for _ in heads), *(_row(map(_cell, row)) for row in rows)]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}"
    return " ".join(str(value).replace("|", "\\|").split()) or "–"


def _head(told: Mapping[str, Any]) -> str:
    days = told["date_range"]
    return table(
        ("", ""),
        (
            ("Status", told["status"]), ("Mode", "dry run" if told["dryrun"] else "real run"),
            ("Begun", told["timestamp"]), ("Symbols", ", ".join(told["symbols"])),
            ("Days", f"{days['start']} to {days['end']}"),
        ),
    )  # fmt: skip


def _steps(told: Mapping[str, Any]) -> str:
    rows = [(k, TITLES[name], state) for k, (name, state) in enumerate(told["steps"].items(), start=1)]
    return "## Steps\n\n" + table(("", "Step", "Outcome"), rows)


def _measures(told: Mapping[str, Any]) -> str:
    rows = [
        (title, name.removeprefix("avg_"), told[section].get(name))
        for section, title, names in MEASURES
        for name in names
    ]
    counts = [
        f"{title}s: {told[section]['status']}, {told[section]['runs_completed']} completed"
        for section, title, _ in MEASURES
    ]
    return f"## Averages\n\n{'; '.join(counts)}.\n\n" + table(("Model", "Measure", "Average"), rows)


def _symbols(told: Mapping[str, Any]) -> str:
    rows = [
        (symbol, one["status"], one["success"], one["failed"], one["skipped"], "; ".join(one["errors"]))
        for symbol, one in told["symbol_results"].items()
    ]
    return "## Symbols\n\n" + table(("Symbol", "Status", "Completed", "Failed", "Skipped", "Errors"), rows)


def _optimizer(told: Mapping[str, Any]) -> str:
    rows = [
        (symbol, one.get("sharpe_ratio"), ", ".join(f"{k} {v}" for k, v in one.items() if k != "sharpe_ratio"))
        for symbol, one in (told.get("best_configs") or {}).items()
    ]
    found = table(("Symbol", "Sharpe", "Parameters"), rows) if rows else ""
    why = f": {told['reason']}" if told.get("reason") else ""
    return f"## Optimizer\n\n{told['status']}{why}\n\n{found}".strip()


def _reports(told: Mapping[str, str]) -> str:
    lines = [f"* {name}: `{path}`" for name, path in told.items()] or ["None."]
    return "## Reports\n\n" + "\n".join(lines)


def _judgement(told: Mapping[str, Any]) -> str:
    word = "APPROVED" if told["approved"] else "NOT APPROVED"
    met = {True: "yes", False: "no", None: "–"}
    rows = [(each["name"], each["needs"], each["value"], met[each["met"]]) for each in told["criteria"]]
    steps = "\n".join(f"{k}. {each}" for k, each in enumerate(told["next_steps"], start=1))
    return (
        f"## Promotion recommendation: {word}\n\n{told['reason']}\n\n"
        f"{table(('Criterion', 'Needs', 'Found', 'Met'), rows)}\n\n### Next\n\n{steps}"
    )
