"""What a refusal of the database is made of, and the refusals most tables share."""

from __future__ import annotations

from typing import Final, NamedTuple

from django.db import models

PREFIX: Final = "guard_"
TRUNCATE: Final = "TRUNCATE"


class Guard(NamedTuple):
    """One refusal: before ``verb`` on ``model``, when the SQL ``when`` is true, ``told`` is the error."""

    model: type[models.Model]
    name: str
    verb: str
    when: str
    told: str

    @property
    def table(self) -> str:
        """Return the table's name."""
        return self.model._meta.db_table

    @property
    def trigger(self) -> str:
        """Return the trigger's name."""
        return f"{PREFIX}{self.table}_{self.name}"


def changed(vendor: str, *columns: str) -> str:
    """Return SQL that is true when one of the columns changes."""
    differs = "IS DISTINCT FROM" if vendor == "postgresql" else "IS NOT"
    return " OR ".join(f"NEW.{name} {differs} OLD.{name}" for name in columns)


def kept(model: type[models.Model], told: str) -> list[Guard]:
    """Return the guards of a table whose rows are only ever added."""
    return [
        Guard(model, "kept", "DELETE", "", told), Guard(model, "fixed", "UPDATE", "", told),
        Guard(model, "whole", TRUNCATE, "", told),
    ]  # fmt: skip
