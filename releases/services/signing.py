"""Three signatures under one release: each by another person, in a role they hold, of what they read, with their key.

What counts is read again each time it is asked: a role taken away, a person switched off, another audit or 72 hours
void a signature. Nobody is exempt, a superuser least of all.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from releases.core.roles import APPROVE, DECISIONS, HOURS, REJECT, ROLES
from releases.core.states import APPROVED, AUDITED, REFUSED, SIGNABLE, SIGNING
from releases.models import Audit, Release, ReleaseSignOff
from releases.models.guarded import plain
from releases.services import audit_approvals, audits, lifecycle, people_keys, provenance, waivers
from sensequant.lib import identity, manifests
from sensequant.lib.approvals import Statement
from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput, NotAllowed, SenseQuantError
from sensequant.lib.logs import get_logger

HOLDS = dt.timedelta(hours=HOURS)
log = get_logger("releases")


@dataclass(frozen=True, slots=True)
class Word:
    """What a person says of a release: in which role, what, why, and the digest of the page they read it on."""

    role: str
    decision: str
    note: str
    seen: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that it is them: the password, and the code of their second factor where they have one."""

    password: str
    code: str = ""


def read_digest(release: Release) -> str:
    """Return the digest of all that is read before signing: content, audit, flags, waivers; empty without an audit."""
    if release.audit is None:
        return ""
    given = sorted(each.evidence for each in waivers.standing(release.audit))
    parts = (release.content_sha256, release.audit.bundle_sha256, release.audit.flags_sha256, *given)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def holds_role(user: Any, role: str) -> bool:
    """Say whether a person is in the group of the role now; being a superuser is no role."""
    return bool(user.is_active) and user.groups.filter(name=role).exists()


def sign(release_id: str, user: Any, word: Word, proof: Proof, *, at: dt.datetime) -> ReleaseSignOff:
    """Keep one person's word; NotAllowed or BadInput says what forbids it.

    Call it outside a transaction: a refused password is remembered. One rejection ends the release.
    """
    release = lifecycle.find(release_id)
    _check(release, user, word, at)
    identity.confirm(user, proof.password, proof.code)
    key, private = people_keys.of(user, proof.password, at=at)
    try:
        with transaction.atomic():
            release = lifecycle.held(release)
            _check(release, user, word, at)
            _void_what_no_longer_counts(release, at)
            row = _kept(release, user, word, key, private, at)
            _moved(release, row, at)
    except IntegrityError as error:
        raise NotAllowed(
            f"this signature is not taken: {str(error).splitlines()[0]}", fix="one person, one role, once; read it anew"
        ) from None
    if release.audit is not None:
        audit_approvals.record(release.audit)
    log.info("release signed", release=release_id, role=word.role, by=user.get_username(), decision=word.decision)
    return row


def _check(release: Release, user: Any, word: Word, at: dt.datetime) -> None:
    if word.role not in ROLES or word.decision not in DECISIONS:
        raise BadInput(f"{word.role!r} cannot {word.decision!r}", fix=f"use one of {', '.join(ROLES)}")
    if not word.note.strip():
        raise BadInput("no note was given", fix="say in a few words what you looked at")
    audit = release.audit
    if release.state not in SIGNABLE or audit is None:
        raise NotAllowed(f"{release} is {release.state}", fix="what was audited, and no more, is signed")
    _may(release, user, word.role, at)
    if word.seen != read_digest(release) or _changed(release):
        raise NotAllowed("the release or its audit changed since it was read", fix="read it again")
    if word.decision == APPROVE and (harm := harmed(audit)):
        raise NotAllowed(harm, fix="restore the bundle, or audit again")
    if word.decision == APPROVE and not waivers.ready(audit, at=at):
        raise NotAllowed(f"{audit} has open flags: it can be rejected only", fix="clear them and audit again, or waive")


def _may(release: Release, user: Any, role: str, at: dt.datetime) -> None:
    name = user.get_username()
    if release.author_id == user.pk:
        raise NotAllowed(f"{name} made this release and may not sign it", fix="ask another person")
    if provenance.wrote(release.content, user.email):
        raise NotAllowed(f"{name} wrote some of what it brings and may not sign it", fix="ask another person")
    if not holds_role(user, role):
        raise NotAllowed(f"{name} is not in the group {role!r}", fix="an administrator grants roles")
    for each in valid(release, at=at):
        if role == each.role or user.pk == each.user_id:
            raise NotAllowed(f"{each.name} has signed as {each.role} already", fix="one person, one role, once")


