"""The approval section of an audit: beside the sealed bundle, written anew as signatures come and go."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from releases.adapters import bundles
from releases.core.audit_states import DONE
from releases.core.audit_text import Approval, WaiverLine, approvals
from releases.models import Audit, FlagWaiver, ReleaseSignOff
from releases.selectors import audits as asked
from releases.services.audit_parts import as_json
from releases.services.audits import place
from sensequant.lib.clock import ist
from sensequant.lib.errors import SenseQuantError
from sensequant.lib.logs import get_logger

log = get_logger("audits")


def signed(audit: Audit) -> list[Approval]:
    """Return the sign-offs of an audit as its approval section shows them."""
    return [_shown(row) for row in asked.sign_offs(audit)]


def _shown(row: ReleaseSignOff) -> Approval:
    decision = row.decision if row.revoked_at is None else f"{row.decision}, void since {ist(row.revoked_at):%d %b %Y}"
    name = f"{row.name} ({row.email})" if row.email else row.name
    return Approval(row.role, name, decision, f"{ist(row.at):%d %b %Y %H:%M} IST", row.note, row.signature)


def waived(audit: Audit) -> list[WaiverLine]:
    """Return the waivers of an audit, those that were taken back too, as its approval section shows them."""
    return [
        WaiverLine(
            f"{row.position + 1} {row.code}", row.role, row.name, f"{ist(row.at):%d %b %Y %H:%M} IST",
            f"{ist(row.expires_at):%d %b %Y %H:%M} IST", row.reason,
            f"void since {ist(row.revoked_at):%d %b %Y}: {row.revoked_reason}" if row.revoked_at else "yes",
        )
        for row in FlagWaiver.objects.filter(audit=audit)
    ]  # fmt: skip


def record(audit: Audit) -> None:
    """Write approvals.md and approvals.json beside the bundle; a folder that is gone is told in the log.

    The rows are the truth, so a disk that fails costs nobody a signature.
    """
    if audit.state != DONE:
        return
    rows = [
        {"release": row.release.release_id, "role": row.role, "name": row.name, "email": row.email,
         "decision": row.decision, "timestamp": ist(row.at).isoformat(), "note": row.note,
         "evidence": row.evidence, "public_key": row.public_key, "signature": row.signature,
         "revoked_at": ist(row.revoked_at).isoformat() if row.revoked_at else None}
        for row in asked.sign_offs(audit).select_related("release")
    ]  # fmt: skip
    told: dict[str, Any] = {
        "audit_id": audit.audit_id, "bundle_sha256": audit.bundle_sha256, "approvals": rows,
        "waivers": [asdict(each) for each in waived(audit)],
    }  # fmt: skip
    try:
        folder = place(audit)
        bundles.put_beside(
            folder, "approvals.md", approvals(audit.audit_id, audit.bundle_sha256, signed(audit), waived(audit))
        )
        bundles.put_beside(folder, "approvals.json", as_json(told).decode())
    except SenseQuantError as error:
        log.warning("the approvals were not written", audit=audit.audit_id, why=str(error))
