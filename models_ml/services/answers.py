"""Batches and validations as commands and the API give them."""

from __future__ import annotations

from typing import Any

from models_ml.models import StudentRun, TrainingBatch, ValidationRun
from models_ml.services import batches, run_files


def batch(found: TrainingBatch) -> dict[str, Any]:
    """Return a batch with its windows."""
    return {
        "id": found.pk, "batch_id": found.batch_id, "kind": found.kind, "status": found.status,
        "incremental": found.incremental, "folder": found.folder,
        "runs_file": batches.relative(run_files.file_of(found)), "summary": found.summary,
        "certificates": found.certificates, "error": found.error, "cpu_seconds": round(found.cpu_seconds, 2),
        "runs": [window(row) for row in batches.rows(found)],
    }  # fmt: skip


def window(row: Any) -> dict[str, Any]:
    """Return one window of a batch."""
    told = {
        "symbol": row.symbol, "window_label": row.window_label, "status": row.status, "error": row.error,
        "metrics": row.metrics, "version": row.version, "sha256": row.digest, "seconds": row.seconds,
        "sentiment_available": row.sentiment_available,
    }  # fmt: skip
    if isinstance(row, StudentRun):
        return {
            **told, "artifacts_path": row.student_artifacts_path, "recommendation": row.recommendation,
            "suspected_leak": row.suspected_leak, "promotion_checklist_path": row.promotion_checklist_path,
        }  # fmt: skip
    days = {"start": str(row.start), "end": str(row.end)}
    return {**told, "artifacts_path": row.artifacts_path, "date_range": days}


def validation(found: ValidationRun) -> dict[str, Any]:
    """Return a validation: its summary, or as much as there is of it."""
    told = found.summary or {
        "run_id": found.run_id, "symbols": found.symbols, "dryrun": found.dryrun,
        "date_range": {"start": str(found.start), "end": str(found.end)},
    }  # fmt: skip
    return {**told, "status": found.status, "steps": found.steps, "folder": found.folder, "error": found.error}
