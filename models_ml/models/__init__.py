"""What is remembered of learning."""

from __future__ import annotations

from models_ml.models.datasets import Dataset
from models_ml.models.optimizations import OptimizationRun, Trial
from models_ml.models.training import StudentRun, TeacherRun

__all__ = [
    "Dataset",
    "OptimizationRun",
    "StudentRun",
    "TeacherRun",
    "Trial",
]
