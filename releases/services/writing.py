"""The manifest of an approved release: written once all signatures count and every copy was restored, then signed."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from releases.core.contents import HEIGHTENED_DROP
from releases.core.roles import HOURS, ROLES, WAIVERS
from releases.core.states import APPROVED
from releases.models import Audit, FlagWaiver, Release, ReleaseEvent, ReleaseSignOff
from releases.models.guarded import plain
from releases.services import backups, signing, waivers
from sensequant.lib import manifest_checks, manifests, paths, release_keys
from sensequant.lib.approvals import ALGORITHM
from sensequant.lib.clock import ist
from sensequant.lib.errors import Failed, NotAllowed
from sensequant.lib.logs import get_logger

GENERATOR, VERSION = "manage.py release_manifest", "1.0.0"
log = get_logger("releases")


def seen_path() -> Path:
    """Return the file that says, outside ``release/``, the highest number ever seen."""
    return release_keys.folder() / "seen.json"


def newest_approved() -> Release:
    """Return the newest approved release; NotAllowed when none is."""
    row = Release.objects.filter(state=APPROVED).first()
    if row is None:
        newest = Release.objects.first()
        stands = f"; {newest} is {newest.state}" if newest else ""
        raise NotAllowed(f"no release is approved{stands}", fix="make one, audit it and have it signed on /releases")
    return row


def write(release: Release, *, by: str, at: dt.datetime) -> Release:
    """Write and sign the manifest of ``release``; NotAllowed names what is missing or differs."""
    release = Release.objects.select_related("audit", "author").get(pk=release.pk)
    against = signing.missing(release, at=at) or backups.restored(release.content)
    if release.state != APPROVED:
        against.insert(0, f"it is {release.state}, not approved")
    if against or release.audit is None:
        raise NotAllowed(f"{release} gets no manifest: {'; '.join(against)}", fix="mend it, or make another release")
    content = _content(release, release.audit, by, at)
    text, envelope = manifests.sealed(content)
    path = paths.resolve(f"release/manifests/{release.release_id}.yaml")
    _put(path, text)
    _put(manifests.beside(path), envelope)
    _check(path, release)
    _keep(release, path, text, envelope, by, at)
    manifest_checks.remember(seen_path(), release_keys.public(), content["environment"], release.seq)
    return Release.objects.get(pk=release.pk)


def _content(release: Release, audit: Audit, by: str, at: dt.datetime) -> dict[str, Any]:
    desk, stamp = settings.DESK, ist(at).isoformat()
    good = sorted(signing.valid(release, at=at), key=lambda each: ROLES.index(each.role))
    halves = [each for _, rows in sorted(waivers.waived(audit, at=at).items()) for each in rows]
    until = min([min(each.at for each in good) + signing.HOLDS, *(each.expires_at for each in halves)])
    return {
        **release.content, **({"waivers": [_waiver(each) for each in halves]} if halves else {}),
        "expires_at": ist(until).isoformat(), "audit_bundle": audit.folder,
        "audit": {
            "audit_id": audit.audit_id, "bundle": f"sha256:{audit.bundle_sha256}",
            "flags": f"sha256:{audit.flags_sha256}", "open_flags": 0,
        },
        "deployment": {"timestamp": stamp, "deployer": by, "environment": release.content["environment"]},
        "approvals": [_approval(each) for each in good],
        "monitoring": {
            "heightened_period_hours": desk.heightened_hours, "heightened_start": stamp,
            "heightened_end": ist(at + dt.timedelta(hours=desk.heightened_hours)).isoformat(),
            "alert_thresholds": {
                "intraday_hit_ratio_drop": HEIGHTENED_DROP, "swing_precision_drop": HEIGHTENED_DROP,
            },
            "alert_frequency_hours": desk.alert_frequency_hours,
        },
        "metadata": {"generator": GENERATOR, "generator_version": VERSION},
    }  # fmt: skip


def _approval(row: ReleaseSignOff) -> dict[str, str]:
    return {
        "role": row.role, "name": row.name, "email": row.email, "timestamp": ist(row.at).isoformat(), "note": row.note,
        "evidence": f"sha256:{row.evidence}", "public_key": ALGORITHM + row.public_key,
        "signature": ALGORITHM + row.signature,
    }  # fmt: skip


def _waiver(row: FlagWaiver) -> dict[str, str]:
    return {
        "flag": f"sha256:{row.flag_sha256}", "code": row.code, "role": row.role, "name": row.name, "email": row.email,
        "reason": row.reason, "expires_at": ist(row.expires_at).isoformat(), "timestamp": ist(row.at).isoformat(),
        "evidence": f"sha256:{row.evidence}", "public_key": ALGORITHM + row.public_key,
        "signature": ALGORITHM + row.signature,
    }  # fmt: skip


def _put(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_bytes(content)
        fresh.replace(path)
    except OSError as error:
        raise Failed(f"{path} cannot be written: {error.strerror}", fix="mend the disk") from None


def _check(path: Path, release: Release) -> None:
    """Verify what was written as anybody would who has a copy of it."""
    asked = manifest_checks.Asked(paths.home(), release_keys.public(), ROLES, HOURS, backups_only=True, waivers=WAIVERS)
    told = manifest_checks.verify(path, asked).differences
    if told:
        raise Failed(f"the manifest of {release} does not hold: {'; '.join(told)}", fix="report this")


def _keep(release: Release, path: Path, text: bytes, envelope: bytes, by: str, at: dt.datetime) -> None:
    digests = {
        "manifest_path": path.relative_to(paths.home()).as_posix(),
        "manifest_sha256": hashlib.sha256(text).hexdigest(), "envelope_sha256": hashlib.sha256(envelope).hexdigest(),
    }  # fmt: skip
    with transaction.atomic():
        if not plain(Release).filter(pk=release.pk, state=APPROVED, audit=release.audit).update(**digests):
            raise NotAllowed(f"{release} was moved meanwhile", fix="look at it again")
        why = f"manifest written and signed: sha256 {digests['manifest_sha256'][:16]}…"
        ReleaseEvent.objects.create(release=release, old=APPROVED, new=APPROVED, by=by[:150], reason=why, at=at)
    log.info("manifest written", release=release.release_id, seq=release.seq, sha256=digests["manifest_sha256"], by=by)
