"""What optimiser and student have shown, and what they show when asked again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.conf import settings

from models_ml.core.reports import Chart
from models_ml.services import optimization_checks, report_optimization, student_checks
from releases.core import audit_metrics
from releases.core.audit_flags import Flag
from releases.services.audit_parts import Part, as_json
from sensequant.lib.clock import ist
from sensequant.lib.errors import SenseQuantError
from sensequant.lib.reading import reading_only
from trading.core.strategies import strategy
from trading.selectors import deciding

NO_RUN: Final = "no optimisation was finished: run manage.py optimize"
OPTIMIZER, STUDENT = "validation_results.optimizer_validation", "validation_results.student_validation"


def optimized(parts: Sequence[str]) -> dict[str, Any]:
    """Return the evidence of the newest optimisation; empty when none was finished or none is asked for."""
    run = optimization_checks.newest(settings.DESK.engine_strategy) if "optimizer" in parts else None
    if run is None:
        return {}
    return {**optimization_checks.evidence(run), "kind": strategy(run.strategy).KIND}


def optimizer(parts: Sequence[str], told: Mapping[str, Any], *, at: dt.datetime) -> Part:
    """Return baseline and optimised of the newest optimisation, its papers and its charts."""
    found = Part()
    if "optimizer" not in parts:
        return found
    if not told:
        found.why = dict.fromkeys(("baseline", "optimized", "deltas", OPTIMIZER), NO_RUN)
        return found
    name = told["strategy"]
    found.sections["baseline"] = audit_metrics.measures(name, told["baseline"])
    found.sections["optimized"] = audit_metrics.measures(name, told["best"], told["config_id"] or "")
    found.why["baseline"] = "no baseline was run" if not told["baseline"] else "it made too few trades to measure"
    found.why["optimized"] = found.why["deltas"] = "there were too few trades to measure it by"
    found.notes.append(
        f"Baseline and optimised are compared on the {told['part']} days of optimisation {told['run']} "
        f"({', '.join(told['symbols'])}, {told['start']} to {told['end']}), which chose nothing; "
        f"its verdict is: {told['honesty'].get('verdict')}."
    )
    found.flags = _would_trade(told)
    run = optimization_checks.newest(settings.DESK.engine_strategy)
    if run is not None:
        papers = optimization_checks.files(run)
        found.files = {f"validation_results/optimization/{key}": text for key, text in papers.items()}
        found.charts = _charts(str(run.pk), f"{ist(at):%Y-%m-%d %H:%M} IST")
    return found


def _would_trade(told: Mapping[str, Any]) -> list[Flag]:
    """Return what is to be said of the parameters that would trade now."""
    if told["active"] == "best" and not told["proven"]:
        verdict = told["honesty"].get("verdict") or "none"
        message = f"{told['config_id']} is active, and the verdict on it is: {verdict}"
        return [Flag("optimizer_unproven", told["strategy"], message)]
    if told["active"] == "neither":
        message = f"{told['strategy']} would trade parameters that are neither the baseline nor the best examined"
        return [Flag("parameters_not_examined", told["strategy"], message)]
    return []


def _charts(run: str, made: str) -> dict[str, Chart]:
    try:
        blocks = report_optimization.document(run, made).blocks
    except SenseQuantError:  # its folder is gone: the rows are there, the papers are not
        return {}
    charts = [block for block in blocks if isinstance(block, Chart)]
    return {f"optimization_{k}.png": chart for k, chart in enumerate(charts, start=1)}


def student(parts: Sequence[str]) -> Part:
    """Return the student in place and its checklists."""
    found = Part()
    if "student" not in parts:
        return found
    told = student_checks.evidence()
    found.sections["student_model"] = told
    found.why["student_model"] = told["why"] or "its papers do not tell"
    found.why[STUDENT] = told["why"]
    found.files = {f"promotion_checklists/{key}": text for key, text in student_checks.papers().items()}
    return found


def validate(parts: Sequence[str], *, at: dt.datetime) -> Part:
    """Ask optimiser and student again, with the database refusing every write; what changed all the same is a flag.

    Files of bars are read in first: what is found of new ones is written down, and that is no part of the validation.
    """
    run = optimization_checks.newest(settings.DESK.engine_strategy)
    if "optimizer" in parts and run is not None:
        optimization_checks.read_in(run, at=at)
    if "student" in parts:
        student_checks.read_in(at=at)

    def states() -> dict[str, str]:
        return {
            "strategies and active models": deciding.state(), "optimisation": optimization_checks.state(run),
            "students and promotions": student_checks.state(),
        }  # fmt: skip

    before = states()
    found = Part()
    with reading_only():
        if "optimizer" in parts and run is not None:
            found.add(_asked("optimizer", OPTIMIZER, optimization_checks.again(run, at=at)))
        if "student" in parts:
            found.add(_asked("student", STUDENT, student_checks.again(at=at)))
    after = states()
    changed = [name for name in before if before[name] != after[name]]
    found.flags = [Flag("changed_meanwhile", name, f"{name} changed while they were validated") for name in changed]
    proof = {"writes": "refused by the database", "before": before, "after": after, "changed": changed}
    found.files["validation_results/read_only.json"] = as_json(proof)
    return found


def _asked(name: str, section: str, told: dict[str, Any]) -> Part:
    files = {f"validation_results/{name}.json": as_json({k: v for k, v in told.items() if k != "checklist"})}
    if told.get("checklist"):
        files["promotion_checklists/validated_again.json"] = as_json(told["checklist"])
    return Part({section: told}, {section: "; ".join(told["warnings"][:3])}, files)
