"""Which open flags of an audit two people have waived, read anew each time: a role taken away or a day over ends it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from django.contrib.auth import get_user_model

from releases.core import audit_flags
from releases.core.roles import WAIVERS
from releases.models import Audit, FlagWaiver, Release
from releases.services import people


def standing(audit: Audit) -> list[FlagWaiver]:
    """Return every half of a waiver nobody took back, whether it counts or not."""
    return list(FlagWaiver.objects.filter(audit=audit, revoked_at=None).select_related("audit"))


def valid(audit: Audit, *, at: dt.datetime) -> list[FlagWaiver]:
    """Return the halves that count now: sound, of these flags, not over, by others than who asked or made a release."""
    rows = standing(audit)
    found = {user.pk: user for user in get_user_model().objects.filter(pk__in=[each.user_id for each in rows])}
    authors = set(Release.objects.filter(audit=audit).values_list("author_id", flat=True))
    return [each for each in rows if _counts(each, audit, found[each.user_id], authors, at)]


def _counts(row: FlagWaiver, audit: Audit, user: Any, authors: set[int], at: dt.datetime) -> bool:
    own = user.pk in authors or user.get_username() == audit.by
    bound = (row.audit_sha256, row.flags_sha256) == (audit.bundle_sha256, audit.flags_sha256)
    return bound and not own and row.at <= at < row.expires_at and _of_flag(row, audit) and (
        people.holds(user, row.role) and row.is_sound
    )  # fmt: skip


def _of_flag(row: FlagWaiver, audit: Audit) -> bool:
    if row.position >= len(audit.flags):
        return False
    flag = audit.flags[row.position]
    return may_be(flag) and (flag["code"], audit_flags.digest(flag)) == (row.code, row.flag_sha256)


def may_be(flag: dict[str, Any]) -> bool:
    """Say whether a flag is of a kind that people may waive."""
    return flag["code"] not in audit_flags.UNWAIVABLE


def waived(audit: Audit, *, at: dt.datetime) -> dict[int, list[FlagWaiver]]:
    """Return by its place in the list each flag that one person of every role has waived."""
    found: dict[int, list[FlagWaiver]] = defaultdict(list)
    for each in valid(audit, at=at):
        found[each.position].append(each)
    return {
        place: rows for place, rows in found.items()
        if {each.role for each in rows} == set(WAIVERS) and len({each.user_id for each in rows}) == len(WAIVERS)
    }  # fmt: skip


def open_flags(audit: Audit, *, at: dt.datetime) -> list[dict[str, Any]]:
    """Return the flags that keep a release back."""
    gone = waived(audit, at=at) if audit.flags else {}
    return [flag for place, flag in enumerate(audit.flags) if place not in gone]


def ready(audit: Audit, *, at: dt.datetime) -> bool:
    """Say whether nothing is open any more that nobody waived."""
    return audit.deployment_ready or (bool(audit.flags) and not open_flags(audit, at=at))
