"""What happened to releases, and who came in: this app's part of the history."""

from __future__ import annotations

from django.db.models import QuerySet

from releases.models import (
    Audit,
    FlagWaiver,
    Happening,
    Operation,
    OperationStep,
    ReleaseEvent,
    ReleaseSignOff,
    SigningKey,
    WatchCheck,
)
from sensequant.lib.history import Kind, Told, values
from sensequant.lib.security.models import SecurityEvent


def _moved(row: ReleaseEvent) -> Told:
    told = {"release": row.release.release_id, **values(row, "old", "new", "by", "reason", "at")}
    return Told(row.at, row.by, f"release {row.new}", f"release {row.release.release_id}", told, row.reason)


def _signed(row: ReleaseSignOff) -> Told:
    told = values(row, "role", "name", "decision", "content_sha256", "audit_sha256", "flags_sha256", "evidence", "note",
                  "public_key", "signature", "at")  # fmt: skip
    what = f"signed as {row.role}: {row.decision}"
    return Told(row.at, row.name, what, f"release {row.release.release_id}", told, row.note)


def _revoked(row: ReleaseSignOff) -> Told:
    told = values(row, "role", "name", "revoked_at", "revoked_reason")
    about = f"release {row.release.release_id}"
    return Told(row.revoked_at or row.at, row.name, "signature revoked", about, told, row.revoked_reason)


def _waived(row: FlagWaiver) -> Told:
    told = values(row, "position", "code", "flag_sha256", "audit_sha256", "flags_sha256", "role", "name", "reason",
                  "at", "expires_at", "evidence", "public_key", "signature")  # fmt: skip
    return Told(row.at, row.name, f"waived as {row.role}: {row.code}", f"audit {row.audit.audit_id}", told, row.reason)


def _taken_back(row: FlagWaiver) -> Told:
    told = values(row, "position", "code", "role", "name", "revoked_at", "revoked_by", "revoked_reason")
    what, about = f"waiver taken back: {row.code}", f"audit {row.audit.audit_id}"
    return Told(row.revoked_at or row.at, row.revoked_by, what, about, told, row.revoked_reason)


def _key(row: SigningKey) -> Told:
    return Told(row.created_at, row.user.get_username(), "signing key made", f"key {row.public[:16]}",
                values(row, "public", "created_at"))  # fmt: skip


def _audited(row: Audit) -> Told:
    told = values(row, "audit_id", "state", "metrics_sha256", "flags_sha256", "deployment_ready", "bundle_sha256",
                  "started_at", "finished_at", "by")  # fmt: skip
    return Told(row.finished_at or row.created_at, row.by, f"audit {row.state}", f"audit {row.audit_id}", told)


def _operations() -> QuerySet[Operation]:
    return Operation.objects.select_related("release", "away_from")


def _begun(row: Operation) -> Told:
    gone = row.away_from.release_id if row.away_from else None
    told = {"release": row.release.release_id, "away_from": gone,
            **values(row, "kind", "by", "reason", "override", "started_at", "review_by")}  # fmt: skip
    return Told(row.started_at, row.by, f"{row.kind} begun", f"release {row.release.release_id}", told, row.reason)


def _given_up(row: Operation) -> Told:
    told = {"operation": row.pk, **values(row, "kind", "finished_at", "error")}
    about = f"release {row.release.release_id}"
    return Told(row.finished_at or row.started_at, row.by, f"{row.kind} failed", about, told, row.error)


def _reviewed(row: Operation) -> Told:
    told = {"operation": row.pk, **values(row, "kind", "reviewed_by", "reviewed_at", "review")}
    about = f"release {row.release.release_id}"
    return Told(row.reviewed_at or row.started_at, row.reviewed_by, f"{row.kind} reviewed", about, told, row.review)


def _taken(row: OperationStep) -> Told:
    done = row.operation
    told = {"operation": done.pk, **values(row, "step", "at", "told")}
    return Told(row.at, done.by, f"{done.kind} {row.step}", f"release {done.release.release_id}", told, done.reason)


def _checked(row: WatchCheck) -> Told:
    told = values(row, "at", "word", "action", "verdicts", "told")
    what = f"release checked: {row.word}" + (f", {row.action}" if row.action != "none" else "")
    return Told(row.at, "release watch", what, f"release {row.watch.release.release_id}", told, row.told)


def _happened(row: Happening) -> Told:
    told = values(row, "at", "what", "actor", "object", "reason", "ip", "session", "request_id", "detail")
    return Told(row.at, row.actor, row.what, row.object, told, row.reason, row.ip, row.session, row.request_id)


def _security(row: SecurityEvent) -> Told:
    told = values(row, "at", "kind", "who", "address", "path", "detail")
    return Told(row.at, row.who, row.kind, row.path or f"user {row.who}", told, str(row.detail.get("why", "")),
                row.address)  # fmt: skip


KINDS = (
    Kind("release event", lambda: ReleaseEvent.objects.select_related("release"), _moved),
    Kind("release sign-off", lambda: ReleaseSignOff.objects.select_related("release"), _signed, few=True),
    Kind("release sign-off revoked", lambda: ReleaseSignOff.objects.filter(revoked_at__isnull=False)
         .select_related("release"), _revoked, few=True),
    Kind("flag waiver", lambda: FlagWaiver.objects.select_related("audit"), _waived, few=True),
    Kind("flag waiver taken back", lambda: FlagWaiver.objects.filter(revoked_at__isnull=False)
         .select_related("audit"), _taken_back, few=True),
    Kind("signing key", lambda: SigningKey.objects.select_related("user"), _key, few=True),
    Kind("audit", lambda: Audit.objects.filter(finished_at__isnull=False), _audited, few=True),
    Kind("operation", _operations, _begun, few=True),
    Kind("operation failed", lambda: _operations().filter(state="failed"), _given_up, few=True),
    Kind("operation reviewed", lambda: _operations().filter(reviewed_at__isnull=False), _reviewed, few=True),
    Kind("operation step", lambda: OperationStep.objects.select_related("operation__release"), _taken),
    Kind("release check", lambda: WatchCheck.objects.select_related("watch__release"), _checked),
    Kind("happening", Happening.objects.all, _happened),
    Kind("security", SecurityEvent.objects.all, _security),
)  # fmt: skip
