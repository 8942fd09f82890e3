"""The addresses of the learning pages."""

from __future__ import annotations

from django.urls import URLPattern, path

from models_ml.views import optimizations

urlpatterns: list[URLPattern] = [
    path("research/optimizations", optimizations.optimizations_page, name="optimizations"),
    path("research/optimizations/<int:pk>/", optimizations.optimization_page, name="optimization"),
    path("research/optimizations/<int:pk>/cancel", optimizations.cancel_optimization, name="cancel_optimization"),
]
