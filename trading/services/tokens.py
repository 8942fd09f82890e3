"""Keys for scripts: made once, checked on every request, revoked for good."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Sequence

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db.models import Q

from sensequant.lib.errors import BadInput, NotFound
from sensequant.lib.logs import get_logger
from trading.core.rights import right
from trading.models.tokens import ApiToken
from trading.selectors.roles import right_of

MARK = "sq_"
PREFIX = 11
LONGEST_DAYS = 90
REMEMBER_USE = dt.timedelta(minutes=1)

log = get_logger("tokens")


def issue(
    *, username: str, scope: str, days: int, name: str = "", networks: Sequence[str] = (), by: str, at: dt.datetime
) -> tuple[ApiToken, str]:
    """Make a key for ``username`` and return its row with the key itself, which is never shown again.

    Raises NotFound for an unknown user, BadInput for a scope the user has not, for a span that is not 1 to 90 days
    and for a network that is none.
    """
    user = _user(username)
    asked, has = right(scope), right_of(user)
    if has is None or asked > has:
        raise BadInput(
            f"{username} has not the right to {scope!r}",
            fix="give a smaller scope, make the user staff, or add the user to the group operator",
        )
    if not 1 <= days <= LONGEST_DAYS:
        raise BadInput(f"{days} days is not a span a key may live", fix=f"give 1 to {LONGEST_DAYS} days")
    key = MARK + secrets.token_urlsafe(32)
    row = ApiToken.objects.create(
        user=user,
        name=name.strip()[:80] or f"{username} {scope}",
        prefix=key[:PREFIX],
        digest=digest(key),
        scope=asked.scope,
        networks=[_network(each) for each in networks],
        created_at=at,
        created_by=by,
        expires_at=at + dt.timedelta(days=days),
    )
    log.info("API token made", token=row.prefix, user=username, scope=scope, by=by)
    return row, key


def authenticate(key: str, *, address: str, at: dt.datetime) -> ApiToken | None:
    """Return the row of a key that is in force for a caller at ``address``, remembering the use; None otherwise."""
    sought = digest(key)
    row = ApiToken.objects.select_related("user").filter(digest=sought).first()
    if row is None or not hmac.compare_digest(row.digest, sought):
        return None
    reason = _refusal(row, address, at)
    if reason:
        log.warning("API token refused", token=row.prefix, reason=reason, address=address)
        return None
    _remember_use(row, at)
    return row


def revoke(prefix: str, *, by: str, at: dt.datetime) -> ApiToken:
    """End the key that begins with ``prefix``; doing it again changes nothing. Raises NotFound if there is none."""
    row = ApiToken.objects.select_related("user").filter(prefix=prefix[:PREFIX]).first()
    if row is None:
        raise NotFound(f"no API token begins with {prefix!r}", fix="api_token list shows them")
    if ApiToken.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=at, revoked_by=by):
        log.info("API token revoked", token=row.prefix, by=by)
    row.refresh_from_db()
    return row


def digest(key: str) -> str:
    """Return what is stored of ``key``: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


def state(row: ApiToken, at: dt.datetime) -> str:
    """Return ``active``, ``revoked`` or ``expired``."""
    if row.revoked_at is not None:
        return "revoked"
    return "active" if at < row.expires_at else "expired"


def _refusal(row: ApiToken, address: str, at: dt.datetime) -> str:
    if (now := state(row, at)) != "active":
        return now
    if not row.user.is_active:
        return "its user is switched off"
    return "" if _is_from(address, row.networks) else "used from an address it was not made for"


def _remember_use(row: ApiToken, at: dt.datetime) -> None:
    """Note the use, at most once a minute, so that reading does not become writing."""
    long_ago = Q(last_used_at=None) | Q(last_used_at__lte=at - REMEMBER_USE)
    if row.last_used_at is None or row.last_used_at <= at - REMEMBER_USE:
        ApiToken.objects.filter(long_ago, pk=row.pk).update(last_used_at=at)


def _is_from(address: str, networks: Sequence[str]) -> bool:
    if not networks:
        return True
    try:
        caller = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(caller in ipaddress.ip_network(each) for each in networks)


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise BadInput(f"{text!r} is not a network", fix="write e.g. 10.0.0.0/8 or 192.168.1.20") from None


def _user(username: str) -> User:
    users = get_user_model()
    user = users.objects.filter(**{users.USERNAME_FIELD: username}).first()
    if user is None:
        raise NotFound(f"there is no user {username!r}", fix="make one on the admin page or with createsuperuser")
    return user
