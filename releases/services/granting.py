"""Who is given a role, by two administrators, and who takes one away, alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models.signals import m2m_changed, post_save

from releases.models import RoleGrant
from releases.models.grants import FLAGS
from releases.models.guarded import plain
from releases.services.happenings import password_handed_out, record
from sensequant.lib import caller
from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from sensequant.lib.logs import get_logger

log = get_logger("roles")


def needs_two() -> bool:
    """Say whether one administrator alone gives nobody a role any more: as soon as there are, or were, two."""
    people = get_user_model().objects.filter(is_superuser=True)
    return people.count() >= 2 or RoleGrant.objects.exclude(confirmed_at=None).exists()


def roles() -> list[str]:
    """Return every role there is."""
    return [*Group.objects.order_by("name").values_list("name", flat=True), *FLAGS]


def has(user: Any, role: str) -> bool:
    """Say whether a person has a role now."""
    if role in FLAGS:
        return bool(getattr(user, FLAGS[role]))
    return bool(user.groups.filter(name=role).exists())


def ask(user: Any, role: str, reason: str, *, by: Any, at: dt.datetime) -> RoleGrant:
    """Ask that ``user`` be given ``role``; another administrator confirms it."""
    _administrator(by)
    if role not in roles():
        raise BadInput(f"there is no role {role!r}", fix=f"use one of: {', '.join(roles())}")
    if not reason.strip():
        raise BadInput("no reason was given", fix="say why the person needs the role")
    if user.pk == by.pk:
        raise NotAllowed("nobody asks for a role of their own", fix="ask another administrator")
    if has(user, role):
        raise NotAllowed(f"{user} is {role} already", fix="nothing is to be done")
    try:
        with transaction.atomic():
            row = RoleGrant.objects.create(user=user, role=role, reason=reason.strip()[:300], asked_by=by, asked_at=at)
            _tell("role asked for", row, by, at)
    except IntegrityError:
        raise NotAllowed(f"{role} was asked for {user} already", fix="confirm or refuse that request") from None
    return row


def confirm(number: int, *, by: Any, at: dt.datetime) -> RoleGrant:
    """Give the role that another administrator asked for; NotAllowed to who asked and to who would get it."""
    _administrator(by)
    with transaction.atomic():
        row = _open(number)
        if by.pk in (row.asked_by_id, row.user_id):
            raise NotAllowed(f"{by} cannot confirm this", fix="a role takes a second administrator, not its own bearer")
        if not row.user.is_active:
            raise NotAllowed(f"{row.user} is switched off", fix="refuse the request")
        _administrator(row.asked_by)
        if password_handed_out(row.user):
            raise NotAllowed(
                f"somebody else knows the password of {row.user}", fix="let the person choose one on the page /account"
            )
        plain(RoleGrant).filter(pk=row.pk).update(confirmed_by=by, confirmed_at=at)
        _tell("role granted", row, by, at, asked_by=row.asked_by.get_username())
        _set(row.user, row.role, to=True)
    row.refresh_from_db()
    return row


def refuse(number: int, *, by: Any, at: dt.datetime) -> RoleGrant:
    """End a request that was not confirmed; who asked may, too."""
    _administrator(by)
    with transaction.atomic():
        row = _open(number)
        plain(RoleGrant).filter(pk=row.pk).update(ended_at=at, ended_by=by.get_username())
        _tell("role refused", row, by, at)
    row.refresh_from_db()
    return row


def take(user: Any, role: str, reason: str, *, by: Any, at: dt.datetime) -> None:
    """Take a role away: one administrator is enough."""
    _administrator(by)
    if not has(user, role):
        raise NotFound(f"{user} is not {role}", fix="look at the person's page in the admin")
    with transaction.atomic():
        over(user, [role], by=by.get_username(), at=at)
        _set(user, role, to=False)
        record("role taken away", f"user {user}", at=at, actor=by.get_username(), reason=reason, role=role)
    log.warning("role taken away", user=str(user), role=role, by=str(by))


def over(user: Any, gone: list[str], *, by: str, at: dt.datetime) -> None:
    """Note that a person no longer has those roles: what was confirmed once gives none of them a second time."""
    rows = plain(RoleGrant).filter(user=user, role__in=gone, ended_at=None).exclude(confirmed_at=None)
    rows.update(ended_at=at, ended_by=by[:150])


def connect() -> None:
    """Listen to roles that are taken away elsewhere: on a person's page, or with the group itself."""
    people = get_user_model()
    m2m_changed.connect(_left, sender=people.groups.through, dispatch_uid="grants.left")
    post_save.connect(_saved, sender=people, dispatch_uid="grants.saved")


def _left(sender: Any, instance: Any, action: str, reverse: bool, pk_set: set[int] | None = None, **_: Any) -> None:
    if action not in ("post_remove", "pre_clear"):
        return
    who = caller.current().user()
    if reverse:
        for each in get_user_model().objects.filter(pk__in=pk_set) if pk_set else instance.user_set.all():
            over(each, [instance.name], by=who, at=now())
        return
    groups = Group.objects.filter(pk__in=pk_set) if pk_set else instance.groups.all()
    over(instance, [each.name for each in groups], by=who, at=now())


def _saved(sender: Any, instance: Any, created: bool, raw: bool = False, **_: Any) -> None:
    if not created and not raw:
        gone = [role for role, flag in FLAGS.items() if not getattr(instance, flag)]
        over(instance, gone, by=caller.current().user(), at=now())


def _set(user: Any, role: str, *, to: bool) -> None:
    if role in FLAGS:
        setattr(user, FLAGS[role], to)
        user.save(update_fields=[FLAGS[role]])
        return
    group = Group.objects.get(name=role)
    (user.groups.add if to else user.groups.remove)(group)


def _open(number: int) -> RoleGrant:
    row = plain(RoleGrant).select_for_update(of=("self",)).select_related("user", "asked_by").filter(pk=number).first()
    if row is None:
        raise NotFound(f"there is no role grant {number}", fix="manage.py role_grant --list")
    if row.confirmed_at or row.ended_at:
        raise NotAllowed(f"{row} was settled already", fix="ask anew")
    return row


def _administrator(by: Any) -> None:
    if not (by.is_active and by.is_superuser):
        raise NotAllowed(f"{by} is no administrator", fix="roles are given and taken by administrators")


def _tell(what: str, row: RoleGrant, by: Any, at: dt.datetime, **more: Any) -> None:
    record(what, f"user {row.user}", at=at, actor=by.get_username(), reason=row.reason, role=row.role, **more)
    log.warning(what, user=str(row.user), role=row.role, by=str(by))
