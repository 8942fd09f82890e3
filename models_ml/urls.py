"""The addresses of the learning pages."""

from __future__ import annotations

from django.urls import URLPattern, path

from models_ml.views import models, optimizations, training

urlpatterns: list[URLPattern] = [
    path("research/optimizations", optimizations.optimizations_page, name="optimizations"),
    path("research/optimizations/<int:pk>/", optimizations.optimization_page, name="optimization"),
    path("research/optimizations/<int:pk>/cancel", optimizations.cancel_optimization, name="cancel_optimization"),
    path("models", models.models_page, name="models"),
    path("models/promotions/<int:pk>", models.promotion_page, name="promotion"),
    path("models/promotions/<int:pk>/sign", models.sign, name="promotion_sign"),
    path("models/promotions/<int:pk>/promote", models.promote, name="promotion_promote"),
    path("models/rollback", models.rollback, name="models_rollback"),
    path("models/disable", models.disable, name="models_disable"),
    path("models/enable", models.enable, name="models_enable"),
    path("models/challengers/<int:pk>/dismiss", models.dismiss, name="models_dismiss"),
    path("models/proposals/<int:pk>/approve", models.approve, name="models_approve"),
    path("research/training", training.training_page, name="training"),
    path("research/training/teachers", training.start_teachers, name="start_teachers"),
    path("research/training/validation", training.start_validation, name="start_validation"),
    path("research/training/<int:pk>/", training.batch_page, name="training_batch"),
    path("research/training/<int:pk>/students", training.start_students, name="start_students"),
    path("research/training/<int:pk>/cancel", training.cancel_batch, name="cancel_batch"),
    path("research/training/<int:pk>/resume", training.resume_batch, name="resume_batch"),
    path("research/validations/<slug:run_id>/", training.validation_page, name="validation"),
    path("research/validations/<slug:run_id>/cancel", training.cancel_validation, name="cancel_validation"),
    path("research/validations/<slug:run_id>/resume", training.resume_validation, name="resume_validation"),
]
