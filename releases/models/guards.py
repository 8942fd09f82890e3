"""What a refusal of the database is made of, and the refusals most tables share."""
# ruff: noqa: S608 - names of our own tables; no value from outside

from __future__ import annotations

from typing import Final, NamedTuple

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
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


def by_persons(model: type[models.Model], keys: str, what: str, verb: str) -> list[Guard]:
    """Return the guards of rows that people sign: in a role they hold, with a key of table ``keys`` of their own."""
    users, groups = get_user_model()._meta.db_table, Group._meta.db_table
    members = get_user_model()._meta.get_field("groups").remote_field.through._meta.db_table  # type: ignore[union-attr]
    holds = (
        f"SELECT 1 FROM {users} u JOIN {members} m ON m.user_id = u.id JOIN {groups} g ON g.id = m.group_id "
        "WHERE u.id = NEW.user_id AND u.is_active AND g.name = NEW.role"
    )
    key = (
        f"SELECT 1 FROM {keys} k WHERE k.id = NEW.key_id AND k.user_id = NEW.user_id "
        "AND k.public = NEW.public_key AND k.revoked_at IS NULL"
    )
    return [
        Guard(model, "role", "INSERT", f"NOT EXISTS ({holds})", f"only who holds the role {verb} in it"),
        Guard(model, "key", "INSERT", f"NOT EXISTS ({key})", "people sign with their own key"),
        Guard(model, "kept", "DELETE", "", f"a {what} is never deleted"),
    ]


def only_revoked(vendor: str, model: type[models.Model], what: str) -> Guard:
    """Return the guard of rows of which nothing is ever changed but that they are revoked, once."""
    fixed = [str(each.column) for each in model._meta.concrete_fields if not each.name.startswith("revoked")]
    when = f"OLD.revoked_at IS NOT NULL OR {changed(vendor, *fixed)}"
    return Guard(model, "fixed", "UPDATE", when, f"a {what} is never edited")
