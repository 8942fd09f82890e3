"""The admin pages of learning: rows can be looked up, changes go through the services."""

from __future__ import annotations

from models_ml.admin import datasets, optimizations, promotion, training

__all__ = ["datasets", "optimizations", "promotion", "training"]
