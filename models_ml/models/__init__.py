"""What is remembered of learning."""

from __future__ import annotations

from models_ml.models.batches import TrainingBatch, ValidationRun
from models_ml.models.datasets import Dataset
from models_ml.models.evenings import Evening
from models_ml.models.optimizations import OptimizationRun, Trial
from models_ml.models.promotion import Promotion, SignOff
from models_ml.models.training import StudentRun, TeacherRun

__all__ = [
    "Dataset",
    "Evening",
    "OptimizationRun",
    "Promotion",
    "SignOff",
    "StudentRun",
    "TeacherRun",
    "TrainingBatch",
    "Trial",
    "ValidationRun",
]
