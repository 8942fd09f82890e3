"""Three signatures under one checklist: each in their role, none of the author, bound to what was read."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from models_ml.models import Promotion, SignOff
from models_ml.services import checklists, student_folders
from models_ml.services.checklists import ROLES
from sensequant.lib.errors import BadInput, NotAllowed, SenseQuantError
from sensequant.lib.logs import get_logger

HOLDS = dt.timedelta(hours=72)
log = get_logger("promotion")


def evidence_of(row: Promotion) -> str:
    """Return what signatures of a promotion are bound to, from what is kept now."""
    return checklists.evidence(row.digest, checklists.digest_of(row.checklist))


def holds_role(user: Any, role: str) -> bool:
    """Say whether a person is in the group of the role now; being a superuser is no role."""
    return bool(user.is_active) and user.groups.filter(name=role).exists()


def sign(number: int, role: str, user: Any, *, decision: str, note: str, seen: str, at: dt.datetime) -> SignOff:
    """Keep one person's word; ``seen`` is the evidence digest of the page they read. NotAllowed says what forbids it.

    One rejection ends the promotion: only a new assessment of a candidate can be signed then.
    """
    row = Promotion.objects.get(pk=number)
    _check(row, role, user, decision, note, seen)
    try:
        with transaction.atomic():
            found = SignOff.objects.create(
                promotion=row, role=role, user=user, username=user.get_username(), author=row.author,
                decision=decision, evidence=seen, note=note.strip()[:300], at=at,
            )  # fmt: skip
            if decision == "reject":
                Promotion.objects.filter(pk=row.pk, state="review").update(state="refused")
    except IntegrityError:
        raise NotAllowed(
            f"{role} or {user.get_username()} has signed {row} already", fix="one person, one role, once"
        ) from None
    log.info("promotion signed", promotion=row.pk, role=role, by=user.get_username(), decision=decision)
    return found


def _check(row: Promotion, role: str, user: Any, decision: str, note: str, seen: str) -> None:
    name = user.get_username()
    if role not in ROLES or decision not in ("approve", "reject"):
        raise BadInput(f"{role!r} cannot {decision!r}", fix=f"use one of {', '.join(ROLES)}; approve or reject")
    if row.state != "review":
        raise NotAllowed(f"{row} is {row.state}", fix="only what waits for review is signed")
    if name == row.author:
        raise NotAllowed(f"{name} trained this candidate or asked for it and may not sign", fix="ask another person")
    if not holds_role(user, role):
        raise NotAllowed(f"{name} is not in the group {role!r}", fix="an administrator grants roles")
    if seen != evidence_of(row):
        raise NotAllowed("the checklist or the candidate changed since it was read", fix="read it again")
    if not note.strip():
        raise BadInput("no note was given", fix="say in a few words what you looked at")


def missing(row: Promotion, *, at: dt.datetime) -> list[str]:
    """Return what keeps a promotion from being carried out, all of it read anew; empty when nothing does."""
    fresh = Promotion.objects.get(pk=row.pk)
    against = []
    if fresh.state != "review":
        against.append(f"it is {fresh.state}, not in review")
    if fresh.checklist.get("recommendation") != "PROMOTE":
        against.append("its checklist says REJECT")
    if checklists.digest_of(fresh.checklist) != fresh.checklist_digest:
        against.append("its checklist was changed")
    return [*against, *_candidate(fresh), *_signatures(fresh, at)]


def _candidate(row: Promotion) -> list[str]:
    try:
        changed = student_folders.digest(row.folder) != row.digest
    except SenseQuantError as error:
        return [str(error)]
    return ["the candidate's files were changed"] if changed else []


def _signatures(row: Promotion, at: dt.datetime) -> list[str]:
    good = valid(row, at=at)
    told = [f"{role} has not signed" for role in ROLES if role not in {each.role for each in good}]
    if len({each.user_id for each in good}) < len(good):
        told.append("one person signed twice")
    return told


def valid(row: Promotion, *, at: dt.datetime) -> list[SignOff]:
    """Return the approvals that count now: of this content, not older than 72 hours, by people who hold their role."""
    people = {user.pk: user for user in get_user_model().objects.filter(pk__in=row.sign_offs.values("user_id"))}
    return [
        each
        for each in row.sign_offs.filter(decision="approve", evidence=evidence_of(row))
        if at - each.at <= HOLDS
        and holds_role(people[each.user_id], each.role)
        and people[each.user_id].get_username() != row.author
    ]
