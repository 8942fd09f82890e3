"""The admin pages of learning: rows can be looked up, changes go through the services."""

from __future__ import annotations

from models_ml.admin import batches, datasets, optimizations, promotion, training

__all__ = ["batches", "datasets", "optimizations", "promotion", "training"]
