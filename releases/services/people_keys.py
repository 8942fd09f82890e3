"""The key a person signs with: made with their first signature, opened by their password for one signature at a time.

The server keeps it sealed under scrypt of the password, so it cannot sign for anybody on its own.
"""

from __future__ import annotations

import base64
import datetime as dt
import os
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from django.db import IntegrityError, transaction

from releases.models import SigningKey
from releases.models.guarded import plain
from sensequant.lib import dsse
from sensequant.lib.errors import NotAllowed
from sensequant.lib.logs import get_logger

COST = 1 << 15  # 32 MB and a tenth of a second for each guess at a password
SALT, NONCE = 16, 12
CHANGED: Final = "the password it was sealed with was changed"
log = get_logger("releases")


def of(user: Any, password: str, *, at: dt.datetime) -> tuple[SigningKey, Ed25519PrivateKey]:
    """Return the key of ``user``, opened with the password they just confirmed; a new one after a changed password."""
    row = SigningKey.objects.filter(user=user, revoked_at=None).first()
    if row is not None:
        found = _opened(row, password)
        if found is not None:
            return row, found
        revoke(row, CHANGED, at=at)
    return _made(user, password, at)


def _made(user: Any, password: str, at: dt.datetime) -> tuple[SigningKey, Ed25519PrivateKey]:
    key = Ed25519PrivateKey.generate()
    try:
        with transaction.atomic():
            row = SigningKey.objects.create(
                user=user, public=base64.b64encode(dsse.public_of(key)).decode(), cost=COST, created_at=at,
                sealed=_sealed(key.private_bytes_raw(), password, user.pk, COST),
            )  # fmt: skip
    except IntegrityError:
        raise NotAllowed(f"{user.get_username()} is signing elsewhere just now", fix="try again") from None
    log.info("signing key made", user=user.get_username(), public=row.public)
    return row, key


def revoke(row: SigningKey, why: str, *, at: dt.datetime) -> None:
    """Take a key out of use; what it signed before stays signed."""
    if plain(SigningKey).filter(pk=row.pk, revoked_at=None).update(revoked_at=at, revoked_reason=why[:200]):
        log.warning("signing key revoked", public=row.public, why=why)


def _wrapping(password: str, salt: bytes, cost: int) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(password.encode()))


def _sealed(secret: bytes, password: str, user: int, cost: int) -> str:
    salt, nonce = os.urandom(SALT), os.urandom(NONCE)
    return base64.b64encode(
        salt + nonce + _wrapping(password, salt, cost).encrypt(nonce, secret, str(user).encode())
    ).decode()


def _opened(row: SigningKey, password: str) -> Ed25519PrivateKey | None:
    whole = base64.b64decode(row.sealed)
    salt, nonce, text = whole[:SALT], whole[SALT : SALT + NONCE], whole[SALT + NONCE :]
    try:
        secret = _wrapping(password, salt, row.cost).decrypt(nonce, text, str(row.user_id).encode())
    except InvalidTag:
        return None
    return Ed25519PrivateKey.from_private_bytes(secret)
