"""What the database itself refuses, on PostgreSQL and on SQLite, whoever asks: a row's rules as triggers.

They are put in place after every ``migrate``, so that a table that was rebuilt has them again.
"""
# ruff: noqa: S608 - names of our own tables and words of our own tables of words; no value from outside

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate
from django.dispatch import receiver

from releases.core.roles import ROLES, WAIVERS
from releases.core.states import NEXT, REAUDITABLE, SIGNABLE, SIGNED
from releases.models import audit_guards, grant_guards, ledger_guards, waiver_guards
from releases.models.audit import Audit
from releases.models.grants import RoleGrant
from releases.models.guards import PREFIX, TRUNCATE, Guard, by_persons, changed, kept, only_revoked
from releases.models.release import Release, ReleaseEvent
from releases.models.sign_offs import ReleaseSignOff, SigningKey
from releases.models.waivers import FlagWaiver

NEEDED: Final = tuple(
    each._meta.db_table
    for each in (
        Release,
        ReleaseEvent,
        ReleaseSignOff,
        SigningKey,
        Audit,
        FlagWaiver,
        RoleGrant,
        get_user_model(),
        Group,
    )
)

AUTHORS: Final = {
    "postgresql": "LATERAL (SELECT e->>'email' AS email FROM jsonb_array_elements("
    "COALESCE(r.content #> '{code,authors}', '[]'::jsonb)) e) a",
    "sqlite": "(SELECT json_extract(e.value, '$.email') AS email, o.id AS release FROM "
    f"{Release._meta.db_table} o, json_each(o.content, '$.code.authors') e WHERE o.id = NEW.release_id) a",
}
"""The e-mail addresses of who wrote what a release ``r`` brings."""


