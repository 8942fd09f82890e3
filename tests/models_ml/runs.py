"""Batches and their windows as rows, for stories that need no training."""

import datetime as dt

from models_ml.models import StudentRun, TeacherRun, TrainingBatch

AT = dt.datetime(2025, 10, 12, 13, 30, tzinfo=dt.UTC)
METRICS = {"precision": 0.61, "recall": 0.52, "f1": 0.56, "accuracy": 0.6}
FOLDER = "data/models/20251012_190000"
BATCH = "batch_20251012_190000"


def a_batch(kind="teacher", **told):
    usual = {
        "batch_id": BATCH, "status": "done", "asked": {}, "plan_digest": "x", "folder": FOLDER, "created_at": AT,
        "total": 1, "progress": 1.0,
    }  # fmt: skip
    return TrainingBatch.objects.create(kind=kind, **{**usual, **told})


def a_teacher(symbol="RELIANCE", label="RELIANCE_2024Q1", **told):
    usual = {
        "batch_id": BATCH, "symbols": [symbol], "status": "success", "metrics": METRICS, "created_at": AT,
        "finished_at": AT, "start": dt.date(2024, 1, 1), "end": dt.date(2024, 3, 30), "version": "teacher-0123456789ab",
        "digest": "d" * 64, "artifacts_path": f"{FOLDER}/{label}", "spec": {"interval": "5minute"},
    }  # fmt: skip
    return TeacherRun.objects.create(symbol=symbol, window_label=label, **{**usual, **told})


def a_student(teacher, **told):
    label = teacher.window_label
    usual = {
        "batch_id": BATCH, "symbol": teacher.symbol, "symbols": teacher.symbols, "window_label": label,
        "status": "success", "metrics": {**METRICS, "realised_accuracy": 0.4, "net_mean": -0.0004}, "created_at": AT,
        "finished_at": AT, "teacher_run_id": label, "teacher_artifacts_path": teacher.artifacts_path,
        "student_artifacts_path": f"{FOLDER}/{label}_student", "model_type": "logistic", "recommendation": "REJECT",
        "promotion_checklist_path": f"{FOLDER}/{label}_student/promotion_checklist.md",
    }  # fmt: skip
    return StudentRun.objects.create(teacher=teacher, **{**usual, **told})
