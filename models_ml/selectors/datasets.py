"""The datasets there are."""

from __future__ import annotations

from django.db.models import QuerySet

from models_ml.models.datasets import Dataset
from sensequant.lib.errors import BadInput, NotFound

SHORTEST = 6


def datasets() -> QuerySet[Dataset]:
    """Return every dataset, newest first."""
    return Dataset.objects.all()


def dataset(word: str) -> Dataset:
    """Return the dataset whose digest begins with ``word``; NotFound without one, BadInput when it fits several."""
    if len(word) < SHORTEST:
        raise BadInput(f"{word!r} is too short to name a dataset", fix=f"give its first {SHORTEST} characters or more")
    found = list(Dataset.objects.filter(digest__startswith=word.lower())[:2])
    if not found:
        raise NotFound(f"there is no dataset {word!r}", fix="manage.py build_dataset --list shows those there are")
    if len(found) > 1:
        raise BadInput(f"{word!r} fits several datasets", fix="give more characters of the digest")
    return found[0]
