"""Keys for scripts, as pages and REST ask for them: a person's own, for staff everybody's."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet

from sensequant.lib.errors import NotFound
from trading.core.rights import Right
from trading.models import ApiToken
from trading.selectors import roles


def visible_to(user: AbstractBaseUser | AnonymousUser) -> QuerySet[ApiToken]:
    """Return the keys ``user`` may see and end, the newest first."""
    rows = ApiToken.objects.select_related("user").order_by("-id")
    return rows if roles.may(user, Right.ADMIN) else rows.filter(user__username=user.get_username())


def visible(user: AbstractBaseUser | AnonymousUser, prefix: str) -> ApiToken:
    """Return one of them by how it begins; NotFound when there is none such."""
    row = visible_to(user).filter(prefix=prefix).first()
    if row is None:
        raise NotFound(f"you have no API token that begins with {prefix!r}", fix="see /api/v1/tokens")
    return row