def _words(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _standing(release: str) -> str:
    """Return SQL that counts the roles, or the people, of the approvals that stand for what is there now."""
    return (
        f"FROM {ReleaseSignOff._meta.db_table} s JOIN {Audit._meta.db_table} a ON a.id = {release}.audit_id "
        f"WHERE s.release_id = {release}.id AND s.decision = 'approve' AND s.revoked_at IS NULL "
        f"AND s.content_sha256 = {release}.content_sha256 AND s.audit_sha256 = a.bundle_sha256 "
        "AND s.flags_sha256 = a.flags_sha256"
    )


def _of_releases(vendor: str) -> list[Guard]:
    pairs = " OR ".join(
        f"(OLD.state = '{old}' AND NEW.state IN ({_words(following)}))" for old, following in NEXT.items() if following
    )
    fixed = ("release_id", "seq", "kind", "author_id", "summary", "content", "content_sha256", "previous_id",
             "created_at")  # fmt: skip
    manifest = ("manifest_path", "manifest_sha256", "envelope_sha256")
    few = f"(SELECT COUNT(DISTINCT s.role) {_standing('NEW')}) < {len(ROLES)}"
    alone = f"(SELECT COUNT(DISTINCT s.user_id) {_standing('NEW')}) < {len(ROLES)}"
    return [
        Guard(Release, "kept", "DELETE", "", "a release is never deleted"),
        Guard(Release, "fixed", "UPDATE", changed(vendor, *fixed),
              "the content of a release is never edited: make another"),
        Guard(Release, "moves", "UPDATE", f"NEW.state <> OLD.state AND NOT ({pairs})", "no legal move of a release"),
        Guard(Release, "judged", "UPDATE",
              f"({changed(vendor, 'audit_id')}) AND NOT (OLD.state IN ({_words(REAUDITABLE)}) "
              f"AND NEW.state IN ({_words(REAUDITABLE)}))",
              "the audit of a release that was signed and staged is not exchanged"),
        Guard(Release, "told", "UPDATE", f"({changed(vendor, *manifest)}) AND NEW.state <> 'approved'",
              "a manifest is written of an approved release only"),
        Guard(Release, "signed", "UPDATE",
              f"NEW.state <> OLD.state AND NEW.state IN ({_words(SIGNED)}) AND OLD.state IN ('signing', 'approved', "
              f"'staged') AND ({few} OR {alone})",
              "three people must have approved what is there now"),
        Guard(Release, "begun", "INSERT", "NEW.state <> 'draft'", "a release begins as a draft"),
    ]  # fmt: skip


def _of_sign_offs(vendor: str) -> list[Guard]:
    users = get_user_model()._meta.db_table
    read = (
        f"SELECT 1 FROM {Release._meta.db_table} r JOIN {Audit._meta.db_table} a ON a.id = r.audit_id "
        f"WHERE r.id = NEW.release_id AND r.state IN ({_words(SIGNABLE)}) AND r.content_sha256 = NEW.content_sha256 "
        "AND a.bundle_sha256 = NEW.audit_sha256 AND a.flags_sha256 = NEW.flags_sha256 "
        f"AND ({waiver_guards.cleared(vendor, 'NEW.at')} OR NEW.decision = 'reject')"
    )
    author = f"SELECT 1 FROM {Release._meta.db_table} r WHERE r.id = NEW.release_id AND r.author_id = NEW.user_id"
    wrote = (
        f"SELECT 1 FROM {Release._meta.db_table} r JOIN {users} u ON u.id = NEW.user_id CROSS JOIN {AUTHORS[vendor]} "
        "WHERE r.id = NEW.release_id AND u.email <> '' AND lower(a.email) = lower(u.email)"
    )
    return [
        Guard(ReleaseSignOff, "wrote", "INSERT", f"EXISTS ({wrote})", "who wrote a release does not sign it"),
        Guard(ReleaseSignOff, "author", "INSERT", f"EXISTS ({author})", "the author of a release does not sign it"),
        *by_persons(ReleaseSignOff, SigningKey._meta.db_table, "signature", "signs"),
        Guard(ReleaseSignOff, "read", "INSERT", f"NOT EXISTS ({read})", "a signature is of what is there to be signed"),
        only_revoked(vendor, ReleaseSignOff, "signature"),
    ]


def _of_keys(vendor: str) -> list[Guard]:
    return [
        Guard(SigningKey, "kept", "DELETE", "", "a signing key is never deleted"),
        only_revoked(vendor, SigningKey, "signing key"),
    ]


def guards(vendor: str) -> list[Guard]:
    """Return every guard of this app."""
    return [
        *_of_releases(vendor), *_of_sign_offs(vendor), *_of_keys(vendor), *waiver_guards.guards(vendor),
        *grant_guards.guards(vendor),
        *(Guard(Audit, *each) for each in audit_guards.refusals(changed, vendor)),
        *kept(ReleaseEvent, "the events of a release are only ever added"), *ledger_guards.guards(vendor),
    ]  # fmt: skip


def statements(vendor: str, tables: Sequence[str]) -> Iterator[str]:
    """Yield the SQL that puts the guards of those ``tables`` in place, whatever was there before."""
    for guard in guards(vendor):
        if guard.table in tables:
            yield from _postgres(guard) if vendor == "postgresql" else _sqlite(guard)


def _sqlite(guard: Guard) -> Iterator[str]:
    if guard.verb == TRUNCATE:
        return  # SQLite has no such statement
    when = f"WHEN {guard.when} " if guard.when else ""
    yield f"DROP TRIGGER IF EXISTS {guard.trigger}"
    yield (
        f"CREATE TRIGGER {guard.trigger} BEFORE {guard.verb} ON {guard.table} FOR EACH ROW {when}"
        f"BEGIN SELECT RAISE(ABORT, '{guard.told}'); END"
    )


def _postgres(guard: Guard) -> Iterator[str]:
    yield (
        f"CREATE OR REPLACE FUNCTION {guard.trigger}() RETURNS trigger LANGUAGE plpgsql AS $guard$ BEGIN "
        f"IF {guard.when or 'TRUE'} THEN RAISE EXCEPTION '{guard.told}' USING ERRCODE = 'check_violation'; END IF; "
        f"RETURN {'NULL' if guard.verb == TRUNCATE else 'COALESCE(NEW, OLD)'}; END $guard$"
    )
    yield f"DROP TRIGGER IF EXISTS {guard.trigger} ON {guard.table}"
    yield (
        f"CREATE TRIGGER {guard.trigger} BEFORE {guard.verb} ON {guard.table} "
        f"FOR EACH {'STATEMENT' if guard.verb == TRUNCATE else 'ROW'} EXECUTE FUNCTION {guard.trigger}()"
    )


def dropped(vendor: str, tables: Sequence[str]) -> Iterator[str]:
    """Yield the SQL that takes the guards of those ``tables`` away."""
    for guard in guards(vendor):
        if guard.table in tables:
            on = f" ON {guard.table}" if vendor == "postgresql" else ""
            yield f"DROP TRIGGER IF EXISTS {guard.trigger}{on}"


def missing() -> list[str]:
    """Return the names of the guards that should be in place and are not."""
    connection = connections["default"]
    found = "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A')"
    if connection.vendor == "sqlite":
        found = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(found)
        there = {name for (name,) in cursor.fetchall()}
    wanted = [each for each in guards(connection.vendor) if each.verb != TRUNCATE or connection.vendor == "postgresql"]
    return [each.trigger for each in wanted if each.trigger[:63] not in there]


@receiver(pre_migrate, dispatch_uid="releases.guards.aside")
def step_aside(sender: Any, using: str, plan: Sequence[Any] = (), **_: Any) -> None:
    """Take SQLite's guards away while tables are rebuilt: it refuses to rename a table that another's trigger reads."""
    connection = connections[using]
    if sender.name != "releases" or connection.vendor != "sqlite" or not plan:
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '{PREFIX}%'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP TRIGGER "{name}"')


@receiver(post_migrate, dispatch_uid="releases.guards")
def install(sender: Any, using: str, **_: Any) -> None:
    """Put every guard in place whose tables are there, and the groups of those who sign."""
    connection = connections[using]
    if sender.name != "releases" or connection.vendor not in ("postgresql", "sqlite"):
        return
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        if not set(NEEDED) <= set(tables):
            return
        for statement in statements(connection.vendor, tables):
            cursor.execute(statement)
    for role in (*ROLES, *WAIVERS):
        Group.objects.using(using).get_or_create(name=role)
