"""The learning app's part of the REST API: one router per noun."""

from __future__ import annotations

from ninja import Router

from models_ml.api import batches, models, optimizations, state, training, validations

ROUTERS: dict[str, Router] = {
    "models": models.router,
    "optimizations": optimizations.router,
    "teachers": training.teachers,
    "students": training.students,
    "training/batches": batches.router,
    "validations": validations.router,
    "state/models": state.router,
}
