"""What the database refuses of waivers, and how it counts the flags of an audit that two people have waived."""
# ruff: noqa: S608 - names of our own tables and words of our own tables of words; no value from outside

from __future__ import annotations

from typing import Final

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from releases.core.audit_flags import UNWAIVABLE
from releases.core.roles import WAIVERS
from releases.models.audit import Audit
from releases.models.guards import Guard, changed
from releases.models.release import Release
from releases.models.sign_offs import SigningKey
from releases.models.waivers import FlagWaiver

CODE: Final = {
    "postgresql": "a.flags -> CAST(NEW.position AS integer) ->> 'code'",
    "sqlite": "json_extract(a.flags, '$[' || NEW.position || '].code')",
}
LENGTH: Final = {"postgresql": "jsonb_array_length(a.flags)", "sqlite": "json_array_length(a.flags)"}


def cleared(vendor: str, at: str) -> str:
    """Return SQL that is true when audit ``a`` has no open flag at ``at`` that is not waived by every role."""
    whole = (
        f"SELECT w.position FROM {FlagWaiver._meta.db_table} w WHERE w.audit_id = a.id AND w.revoked_at IS NULL "
        f"AND w.expires_at > {at} AND w.audit_sha256 = a.bundle_sha256 AND w.flags_sha256 = a.flags_sha256 "
        f"GROUP BY w.position HAVING COUNT(DISTINCT w.role) = {len(WAIVERS)} "
        f"AND COUNT(DISTINCT w.user_id) = {len(WAIVERS)}"
    )
    return (
        f"(a.deployment_ready OR ({LENGTH[vendor]} > 0 AND (SELECT COUNT(*) FROM ({whole}) done) = {LENGTH[vendor]}))"
    )


def guards(vendor: str) -> list[Guard]:
    """Return the guards of waivers."""
    users, groups = get_user_model()._meta.db_table, Group._meta.db_table
    members = get_user_model()._meta.get_field("groups").remote_field.through._meta.db_table  # type: ignore[union-attr]
    fixed = [str(each.column) for each in FlagWaiver._meta.concrete_fields if not each.name.startswith("revoked")]
    codes = ", ".join(f"'{code}'" for code in UNWAIVABLE)
    flag = (
        f"SELECT 1 FROM {Audit._meta.db_table} a WHERE a.id = NEW.audit_id AND a.state = 'done' "
        f"AND a.bundle_sha256 = NEW.audit_sha256 AND a.flags_sha256 = NEW.flags_sha256 AND {CODE[vendor]} = NEW.code"
    )
    holds = (
        f"SELECT 1 FROM {users} u JOIN {members} m ON m.user_id = u.id JOIN {groups} g ON g.id = m.group_id "
        "WHERE u.id = NEW.user_id AND u.is_active AND g.name = NEW.role"
    )
    own = (
        f"SELECT 1 FROM {Release._meta.db_table} r WHERE r.audit_id = NEW.audit_id AND r.author_id = NEW.user_id "
        f"UNION SELECT 1 FROM {Audit._meta.db_table} a JOIN {users} u ON u.username = a.by "
        "WHERE a.id = NEW.audit_id AND u.id = NEW.user_id"
    )
    key = (
        f"SELECT 1 FROM {SigningKey._meta.db_table} k WHERE k.id = NEW.key_id AND k.user_id = NEW.user_id "
        "AND k.public = NEW.public_key AND k.revoked_at IS NULL"
    )
    return [
        Guard(FlagWaiver, "never", "INSERT", f"NEW.code IN ({codes})", "this kind of flag is never waived"),
        Guard(FlagWaiver, "flag", "INSERT", f"NOT EXISTS ({flag})", "a waiver is of a flag that is open"),
        Guard(FlagWaiver, "own", "INSERT", f"EXISTS ({own})", "who asked or made the release waives nothing of it"),
        Guard(FlagWaiver, "role", "INSERT", f"NOT EXISTS ({holds})", "only who holds the role waives in it"),
        Guard(FlagWaiver, "key", "INSERT", f"NOT EXISTS ({key})", "people sign with their own key"),
        Guard(FlagWaiver, "kept", "DELETE", "", "a waiver is never deleted"),
        Guard(FlagWaiver, "fixed", "UPDATE", f"OLD.revoked_at IS NOT NULL OR {changed(vendor, *fixed)}",
              "a waiver is never edited"),
    ]  # fmt: skip
