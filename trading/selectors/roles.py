"""What a person may do: staff everything, members of the group ``operator`` control, anybody else looks."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from trading.core.rights import OPERATORS, Right


def right_of(user: AbstractBaseUser | AnonymousUser) -> Right | None:
    """Return the most ``user`` may do; None for somebody who is not logged in or was switched off."""
    if not user.is_authenticated or not user.is_active:
        return None
    if getattr(user, "is_staff", False) or getattr(user, "is_superuser", False):
        return Right.ADMIN
    groups = getattr(user, "groups", None)
    if groups is not None and groups.filter(name=OPERATORS).exists():
        return Right.TRADE
    return Right.READ


def may(user: AbstractBaseUser | AnonymousUser, right: Right) -> bool:
    """Say whether ``user`` has ``right``."""
    has = right_of(user)
    return has is not None and has >= right
