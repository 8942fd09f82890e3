"""The desk's own signing key: made when it is first needed, readable by its owner alone, its public half beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from sensequant.lib import paths
from sensequant.lib.errors import BadInput, NotFound

PRIVATE, PUBLIC = "release.key", "release.pub"
FIX: Final = "take it from the machine that signs: SENSEQUANT_HOME/keys/release.pub"


def folder() -> Path:
    """Return where the keys lie."""
    return paths.home() / "keys"


def public_path() -> Path:
    """Return where the public half lies, for whoever verifies."""
    return folder() / PUBLIC


def private() -> Ed25519PrivateKey:
    """Return the desk's key; the first call makes it and writes its public half beside it."""
    place = folder()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    text = paths.read_or_make_private(place / PRIVATE, fresh.decode())
    try:
        found = load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError):
        raise BadInput(f"{place / PRIVATE} holds no key", fix="restore it from your backup") from None
    if not isinstance(found, Ed25519PrivateKey):
        raise BadInput(f"{place / PRIVATE} is no Ed25519 key", fix="restore it from your backup")
    if not public_path().exists():
        _publish(found)
    return found


def _publish(key: Ed25519PrivateKey) -> None:
    fresh = public_path().with_name(f"{PUBLIC}.{os.getpid()}")
    fresh.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    fresh.replace(public_path())


def public(path: Path | None = None) -> bytes:
    """Return the 32 bytes of the public key in a PEM file, the desk's own when none is named."""
    place = path or public_path()
    try:
        found = load_pem_public_key(place.read_bytes())
    except OSError as error:
        raise NotFound(f"there is no public key in {place}: {error.strerror}", fix=FIX) from None
    except ValueError:
        raise BadInput(f"{place} holds no public key", fix=FIX) from None
    if not isinstance(found, Ed25519PublicKey):
        raise BadInput(f"{place} is no Ed25519 key", fix=FIX)
    return found.public_bytes(Encoding.Raw, PublicFormat.Raw)
