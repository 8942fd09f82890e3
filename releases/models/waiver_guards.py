"""What the database refuses of waivers, and how it counts the flags of an audit that two people have waived."""
# ruff: noqa: S608 - names of our own tables and words of our own tables of words; no value from outside

from __future__ import annotations

from typing import Final

from django.contrib.auth import get_user_model

from releases.core.audit_flags import UNWAIVABLE
from releases.core.roles import WAIVERS
from releases.models.audit import Audit
from releases.models.guards import Guard, by_persons, only_revoked
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
    users = get_user_model()._meta.db_table
    codes = ", ".join(f"'{code}'" for code in UNWAIVABLE)
    flag = (
        f"SELECT 1 FROM {Audit._meta.db_table} a WHERE a.id = NEW.audit_id AND a.state = 'done' "
        f"AND a.bundle_sha256 = NEW.audit_sha256 AND a.flags_sha256 = NEW.flags_sha256 AND {CODE[vendor]} = NEW.code"
    )
    own = (
        f"SELECT 1 FROM {Release._meta.db_table} r WHERE r.audit_id = NEW.audit_id AND r.author_id = NEW.user_id "
        f"UNION SELECT 1 FROM {Audit._meta.db_table} a JOIN {users} u ON u.username = a.by "
        "WHERE a.id = NEW.audit_id AND u.id = NEW.user_id"
    )
    return [
        Guard(FlagWaiver, "never", "INSERT", f"NEW.code IN ({codes})", "this kind of flag is never waived"),
        Guard(FlagWaiver, "flag", "INSERT", f"NOT EXISTS ({flag})", "a waiver is of a flag that is open"),
        Guard(FlagWaiver, "own", "INSERT", f"EXISTS ({own})", "who asked or made the release waives nothing of it"),
        *by_persons(FlagWaiver, SigningKey._meta.db_table, "waiver", "waives"),
        only_revoked(vendor, FlagWaiver, "waiver"),
    ]
