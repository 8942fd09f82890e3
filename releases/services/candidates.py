"""Candidates: a content fixed and copied, numbered, and judged by an audit before anybody signs it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max

from releases.core import contents
from releases.core.states import ACTIVE, APPROVED, AUDITED, REAUDITABLE, STABLE
from releases.models import Release, ReleaseEvent
from releases.models.guarded import plain
from releases.services import audits, backups, collecting, lifecycle, provenance, signing
from releases.services.collecting import KINDS, Wanted
from sensequant.lib import manifests
from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput, NotAllowed
from sensequant.lib.logs import get_logger

log = get_logger("releases")


def shown_name(user: Any) -> str:
    """Return a person's name as a manifest says it."""
    return str(user.get_full_name() or user.get_username())


def in_force() -> Release | None:
    """Return the release that is deployed; None while none is."""
    return Release.objects.filter(state__in=(ACTIVE, STABLE)).order_by("-seq").first()


def make(wanted: Wanted, author: Any, *, at: dt.datetime) -> Release:
    """Fix and copy what is to be released and return it as a draft; BadInput names what cannot be released."""
    if wanted.kind not in KINDS:
        raise BadInput(f"kind {wanted.kind!r} is not known", fix=f"use one of {', '.join(KINDS)}")
    if not wanted.summary.strip():
        raise BadInput("no summary was given", fix="say in a few words what changes")
    before = in_force()
    code = provenance.code(before.content["code"]["commit"] if before else "", wanted.dirty)
    if code["dirty"] and not wanted.dirty.strip():
        raise NotAllowed(f"this program is in no commit: {code['override'].strip()}", fix="commit it, or say why not")
    items = collecting.items(wanted)
    release_id = f"release_{ist(at):%Y%m%d_%H%M%S}"
    if Release.objects.filter(release_id=release_id).exists():
        raise NotAllowed(f"{release_id} was made just now", fix="try again in a second")
    backups.write(release_id, items)
    try:
        with transaction.atomic():
            row = _row(release_id, wanted, (items, code), author, at)
    except IntegrityError:
        backups.discard(release_id)
        raise NotAllowed("somebody else made a release just now", fix="try again") from None
    log.info("candidate made", release=release_id, seq=row.seq, author=author.get_username(), kind=wanted.kind)
    return row


def _row(
    release_id: str, wanted: Wanted, found: tuple[list[contents.Item], dict[str, Any]], author: Any, at: dt.datetime
) -> Release:  # fmt: skip
    (items, code), previous = found, in_force()
    seq = (Release.objects.aggregate(found=Max("seq"))["found"] or 0) + 1
    content = {
        "release_id": release_id, "release_type": wanted.kind, "release_seq": seq,
        "environment": settings.DESK.release_environment, "author": shown_name(author),
        "summary": wanted.summary.strip()[:500], "created_at": ist(at).isoformat(), "code": code,
        "settings": collecting.all_settings(), "data": collecting.data(),
        "artifacts": contents.artifacts(release_id, items),
        "rollback_plan": contents.rollback_plan(
            previous.content if previous else None, previous.manifest_path if previous else "",
            previous.manifest_sha256 if previous else "",
        ),
    }  # fmt: skip
    return Release.objects.create(
        release_id=release_id, seq=seq, kind=wanted.kind, author=author, summary=wanted.summary.strip()[:500],
        content=content, content_sha256=manifests.digest(content), previous=previous, created_at=at,
    )  # fmt: skip


def judge(release_id: str, audit_id: str, *, by: str, at: dt.datetime) -> Release:
    """Put a release under an audit that is done; signatures given under another one are void from then on."""
    audit = audits.find(audit_id)
    audits.verify(audit)
    with transaction.atomic():
        row = lifecycle.held(lifecycle.find(release_id))
        if row.state not in REAUDITABLE:
            raise NotAllowed(f"{row} is {row.state}", fix="only what is not deployed yet is audited anew")
        changed = {"audit": audit}
        if row.state == APPROVED:
            changed |= {"manifest_path": "", "manifest_sha256": "", "envelope_sha256": ""}  # type: ignore[dict-item]
        plain(Release).filter(pk=row.pk).update(**changed)
        gone = signing.void(row, f"the release was put under {audit}", at=at)
        why = f"judged by {audit}, {'ready' if audit.deployment_ready else 'flags open'}; {gone} signatures void"
        if row.state == AUDITED:
            ReleaseEvent.objects.create(release=row, old=AUDITED, new=AUDITED, by=by[:150], reason=why, at=at)
        else:
            lifecycle.advance(row, AUDITED, by=by, reason=why, at=at)
    return lifecycle.find(release_id)
