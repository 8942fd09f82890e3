"""The lists of the research pages: their columns, and their rows as those are read."""

from __future__ import annotations

from typing import Any

from models_ml.models import Evening, Promotion, TeacherRun, TrainingBatch, ValidationRun
from models_ml.models.optimizations import OptimizationRun
from sensequant.lib import formats
from sensequant.lib.addresses import address
from trading.views.columns import Column
from trading.views.metrics import LEARNED

C = Column
SPAN = (C("names", "Symbols", hint="symbols"), C("first", "From"), C("last", "To"))
ASKED = (C("created_at", "Asked", "stamp"), C("created_by", "By"))
SCORES = tuple(C(*each) for each in LEARNED if each.key != "realised")
OPTIMIZATIONS = (
    C("number", "No.", "qty", link="address"), C("status", "Status", "status"), C("strategy", "Strategy"),
    C("walk", "Walk-forward", help="sessions searched : traded unseen : step"), C("interval", "Bars"), *SPAN,
    C("tried", "Tried", "qty", "configurations, in all windows"), C("verdict", "Verdict"), *ASKED,
)  # fmt: skip
BATCHES = (
    C("number", "No.", "qty", link="address"), C("status", "Status", "status"), C("kind", "Kind"),
    C("batch_id", "Batch"), C("progress", "Done", "share"), C("completed", "Trained", "qty"),
    C("failed", "Failed", "qty"), *SCORES, *ASKED,
)  # fmt: skip
VALIDATIONS = (
    C("run_id", "Run", heading=True, link="address"), C("status", "Status", "status"), C("mode", "Mode"),
    C("approved", "Approved"), *SPAN, *ASKED,
)  # fmt: skip
TRAINED = (
    C("symbol", "Symbol", heading=True), C("interval", "Bars"), C("last", "Last day"),
    C("last_updated", "Trained", "stamp"),
)  # fmt: skip
ENDS = (C("seconds", "Seconds", "number"), C("error", "Error"))
TEACHERS = (
    C("window", "Window", heading=True), C("status", "Status", "status"), C("first", "From"), C("last", "To"),
    *SCORES, *ENDS,
)  # fmt: skip
STUDENTS = (
    C("window", "Window", heading=True), C("status", "Status", "status"), C("model_type", "Kind"), *SCORES,
    *(C(*each) for each in LEARNED if each.key == "realised"),
    C("checklist", "Checklist"), *ENDS,
)  # fmt: skip
JUDGED = (
    C("number", "Promotion", "qty", link="address"), C("version", "Candidate", heading=True),
    C("baseline", "Against"), C("state", "Outcome"), C("reason", "Why"), C("created_at", "Judged", "stamp"),
)  # fmt: skip
PLACES = (
    C("version", "Version", heading=True), C("role", "Role"), C("since", "Since", "stamp"),
    C("until", "Until", "stamp"), C("by", "By"), C("reason", "Why"),
)  # fmt: skip
EVENINGS = (
    C("date", "Session", heading=True), C("strategy", "Strategy"), C("outcome", "Outcome"), C("why", "Why"),
    C("found", "What the rules found"), C("retraining", "Retraining"), C("proposal", "Proposal"),
)  # fmt: skip


def _span(row: Any) -> dict[str, Any]:
    return {
        "names": formats.few(row.symbols), "symbols": ", ".join(row.symbols), "first": formats.day(row.start),
        "last": formats.day(row.end), "created_at": row.created_at, "created_by": row.created_by,
    }  # fmt: skip


def optimization(run: OptimizationRun) -> dict[str, Any]:
    """Return an optimisation as a row."""
    return {
        "number": run.pk, "address": address("optimization", run.pk), "status": run.status, "strategy": run.strategy,
        "walk": run.spec.get("walk_forward", ""), "interval": run.interval, "tried": getattr(run, "tried", 0),
        "verdict": run.result.get("honesty", {}).get("verdict", ""), **_span(run),
    }  # fmt: skip


def batch(row: TrainingBatch) -> dict[str, Any]:
    """Return a batch of trainings as a row."""
    told = row.summary
    return {
        "number": row.pk, "address": address("training_batch", row.pk), "status": row.status,
        "kind": f"{row.kind}s, update" if row.incremental else f"{row.kind}s", "batch_id": row.batch_id,
        "progress": row.progress, "completed": told.get("completed"), "failed": told.get("failed"),
        "precision": told.get("avg_precision"), "recall": told.get("avg_recall"), "f1": told.get("avg_f1"),
        "created_at": row.created_at, "created_by": row.created_by,
    }  # fmt: skip


def validation(run: ValidationRun) -> dict[str, Any]:
    """Return a validation as a row; a dry run has nothing to approve."""
    judged = "nothing to approve" if run.dryrun else "yes" if run.approved else "no"
    return {
        "run_id": run.run_id, "address": address("validation", run.run_id), "status": run.status,
        "mode": "dry run" if run.dryrun else "real", "approved": judged, **_span(run),
    }  # fmt: skip


def trained(row: dict[str, Any]) -> dict[str, Any]:
    """Return how far a symbol is trained as a row."""
    return {**row, "last": formats.day(row["last_trained_date"])}


def window(row: Any) -> dict[str, Any]:
    """Return a teacher or student of a batch as a row."""
    told = row.metrics
    found = {
        "window": row.window_label, "status": row.status, "precision": told.get("precision"),
        "recall": told.get("recall"), "f1": told.get("f1"), "seconds": row.seconds, "error": row.error,
    }  # fmt: skip
    if isinstance(row, TeacherRun):
        return {**found, "first": formats.day(row.start), "last": formats.day(row.end)}
    leak = "suspected leak" if row.suspected_leak else ""
    return {
        **found, "model_type": row.model_type, "realised": told.get("realised_accuracy"),
        "checklist": ", ".join(filter(None, (row.recommendation, leak))),
    }  # fmt: skip


def judged(row: Promotion) -> dict[str, Any]:
    """Return a candidate that was judged as a row."""
    return {
        "number": row.pk, "address": address("promotion", row.pk), "version": row.version,
        "baseline": row.baseline_version or "the strategy alone", "state": row.state,
        "reason": row.checklist.get("reason", ""), "created_at": row.created_at,
    }  # fmt: skip


def evening(row: Evening) -> dict[str, Any]:
    """Return an evening as a row."""
    retraining = row.retraining.get("status") or row.retraining.get("why", "")
    return {
        "date": formats.day(row.date), "strategy": row.strategy, "outcome": row.outcome, "why": row.why,
        "found": "; ".join(map(_change, row.changes)), "retraining": retraining,
        "proposal": f"{row.proposal}: {row.proposal.status}" if row.proposal else "",
    }  # fmt: skip


def _change(line: dict[str, Any]) -> str:
    moved = f"{line['before']:g} → {line['after']:g}" if line.get("changed") else f"{line['before']:g}"
    return f"{line.get('parameter') or line['rule']} {moved}, {line['evidence']}"
