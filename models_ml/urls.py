"""The addresses of the learning pages."""

from __future__ import annotations

from django.urls import URLPattern, path

from models_ml.views import models, optimizations

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
]
