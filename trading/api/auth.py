"""Who is calling, and may they: a session with its CSRF token, or a bearer token that no cookie can stand in for."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar, cast

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer
from ninja.throttling import BaseThrottle
from ninja.utils import check_csrf

from sensequant.lib.clock import now
from sensequant.lib.counting import spend
from sensequant.lib.errors import SenseQuantError
from sensequant.lib.security.addresses import address_of
from trading.core.rights import Right, right
from trading.selectors.roles import right_of
from trading.services import tokens

A_MINUTE = 6_000


class NotPermitted(SenseQuantError):
    """The caller is known and may not do this."""

    code: ClassVar[str] = "not_permitted"
    status: ClassVar[int] = HTTPStatus.FORBIDDEN


class Bearer(HttpBearer):
    """A key of the page ``/tokens`` or of ``manage.py api_token``; it may do no more than its owner and its scope."""

    openapi_description = (
        "A key made on the page `/tokens`, or with `manage.py api_token create --user … --scope read|kill|trade|admin`"
    )

    def __init__(self, needs: Right) -> None:
        self.needs = needs
        super().__init__()

    def authenticate(self, request: HttpRequest, token: str) -> AbstractBaseUser | None:
        """Return the key's owner, or None when the key is not in force."""
        row = tokens.authenticate(token, address=address_of(request), at=now())
        if row is None:
            return None
        request.user = row.user
        cast(Any, request).token = row.prefix
        _permit(request, row.user, self.needs, limit=right(row.scope))
        return row.user


class Session(APIKeyCookie):
    """The session of a person who logged in; writes need the CSRF token in ``X-CSRFToken``."""

    param_name = settings.SESSION_COOKIE_NAME
    openapi_description = "The session of a person who logged in. Writes also need the header `X-CSRFToken`."

    def __init__(self, needs: Right) -> None:
        self.needs = needs
        super().__init__()

    def _get_key(self, request: HttpRequest) -> str | None:
        return request.COOKIES.get(self.param_name)

    def authenticate(self, request: HttpRequest, key: str | None) -> AbstractBaseUser | None:
        """Return the person, or None; a caller who sent an Authorization header is judged by that alone."""
        if "Authorization" in request.headers or not request.user.is_authenticated:
            return None
        if check_csrf(request):
            raise NotPermitted("the CSRF token is missing or wrong", fix="send it in the header X-CSRFToken")
        _permit(request, request.user, self.needs)
        return request.user


class PerCaller(BaseThrottle):
    """A ceiling on the requests of each token, or each person, in a minute: no runaway script starves the desk."""

    def allow_request(self, request: HttpRequest) -> bool:
        """Count the request and say whether it may pass."""
        return spend(f"api-{getattr(request, 'token', request.user.pk)}", at=now()) <= A_MINUTE

    def wait(self) -> float:
        """Return the seconds until the next minute."""
        return 60 - int(now().timestamp()) % 60


def needs(least: Right) -> list[Bearer | Session]:
    """Return the two ways in, for callers who have at least this right."""
    return [Bearer(least), Session(least)]


def right_in(request: HttpRequest) -> Right:
    """Return what the caller of an operation may do at most: the person's right, cut to the token's scope."""
    return cast(Right, cast(Any, request).right)


def _permit(
    request: HttpRequest, user: AbstractBaseUser | AnonymousUser, least: Right, limit: Right = Right.ADMIN
) -> None:
    """Raise NotPermitted unless ``user`` has ``least`` and the key in use allows it; note what is allowed at most."""
    has = right_of(user)
    if has is None or has < least:
        raise NotPermitted(f"this needs the right to {least.scope}", fix="ask a staff member for the right")
    if limit < least:
        raise NotPermitted(f"this token's scope is {limit.scope}, this needs {least.scope}", fix="use another token")
    cast(Any, request).right = min(has, limit)


READ, KILL, TRADE, ADMIN = (needs(each) for each in Right)
