"""What follows from logging in and out, and from another role: sessions begin, end, and take their sockets along."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import m2m_changed, pre_save

from sensequant.lib import broadcast
from sensequant.lib.clock import now
from sensequant.lib.security import events, sessions

POWERS = ("is_active", "is_staff", "is_superuser")  # another password ends sessions by itself


def sockets_of(person: int) -> str:
    """Return the topic that a person's sockets listen to."""
    return f"user.{person}"


def began(sender: Any, request: Any, user: Any, **_: Any) -> None:
    """Begin the session's day."""
    sessions.begin(request.session, at=now())


def left(sender: Any, request: Any, user: Any, **_: Any) -> None:
    """Let a person's sockets look at their session at once."""
    if user is not None:
        broadcast.publish(sockets_of(user.pk), {})


def regrouped(sender: Any, instance: Any, action: str, pk_set: Any = None, **_: Any) -> None:
    """End the sessions of people whose groups or permissions changed: the next ones begin with the new ones."""
    if action not in ("post_add", "post_remove", "pre_clear"):
        return
    people = get_user_model()
    if isinstance(instance, people):
        found = [instance]
    elif action == "pre_clear":
        found = list(people.objects.filter(groups=instance.pk))
    else:
        found = list(people.objects.filter(pk__in=pk_set or ()))
    for each in found:
        _end(each, "groups or permissions")


def changed(sender: Any, instance: Any, raw: bool = False, update_fields: Any = None, **_: Any) -> None:
    """End the sessions of a person who was switched off, or may do more or less than before."""
    saved = [name for name in POWERS if update_fields is None or name in update_fields]
    if raw or instance.pk is None or not saved:
        return
    before = sender.objects.filter(pk=instance.pk).values(*saved).first() or {}
    differ = [name for name, value in before.items() if getattr(instance, name) != value]
    if differ:
        _end(instance, ", ".join(differ))


def _end(user: Any, what: str) -> None:
    ended = sessions.end_all(user, at=now())
    broadcast.publish(sockets_of(user.pk), {})
    events.note("privileges changed", at=now(), who=user.get_username(), what=what, sessions_ended=ended)


def connect() -> None:
    """Listen."""
    user_logged_in.connect(began, dispatch_uid="security-began")
    user_logged_out.connect(left, dispatch_uid="security-left")
    user = get_user_model()
    m2m_changed.connect(regrouped, sender=user.groups.through, dispatch_uid="security-groups")
    m2m_changed.connect(regrouped, sender=user.user_permissions.through, dispatch_uid="security-permissions")
    pre_save.connect(changed, sender=user, dispatch_uid="security-powers")
