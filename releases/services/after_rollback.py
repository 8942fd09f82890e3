"""The audit after a rollback against what was known before: waivers that go on, and what came with what is gone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.conf import settings

from releases.core import after_rollback, audit_flags, audit_windows, steps
from releases.core.after_rollback import Past
from releases.core.audit_states import ROLLBACK
from releases.models import Audit, OperationStep, Release
from releases.services import audit_learning, audit_watching, waivers
from sensequant.lib.clock import ist


def accounted(audit: Audit, back: Release, gone: Release, *, at: dt.datetime) -> list[dict[str, str]]:
    """Return why each flag of the ``audit`` after a rollback from ``gone`` to ``back`` is open; "" is a new one."""
    return after_rollback.accounted(audit.flags, Past(gone.release_id, _waived(back, at), list(_sound(gone))))


def _waived(back: Release, at: dt.datetime) -> dict[str, str]:
    """Return who waived the flags that were open when what came back was signed, where it counts still."""
    audit = back.audit
    if audit is None:
        return {}
    found = {}
    for place, halves in waivers.waived(audit, at=at).items():
        who = " and ".join(sorted(f"{each.name} ({each.role})" for each in halves))
        until = min(each.expires_at for each in halves)
        told = f"waived for {back.release_id} under {audit} by {who} until {ist(until):%d %b %Y %H:%M} IST"
        found[audit_flags.digest(audit.flags[place])] = told
    return found


def _sound(gone: Release) -> Iterator[str]:
    """Yield the kinds of trading whose window had not degraded at the moment the release that is gone was deployed."""
    parts = settings.DESK.release_audit_parts
    row = OperationStep.objects.filter(
        step=steps.SWITCH, operation__release=gone, operation__kind=steps.DEPLOY
    ).last()  # fmt: skip
    evidence = audit_learning.optimized(parts)
    for kind in audit_windows.DAYS:
        if row is not None and kind in parts and audit_watching.degraded(kind, evidence, at=row.at) is False:
            yield kind


def whys(audit: Audit) -> list[str]:
    """Return why each flag of an audit after a rollback is open, in their order; empty for any other audit."""
    if audit.cause != ROLLBACK:
        return []
    row = OperationStep.objects.filter(step="audit", told__audit=audit.audit_id).first()
    return [each["why"] for each in row.told.get("accounted", [])] if row is not None else []
