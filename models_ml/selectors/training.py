"""Trainings, as the API asks for them."""

from __future__ import annotations

from django.db.models import QuerySet

from models_ml.models import StudentRun, TeacherRun


def teachers() -> QuerySet[TeacherRun]:
    """Return every teacher's training."""
    return TeacherRun.objects.all()


def students() -> QuerySet[StudentRun]:
    """Return every student's training."""
    return StudentRun.objects.all()
