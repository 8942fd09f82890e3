"""What the database refuses of roles: where there are two administrators, nobody is given one by one of them alone."""
# ruff: noqa: S608 - names of our own tables and words of our own tables of words; no value from outside

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import Model

from releases.models.grants import FLAGS, RoleGrant
from releases.models.guards import Guard, changed, kept

TOLD = "a role needs a second administrator: ask for it as a role grant"


def guards(vendor: str) -> list[Guard]:
    """Return the guards of who has which role."""
    people, grants = get_user_model(), RoleGrant._meta.db_table
    users, groups = people._meta.db_table, Group._meta.db_table
    members: type[Model] = people.groups.through
    two = (
        f"((SELECT COUNT(*) FROM {users} WHERE is_superuser) >= 2 "
        f"OR EXISTS (SELECT 1 FROM {grants} WHERE confirmed_at IS NOT NULL))"
    )
    given = f"SELECT 1 FROM {grants} r WHERE r.confirmed_at IS NOT NULL AND r.ended_at IS NULL AND"
    group = f"{given} r.user_id = NEW.user_id AND r.role = (SELECT name FROM {groups} WHERE id = NEW.group_id)"
    return [
        Guard(members, "two", "INSERT", f"{two} AND NOT EXISTS ({group})", TOLD),
        Guard(members, "moved", "UPDATE", changed(vendor, "user_id", "group_id"), "a membership is not handed on"),
        Guard(Group, "named", "UPDATE", changed(vendor, "name"), "a role keeps its name"),
        *_of_flags(people, two, given), *_of_grants(vendor, users),
    ]  # fmt: skip


def _of_flags(people: type[Model], two: str, given: str) -> Iterator[Guard]:
    for role, flag in FLAGS.items():
        granted = f"EXISTS ({given} r.user_id = NEW.id AND r.role = '{role}')"
        yield Guard(people, f"made_{role}", "INSERT", f"NEW.{flag} AND {two}", TOLD)
        yield Guard(people, role, "UPDATE", f"NEW.{flag} AND NOT OLD.{flag} AND {two} AND NOT {granted}", TOLD)


def _of_grants(vendor: str, users: str) -> Iterator[Guard]:
    fixed = ("user_id", "role", "reason", "asked_by_id", "asked_at")
    first = kept(RoleGrant, "a role grant is never deleted")
    yield from (each for each in first if each.verb != "UPDATE")

    def no(person: str) -> str:
        return f"NOT EXISTS (SELECT 1 FROM {users} u WHERE u.id = NEW.{person} AND u.is_superuser AND u.is_active)"

    begun = "NEW.confirmed_by_id IS NOT NULL OR NEW.confirmed_at IS NOT NULL OR NEW.ended_at IS NOT NULL"
    yield Guard(RoleGrant, "begun", "INSERT", begun, "a role grant begins unconfirmed")
    yield Guard(RoleGrant, "asker", "INSERT", no("asked_by_id"), "only an administrator asks for a role")
    yield Guard(
        RoleGrant, "fixed", "UPDATE", f"OLD.ended_at IS NOT NULL OR {changed(vendor, *fixed)} OR "
        f"(OLD.confirmed_at IS NOT NULL AND ({changed(vendor, 'confirmed_at', 'confirmed_by_id')}))",
        "a role grant is never edited",
    )  # fmt: skip
    now = f"OLD.confirmed_at IS NULL AND NEW.confirmed_at IS NOT NULL AND {no('confirmed_by_id')}"
    yield Guard(RoleGrant, "second", "UPDATE", now, "only an administrator confirms a role")
