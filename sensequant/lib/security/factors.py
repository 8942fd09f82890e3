"""The second factor of a person: begun, confirmed, used, taken away."""

from __future__ import annotations

import base64
import math
import secrets
from typing import Any
from urllib.parse import quote, urlencode

import django_otp
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django_otp.models import Device

from sensequant.lib import seal
from sensequant.lib.clock import now
from sensequant.lib.errors import NotAllowed
from sensequant.lib.security.models import DIGITS, STEP, Authenticator, RecoveryCodes, digest

ISSUER = "SenseQuant"
CODES, LETTERS = 10, "abcdefghjkmnpqrstuvwxyz23456789"  # no letter that is read as a digit


def enrolled(user: AbstractBaseUser) -> bool:
    """Say whether ``user`` has confirmed a second factor."""
    return bool(Authenticator.objects.filter(user=user, confirmed=True).exists())


def shown(user: AbstractBaseUser, session: SessionBase) -> bool:
    """Say whether ``session`` showed the second factor ``user`` has now, if there is one."""
    kept = session.get(django_otp.DEVICE_ID_SESSION_KEY)
    if kept is None:
        return not enrolled(user)
    device = Device.from_persistent_id(kept)
    return device is not None and device.user_id == user.pk and bool(device.confirmed)


def begin(user: AbstractBaseUser) -> Authenticator:
    """Return the authenticator to be confirmed, with a new secret; NotAllowed while one is in use."""
    if enrolled(user):
        raise NotAllowed("a second factor is in use", fix="remove it first")
    sealed = seal.seal({"totp": secrets.token_hex(20)})
    fresh = {"sealed": sealed, "confirmed": False, "name": "authenticator", "last_t": -1}
    row: Authenticator = Authenticator.objects.update_or_create(user=user, defaults=fresh)[0]
    return row


def address(device: Authenticator) -> str:
    """Return what the app reads from the picture."""
    label = quote(f"{ISSUER}:{device.user.get_username()}")
    words = {"secret": written(device), "issuer": ISSUER, "algorithm": "SHA1", "digits": DIGITS, "period": STEP}
    return f"otpauth://totp/{label}?{urlencode(words)}"


def written(device: Authenticator) -> str:
    """Return the secret as it is typed into an app that reads no picture."""
    return base64.b32encode(device.secret).decode()


def finish(user: AbstractBaseUser, code: str) -> list[str]:
    """Put the authenticator that was begun into use and return the recovery codes, to be shown once."""
    device = Authenticator.objects.filter(user=user, confirmed=False).first()
    if device is None:
        raise NotAllowed("no second factor was begun", fix="begin again")
    if django_otp.verify_token(user, device.persistent_id, code.replace(" ", "")) is None:
        raise NotAllowed("the code is not right", fix=_wait(device) or "type the code the app shows now")
    codes = ["".join(secrets.choice(LETTERS) for _ in range(16)) for _ in range(CODES)]
    with transaction.atomic():
        Authenticator.objects.filter(pk=device.pk).update(confirmed=True)
        RecoveryCodes.objects.update_or_create(
            user=user, defaults={"name": "recovery codes", "digests": [digest(each) for each in codes]}
        )
    return ["-".join(each[n : n + 4] for n in range(0, 16, 4)) for each in codes]


def verified(user: AbstractBaseUser, code: str) -> Any:
    """Return the device that took ``code``, which is used up with it; NotAllowed says what is wrong."""
    plain = "".join(code.split())
    model = Authenticator if plain.isdigit() else RecoveryCodes
    device = model.objects.filter(user=user, confirmed=True).first()
    if not plain or device is None:
        raise NotAllowed("a code is needed", fix="type the code your app shows, or a recovery code")
    found = django_otp.verify_token(user, device.persistent_id, plain)
    if found is None:
        fix = _wait(device) or "wait for the next one: each code is taken once"
        raise NotAllowed("the code is not right, or was used before", fix=fix)
    return found


def _wait(device: Any) -> str:
    device.refresh_from_db()
    allowed, why = device.verify_is_allowed()
    if allowed:
        return ""
    seconds = math.ceil((why["locked_until"] - now()).total_seconds())
    return f"wait {max(1, seconds)} s, then type the code the app shows then"


def remove(user: AbstractBaseUser) -> None:
    """Take the second factor and its recovery codes away."""
    Authenticator.objects.filter(user=user).delete()
    RecoveryCodes.objects.filter(user=user).delete()


def reseal() -> int:
    """Seal every secret anew with the newest key and return how many there were."""
    rows = list(Authenticator.objects.all())
    for row in rows:
        fresh = seal.reseal(row.sealed)
        Authenticator.objects.filter(pk=row.pk, sealed=row.sealed).update(sealed=fresh)
    return len(rows)
