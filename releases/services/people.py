"""Who may do what with releases: membership in a group now; being a superuser is no role."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from sensequant.lib.errors import NotFound


def holds(user: Any, group: str) -> bool:
    """Say whether a person is in a group now."""
    return bool(user.is_active) and user.groups.filter(name=group).exists()


def named(name: str) -> Any:
    """Return a user by name; NotFound when there is none."""
    found = get_user_model().objects.filter(username=name).first()
    if found is None:
        raise NotFound(f"there is no user {name!r}", fix="an administrator makes users")
    return found