def _changed(release: Release) -> bool:
    return manifests.digest(release.content) != release.content_sha256


def harmed(audit: Audit) -> str:
    """Return why the bundle of an audit is no longer what was sealed; empty when it is."""
    try:
        audits.verify(audit)
    except SenseQuantError as error:
        return f"the bundle of {audit} is not what was sealed: {error.message}"
    return ""


def _void_what_no_longer_counts(release: Release, at: dt.datetime) -> None:
    good = [each.pk for each in valid(release, at=at)]
    void(release, "it no longer counted when another was given", at=at, but=good)


def void(release: Release, why: str, *, at: dt.datetime, but: Sequence[int] = ()) -> int:
    """Take the standing signatures of a release out of force, all ``but`` some; return how many."""
    standing = plain(ReleaseSignOff).filter(release=release, revoked_at=None).exclude(pk__in=but)
    return standing.update(revoked_at=at, revoked_reason=why[:200])


def _kept(release: Release, user: Any, word: Word, key: Any, private: Any, at: dt.datetime) -> ReleaseSignOff:
    audit = release.audit
    if audit is None:
        raise NotAllowed(f"{release} has no audit", fix="audit it first")
    name, note = user.get_full_name() or user.get_username(), word.note.strip()[:300]
    statement = Statement(
        release.release_id, release.content_sha256, audit.bundle_sha256, audit.flags_sha256, word.role, word.decision,
        name, user.email, note, ist(at).isoformat(),
    )  # fmt: skip
    return ReleaseSignOff.objects.create(
        release=release, role=word.role, user=user, author=release.author, name=name, email=user.email,
        decision=word.decision, content_sha256=release.content_sha256, audit_sha256=audit.bundle_sha256,
        flags_sha256=audit.flags_sha256, evidence=statement.evidence, note=note, key=key, public_key=key.public,
        signature=statement.signed(private), at=at,
    )  # fmt: skip


def _moved(release: Release, row: ReleaseSignOff, at: dt.datetime) -> None:
    why = f"{row.decision} as {row.role}: {row.note}"
    by = row.user.get_username()
    if row.decision == REJECT:
        lifecycle.advance(release, REFUSED, by=by, reason=why, at=at)
        return
    if release.state == AUDITED:
        lifecycle.advance(release, SIGNING, by=by, reason=why, at=at)
    if release.state == SIGNING and {each.role for each in valid(release, at=at)} == set(ROLES):
        lifecycle.advance(release, APPROVED, by=by, reason="all three roles approved", at=at)


def valid(release: Release, *, at: dt.datetime) -> list[ReleaseSignOff]:
    """Return the approvals that count now: sound, of this content and audit, fresh, by people who hold their role."""
    audit = release.audit
    if audit is None:
        return []
    rows = ReleaseSignOff.objects.filter(
        release=release, revoked_at=None, decision=APPROVE, content_sha256=release.content_sha256,
        audit_sha256=audit.bundle_sha256, flags_sha256=audit.flags_sha256,
    ).select_related("release")  # fmt: skip
    people = {user.pk: user for user in get_user_model().objects.filter(pk__in=rows.values("user_id"))}
    return [
        each for each in rows
        if dt.timedelta(0) <= at - each.at <= HOLDS and _stands(release, each, people[each.user_id])
    ]  # fmt: skip


def _stands(release: Release, row: ReleaseSignOff, user: Any) -> bool:
    """Say whether this person may have signed this release, and did."""
    own = row.user_id == release.author_id or provenance.wrote(release.content, user.email)
    return not own and holds_role(user, row.role) and row.is_sound


def missing(release: Release, *, at: dt.datetime) -> list[str]:
    """Return what a release still lacks to be deployed, all of it read anew; empty when it lacks nothing."""
    fresh = Release.objects.select_related("audit").get(pk=release.pk)
    if fresh.audit is None:
        return ["it was not audited"]
    told = [] if waivers.ready(fresh.audit, at=at) else [f"{fresh.audit} has open flags"]
    if harm := harmed(fresh.audit):
        told.append(harm)
    if _changed(fresh):
        told.append("its content is not what it was made of")
    if provenance.unexplained(fresh.content):
        told.append("its program is in no commit, and nobody said why")
    if fresh.state == REFUSED:
        told.append("it was rejected")
    good = valid(fresh, at=at)
    told += [f"the {role} has not approved it" for role in ROLES if role not in {each.role for each in good}]
    return told + (["one person signed twice"] if len({each.user_id for each in good}) < len(good) else [])
