"""What is remembered of learning."""

from __future__ import annotations

from models_ml.models.datasets import Dataset
from models_ml.models.training import StudentRun, TeacherRun

__all__ = ["Dataset", "StudentRun", "TeacherRun"]
