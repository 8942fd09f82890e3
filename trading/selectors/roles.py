"""What a person may do: staff everything, the group ``operator`` controls, who signs stops, anybody else looks."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from trading.core.rights import OFFICES, OPERATORS, Right


def right_of(user: AbstractBaseUser | AnonymousUser) -> Right | None:
    """Return the most ``user`` may do; None for somebody who is not logged in or was switched off."""
    if not user.is_authenticated or not user.is_active:
        return None
    if getattr(user, "is_staff", False) or getattr(user, "is_superuser", False):
        return Right.ADMIN
    groups = getattr(user, "groups", None)
    names = set() if groups is None else set(groups.values_list("name", flat=True))
    if OPERATORS in names:
        return Right.TRADE
    return Right.READ if names.isdisjoint(OFFICES) else Right.KILL


def may(user: AbstractBaseUser | AnonymousUser, right: Right) -> bool:
    """Say whether ``user`` has ``right``."""
    has = right_of(user)
    return has is not None and has >= right
