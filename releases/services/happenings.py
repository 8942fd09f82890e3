"""Who came in and who did not, who may do what, and which settings are in force: each as a row that is only added.

Django tells of these by signals (``apps.ready`` connects them); a flood of failed logins fills no table.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from typing import Any, Final

from django.contrib.auth import get_user_model, signals
from django.contrib.auth.models import Group
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.http import HttpRequest

from releases.models import Happening
from sensequant.lib import caller, redact
from sensequant.lib.clock import now
from sensequant.lib.env import rows
from sensequant.lib.history import plain
from sensequant.lib.security.addresses import address_of

MOST: Final = 60  # failed logins a minute from one address that are kept
RIGHTS: Final = ("is_active", "is_staff", "is_superuser")
GRANTS: Final = {"post_add": "granted", "post_remove": "taken away", "pre_clear": "all taken away"}
BEFORE: Final = "_before_it_was_saved"
MADE, CHANGED, HANDED_OUT = "user made", "password changed", "handed_out"


def record(
    what: str, subject: str, *, at: dt.datetime, actor: str = "", reason: str = "", ip: str = "", session: str = "",
    **detail: Any,
) -> Happening:  # fmt: skip
    """Append one happening, with what is known of who asks now."""
    who = caller.current()
    return Happening.objects.create(
        at=at, what=what[:120], object=subject[:120], actor=(actor or who.user())[:150], reason=reason[:300],
        ip=(ip or who.ip)[:45], session=session or who.session, request_id=who.request_id, detail=plain(detail),
    )  # fmt: skip


def settings_in_force(desk: Any, *, at: dt.datetime) -> Happening | None:
    """Record the settings this process runs with (no secret among them), unless they are those recorded last."""
    told = {
        each.name: redact.value(plain(getattr(desk, each.name.lower()))) for each in rows(type(desk)) if not each.secret
    }
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    last = Happening.objects.filter(what="settings in force").first()
    if last is not None and last.detail["sha256"] == digest:
        return None
    return record("settings in force", "settings", at=at, actor="the desk", sha256=digest, settings=told)


def connect() -> None:
    """Listen to Django's signals."""
    users = get_user_model()
    signals.user_logged_in.connect(_logged_in, dispatch_uid="ledger.in")
    signals.user_logged_out.connect(_logged_out, dispatch_uid="ledger.out")
    signals.user_login_failed.connect(_failed, dispatch_uid="ledger.failed")
    pre_save.connect(_before, sender=users, dispatch_uid="ledger.before")
    post_save.connect(_saved, sender=users, dispatch_uid="ledger.saved")
    post_delete.connect(_deleted, sender=users, dispatch_uid="ledger.deleted")
    through = [users.groups.through, users.user_permissions.through, Group.permissions.through]
    for model in through:
        m2m_changed.connect(_granted, sender=model, dispatch_uid=f"ledger.{model._meta.label}")


def _from(request: HttpRequest | None) -> dict[str, str]:
    """Return where a request came from; the session it has now, which a login has just made."""
    if request is None:
        return {}
    key = request.session.session_key if hasattr(request, "session") else None
    return {"ip": address_of(request), "session": hashlib.sha256(key.encode()).hexdigest() if key else ""}


def _logged_in(sender: Any, request: HttpRequest | None, user: Any, **_: Any) -> None:
    name = user.get_username()
    record("logged in", f"user {name}", at=now(), actor=name, **_from(request))


def _logged_out(sender: Any, request: HttpRequest | None, user: Any, **_: Any) -> None:
    if user is not None:
        name = user.get_username()
        record("logged out", f"user {name}", at=now(), actor=name, **_from(request))


def _failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    at, where = now(), _from(request)
    name = str(credentials.get(get_user_model().USERNAME_FIELD, ""))
    recent = Happening.objects.filter(what="login failed", ip=where.get("ip", ""), at__gt=at - dt.timedelta(minutes=1))
    if recent.count() < MOST:
        record("login failed", f"user {name}", at=at, **where)


def _before(sender: Any, instance: Any, update_fields: Iterable[str] | None = None, **_: Any) -> None:
    """Remember how the person was; a login that only notes its own moment changes nothing."""
    if update_fields is None or set(update_fields) & {"password", "username", *RIGHTS}:
        found = sender.objects.filter(pk=instance.pk).values("username", "password", *RIGHTS).first()
        setattr(instance, BEFORE, found or {})


def _saved(sender: Any, instance: Any, created: bool, raw: bool = False, **_: Any) -> None:
    before = instance.__dict__.pop(BEFORE, None)
    name, at = f"user {instance.get_username()}", now()
    rights = {each: getattr(instance, each) for each in RIGHTS}
    if created:
        record(MADE, name, at=at, **rights, **_known_to(instance))
    elif before:
        if before["password"] != instance.password:
            record(CHANGED, name, at=at, **_known_to(instance))
        if before["username"] != instance.get_username():
            record("user renamed", name, at=at, before=before["username"])
        changed = {each: value for each, value in rights.items() if before[each] != value}
        if changed:
            record("rights changed", name, at=at, **changed)


def _known_to(user: Any) -> dict[str, Any]:
    """Return whose password was set, and whether by another person of the desk; the shell's is not told from theirs."""
    who = caller.current().user()
    return {"id": user.pk, HANDED_OUT: who not in ("", user.get_username()) and user.has_usable_password()}


def password_handed_out(user: Any) -> bool:
    """Say whether somebody else set the password that ``user`` has now."""
    told = Happening.objects.filter(what__in=(CHANGED, MADE), detail__id=user.pk).order_by("-id").first()
    return told is not None and bool(told.detail.get(HANDED_OUT))


def _deleted(sender: Any, instance: Any, **_: Any) -> None:
    record("user deleted", f"user {instance.get_username()}", at=now())


def _granted(
    sender: Any, instance: Any, action: str, reverse: bool, model: Any, pk_set: set[int] | None = None, **_: Any
) -> None:  # fmt: skip
    """Tell which groups or permissions a person, or which permissions a group, was given or lost."""
    if action not in GRANTS or (pk_set is not None and not pk_set):
        return
    others = sorted(str(each) for each in model.objects.filter(pk__in=pk_set)) if pk_set else []
    kind = sender._meta.label.rpartition("_")[2]
    told: dict[str, Any] = {"members" if reverse else kind: others}
    record(f"{kind} {GRANTS[action]}", f"{type(instance).__name__.lower()} {instance}", at=now(), **told)
