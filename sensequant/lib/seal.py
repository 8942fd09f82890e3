"""Secrets at rest: sealed with a key of their own, never with the one that signs sessions; the key can be rotated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from sensequant.lib import paths
from sensequant.lib.errors import BadInput, NotAllowed

FILE = "broker.key"
FIX = "a key is 44 characters of url-safe base64, as made by: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"  # noqa: E501


def _keys() -> MultiFernet:
    """Return the keys, newest first: of the setting (separated by commas), else of a private file made once."""
    text = settings.DESK.breeze_token_key or paths.read_or_make_private(
        paths.home() / FILE, Fernet.generate_key().decode()
    )
    try:
        return MultiFernet([Fernet(each.strip()) for each in text.replace("\n", ",").split(",") if each.strip()])
    except ValueError:
        raise BadInput("BREEZE_TOKEN_KEY, or the file broker.key, holds no usable key", fix=FIX) from None


def seal(secret: Mapping[str, Any]) -> str:
    """Return ``secret`` as text that only the holder of the key can read."""
    return _keys().encrypt(json.dumps(dict(secret)).encode()).decode()


def unseal(text: str) -> dict[str, Any]:
    """Return what ``seal`` was given; NotAllowed when it was sealed with another key or changed since."""
    try:
        found: dict[str, Any] = json.loads(_keys().decrypt(text.encode()))
    except InvalidToken:
        fix = "log in again, or give back the key it was sealed with (BREEZE_TOKEN_KEY)"
        raise NotAllowed("the stored secret cannot be opened with this key", fix=fix) from None
    return found


def reseal(text: str) -> str:
    """Return sealed ``text`` sealed anew with the newest key; NotAllowed when no key opens it."""
    try:
        return _keys().rotate(text.encode()).decode()
    except InvalidToken:
        raise NotAllowed("the stored secret cannot be opened with any key", fix="log in again") from None


def rotate() -> None:
    """Put a new key in front of those of the private file; NotAllowed when the key is a setting."""
    if settings.DESK.breeze_token_key:
        raise NotAllowed("the key is the setting BREEZE_TOKEN_KEY", fix="put the new key in front of it, then a comma")
    file = paths.home() / FILE
    old = paths.read_or_make_private(file, Fernet.generate_key().decode())
    paths.write_private(file, f"{Fernet.generate_key().decode()},{old}")
