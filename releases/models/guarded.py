"""Rows that are added and never edited: a queryset that refuses what would go past the services.

The database's own triggers (``triggers``) say the same to whoever comes with SQL.
"""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn, Self, TypeVar

from django.db import models
from django.db.models import QuerySet

from sensequant.lib.errors import NotAllowed

M = TypeVar("M", bound=models.Model)


def _refuse(model: type[models.Model], verb: str) -> NoReturn:
    name = model._meta.verbose_name_plural
    raise NotAllowed(f"{name} cannot be {verb}", fix="they are kept as they were written; use the release's page")


class GuardedQuerySet(QuerySet[M]):
    """A queryset that reads and creates, one row at a time."""

    def update(self, **values: Any) -> int:
        """Refuse: a row of this kind is changed by its service alone."""
        _refuse(self.model, "edited")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refuse: a row of this kind is kept."""
        _refuse(self.model, "deleted")

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> list[M]:
        """Refuse: each row is checked when it is made."""
        _refuse(self.model, "made in bulk")

    def bulk_update(self, objs: Any, fields: Any, batch_size: int | None = None) -> int:
        """Refuse: a row of this kind is changed by its service alone."""
        _refuse(self.model, "edited")


class GuardedManager(models.Manager[M]):
    """A manager of such rows."""

    def get_queryset(self) -> GuardedQuerySet[M]:
        """Return the rows, to be read."""
        return GuardedQuerySet(self.model, using=self._db)


class Guarded(models.Model):
    """A row that is written once; what may change later, the services change with ``plain``."""

    objects: ClassVar[models.Manager[Self]] = GuardedManager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new row, checked; refuse to write an old one again."""
        if not self._state.adding:
            _refuse(type(self), "edited")
        self.clean_fields()
        self.clean()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse: a row of this kind is kept."""
        _refuse(type(self), "deleted")


def plain(model: type[M]) -> QuerySet[M]:
    """Return a queryset that may update, for the one service that owns the change."""
    return QuerySet(model)
