"""An open flag is waived by two people, a Risk Manager and a Quant Lead, for a reason and a while; one takes it back.

It is of one flag of one audit: another audit knows nothing of it. Whatever changes of the waivers, signatures given
before are void, for they were of something else.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from releases.core import audit_flags
from releases.core.audit_states import DONE
from releases.core.roles import MOST_DAYS, WAIVERS
from releases.core.states import APPROVED, AUDITED, SIGNING
from releases.models import Audit, FlagWaiver, Release
from releases.models.guarded import plain
from releases.services import audit_approvals, audits, lifecycle, people, people_keys, signing, waivers
from releases.services.signing import Proof
from sensequant.lib import identity
from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from sensequant.lib.logs import get_logger

log = get_logger("audits")


@dataclass(frozen=True, slots=True)
class Wish:
    """Which flag, by its number in the risk register (from 1), in which role, why, and for how many days."""

    number: int
    role: str
    reason: str
    days: int


def waive(audit_id: str, user: Any, wish: Wish, proof: Proof, *, at: dt.datetime) -> FlagWaiver:
    """Keep one person's half of a waiver; NotAllowed or BadInput says what forbids it.

    Call it outside a transaction: a refused password is remembered.
    """
    audit = audits.find(audit_id)
    flag = _checked(audit, user, wish, at)
    identity.confirm(user, proof.password, proof.code)
    key, private = people_keys.of(user, proof.password, at=at)
    try:
        with transaction.atomic():
            _void_what_no_longer_counts(audit, at)
            row = _row(audit, flag, user, wish, at)
            row.key, row.public_key = key, key.public
            row.evidence, row.signature = row.statement.evidence, row.statement.signed(private)
            row.save()
            _unsign(audit, f"{flag['code']} was waived", user.get_username(), at)
    except IntegrityError as error:
        raise NotAllowed(f"this waiver is not taken: {str(error).splitlines()[0]}", fix="read the audit anew") from None
    audit_approvals.record(audit)
    log.warning("flag waived", audit=audit_id, flag=flag["code"], role=wish.role, by=user.get_username())
    return row


def _checked(audit: Audit, user: Any, wish: Wish, at: dt.datetime) -> dict[str, Any]:
    if audit.state != DONE or not 1 <= wish.number <= len(audit.flags):
        raise NotFound(f"{audit} has no open flag {wish.number}", fix="use a number of its risk register")
    if wish.role not in WAIVERS:
        raise BadInput(f"{wish.role!r} waives nothing", fix=f"use one of {', '.join(WAIVERS)}")
    if not wish.reason.strip():
        raise BadInput("no reason was given", fix="say why the risk may be taken")
    if not 1 <= wish.days <= MOST_DAYS:
        raise BadInput(f"{wish.days} days is not possible", fix=f"a waiver counts for 1 to {MOST_DAYS} days")
    flag: dict[str, Any] = audit.flags[wish.number - 1]
    if not waivers.may_be(flag):
        raise NotAllowed(f"{flag['code']} is never waived", fix=flag.get("mitigation", "mend it, and audit again"))
    audits.verify(audit)
    _may(audit, user, wish, at)
    return flag


def _may(audit: Audit, user: Any, wish: Wish, at: dt.datetime) -> None:
    name = user.get_username()
    if name == audit.by or Release.objects.filter(audit=audit, author=user).exists():
        raise NotAllowed(f"{name} asked for it or made the release and may waive nothing", fix="ask another person")
    if not people.holds(user, wish.role):
        raise NotAllowed(f"{name} is not in the group {wish.role!r}", fix="an administrator grants roles")
    for each in waivers.valid(audit, at=at):
        if each.position == wish.number - 1 and (each.role == wish.role or each.user_id == user.pk):
            raise NotAllowed(f"{each.name} has waived it as {each.role} already", fix="two people, one role each")


def _void_what_no_longer_counts(audit: Audit, at: dt.datetime) -> None:
    good = [each.pk for each in waivers.valid(audit, at=at)]
    stale = plain(FlagWaiver).filter(audit=audit, revoked_at=None).exclude(pk__in=good)
    stale.update(revoked_at=at, revoked_by="the desk", revoked_reason="it no longer counted when another was given")


def _row(audit: Audit, flag: dict[str, Any], user: Any, wish: Wish, at: dt.datetime) -> FlagWaiver:
    return FlagWaiver(
        audit=audit, position=wish.number - 1, code=flag["code"], flag_sha256=audit_flags.digest(flag),
        audit_sha256=audit.bundle_sha256, flags_sha256=audit.flags_sha256, role=wish.role, user=user,
        name=user.get_full_name() or user.get_username(), email=user.email, reason=wish.reason.strip()[:300], at=at,
        expires_at=at + dt.timedelta(days=wish.days),
    )  # fmt: skip


def _unsign(audit: Audit, why: str, by: str, at: dt.datetime) -> None:
    """Put every release judged by the audit back before its first signature: those were given under other waivers."""
    for found in Release.objects.filter(audit=audit, state__in=(SIGNING, APPROVED)):
        row = lifecycle.held(found)
        if row.state == APPROVED:
            plain(Release).filter(pk=row.pk).update(manifest_path="", manifest_sha256="", envelope_sha256="")
        gone = signing.void(row, why, at=at)
        lifecycle.advance(row, AUDITED, by=by, reason=f"{why}; {gone} signatures void", at=at)


def take_back(audit_id: str, number: int, user: Any, reason: str, *, at: dt.datetime) -> FlagWaiver:
    """End half a waiver, and so the whole; anybody who may waive may, alone and without a password: it stops."""
    row = FlagWaiver.objects.filter(audit__audit_id=audit_id, pk=number).select_related("audit").first()
    name = user.get_username()
    if row is None:
        raise NotFound(f"{audit_id} has no waiver {number}", fix="look at the audit")
    if not any(people.holds(user, role) for role in WAIVERS):
        raise NotAllowed(f"{name} may not take it back", fix=f"{' or '.join(WAIVERS)} does")
    if not reason.strip():
        raise BadInput("no reason was given", fix="say why")
    with transaction.atomic():
        told = {"revoked_at": at, "revoked_by": name[:150], "revoked_reason": reason.strip()[:200]}
        if not plain(FlagWaiver).filter(pk=row.pk, revoked_at=None).update(**told):
            raise NotAllowed(f"{row} was taken back already", fix="nothing is left to do")
        _unsign(row.audit, f"the waiver of {row.code} was taken back", name, at)
    audit_approvals.record(row.audit)
    log.warning("waiver taken back", audit=audit_id, flag=row.code, by=name, until=ist(row.expires_at).isoformat())
    return FlagWaiver.objects.get(pk=row.pk)
