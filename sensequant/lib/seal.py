"""Secrets at rest: sealed with a key of their own, never with the one that signs sessions; the key can be rotated.

A sealed text begins with the short name of its key, so that it is known which key a row still needs. The key is read
from a file that nobody but its owner may open, or from the setting; the newest comes first, older ones only open.
"""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from sensequant.lib import paths
from sensequant.lib.errors import BadInput, NotAllowed

FILE = "broker.key"
FIX = "a key is 44 characters of url-safe base64, as made by: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"  # noqa: E501
NAMED = 8  # characters of a key's name


def keys() -> dict[str, Fernet]:
    """Return the keys by name, newest first: of the setting (separated by commas), else of a private file."""
    text = settings.DESK.breeze_token_key or _of_file(paths.home() / FILE)
    try:
        found = [each.strip() for each in text.replace("\n", ",").split(",") if each.strip()]
        named = {name_of(each): Fernet(each) for each in found}
    except ValueError:
        raise BadInput("BREEZE_TOKEN_KEY, or the file broker.key, holds no usable key", fix=FIX) from None
    if not named:
        raise BadInput("BREEZE_TOKEN_KEY, or the file broker.key, holds no usable key", fix=FIX)
    return named


def of_setting() -> bool:
    """Say whether the key is the setting, which only people change."""
    return bool(settings.DESK.breeze_token_key)


def name_of(key: str) -> str:
    """Return the short name of a key, from which nothing follows about it."""
    return hashlib.sha256(b"sensequant key" + key.encode()).hexdigest()[:NAMED]


def _of_file(file: Path) -> str:
    text = paths.read_or_make_private(file, Fernet.generate_key().decode())
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise NotAllowed(f"{file.name} can be read by others", fix=f"chmod 600 {file.name} in SENSEQUANT_HOME")
    return text


def seal(secret: Mapping[str, Any]) -> str:
    """Return ``secret`` as text that only the holder of the key can read."""
    name, key = next(iter(keys().items()))
    return f"{name}:{key.encrypt(json.dumps(dict(secret)).encode()).decode()}"


def unseal(text: str) -> dict[str, Any]:
    """Return what ``seal`` was given; NotAllowed when it was sealed with another key or changed since."""
    try:
        found: dict[str, Any] = json.loads(_opened(text))
    except InvalidToken:
        fix = "log in again, or give back the key it was sealed with (BREEZE_TOKEN_KEY)"
        raise NotAllowed("the stored secret cannot be opened with this key", fix=fix) from None
    return found


def _opened(text: str) -> bytes:
    name, colon, sealed = text.partition(":")
    known = keys()
    if not colon:  # sealed before keys had names
        return MultiFernet(list(known.values())).decrypt(text.encode())
    if name not in known:
        raise InvalidToken
    return known[name].decrypt(sealed.encode())


def sealed_with(text: str) -> str:
    """Return the name of the key that opens ``text``; empty for one that was sealed before keys had names."""
    name, colon, _ = text.partition(":")
    return name if colon else ""


def reseal(text: str) -> str:
    """Return sealed ``text`` sealed anew with the newest key; NotAllowed when no key opens it."""
    try:
        plain = _opened(text)
    except InvalidToken:
        raise NotAllowed("the stored secret cannot be opened with any key", fix="log in again") from None
    name, key = next(iter(keys().items()))
    return f"{name}:{key.encrypt(plain).decode()}"


def rotate() -> str:
    """Put a new key in front of those of the private file, return its name; NotAllowed when the key is a setting."""
    if of_setting():
        raise NotAllowed("the key is the setting BREEZE_TOKEN_KEY", fix="put the new key in front of it, then a comma")
    file = paths.home() / FILE
    fresh = Fernet.generate_key().decode()
    paths.write_private(file, f"{fresh},{_of_file(file)}")
    return name_of(fresh)


def forget_old() -> list[str]:
    """Keep only the newest key of the private file and return the names of those that went."""
    if of_setting():
        return []
    gone = list(keys())[1:]
    file = paths.home() / FILE
    paths.write_private(file, _of_file(file).replace("\n", ",").split(",")[0].strip())
    return gone
