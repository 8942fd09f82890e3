"""What a page shows of a release's signatures, and of the roles a person may sign in."""

from __future__ import annotations

import datetime as dt
from typing import Any

from releases.core.roles import HOURS, MEANING, ROLES
from releases.core.states import NEXT
from releases.models import Release

WAY = ("draft", "audited", "signing", "approved", "staged", "active", "stable")


def way(release: Release) -> list[dict[str, Any]]:
    """Return the states of the straight way with whether each was reached, and the end where it left it."""
    reached = {"draft", *(event.new for event in release.events.all())}
    told = [{"word": word, "reached": word in reached, "here": word == release.state} for word in WAY]
    if release.state not in WAY:
        told.append({"word": release.state.replace("_", " "), "reached": True, "here": True})
    return told


def ended(release: Release) -> bool:
    """Say whether nothing more can come of a release."""
    return not NEXT.get(release.state, ())


def roles(release: Release, user: Any, good: set[int]) -> list[dict[str, Any]]:
    """Return each role with its newest signature, whether it counts, and whether this person may give it."""
    newest = {each.role: each for each in release.sign_offs.order_by("id")}
    held = set(user.groups.values_list("name", flat=True)) if user.is_active else set()
    signed = {each.user_id for each in newest.values() if each.pk in good}
    told = []
    for role in ROLES:
        row = newest.get(role)
        counts = row is not None and row.pk in good
        may = role in held and not counts and user.pk != release.author_id and user.pk not in signed
        told.append({"role": role, "meaning": MEANING[role], "row": row, "counts": counts, "may": may,
                     "ends": row.at + dt.timedelta(hours=HOURS) if row else None})  # fmt: skip
    return told
