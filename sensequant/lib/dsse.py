"""Signed texts: DSSE envelopes with Ed25519, one spelling each, so that no byte of one can change unseen.

The signature is over the payload's kind and its bytes, never over a reading of them; nothing is parsed before it holds.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sensequant.lib.errors import BadInput

MOST: Final = 8 << 20  # bytes of an envelope
FIX: Final = "take the envelope from where it was signed"


def key_id(public: bytes) -> str:
    """Return the name of a key: the SHA-256 of its public half."""
    return hashlib.sha256(public).hexdigest()


def public_of(private: Ed25519PrivateKey) -> bytes:
    """Return the public half of a key, 32 bytes."""
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def encoding(kind: str, payload: bytes) -> bytes:
    """Return what is signed: DSSE's pre-authentication encoding of a payload and its kind."""
    name = kind.encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)


def holds(public: bytes, signature: bytes, kind: str, payload: bytes) -> bool:
    """Say whether ``signature`` is the key's over the payload."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, encoding(kind, payload))
    except (InvalidSignature, ValueError):
        return False
    return True


def sign(kind: str, payload: bytes, keys: Sequence[Ed25519PrivateKey]) -> bytes:
    """Return the envelope of ``payload``, signed with each of ``keys``."""
    text = encoding(kind, payload)
    signatures = [{"keyid": key_id(public_of(key)), "sig": _written(key.sign(text))} for key in keys]
    return _text({"payload": _written(payload), "payloadType": kind, "signatures": signatures})


def opened(envelope: bytes, kind: str, publics: Sequence[bytes]) -> bytes:
    """Return the payload of an envelope that every one of ``publics`` signed once, and nobody else; BadInput if not."""
    told = _parsed(envelope)
    if told["payloadType"] != kind:
        raise BadInput(f"the envelope holds {str(told['payloadType'])[:80]!r}, not {kind}", fix=FIX)
    payload = _read(told["payload"])
    left = {key_id(public): public for public in publics}
    for each in told["signatures"]:
        name, signature = each["keyid"], _read(each["sig"])
        if name not in left:
            twice = name in {key_id(public) for public in publics}
            raise BadInput(f"key {name[:12]}… signed twice" if twice else f"key {name[:12]}… is not known", fix=FIX)
        if not holds(left.pop(name), signature, kind, payload):
            raise BadInput(f"the signature of key {name[:12]}… does not hold: the payload was changed", fix=FIX)
    if left:
        raise BadInput(f"the signature of key {next(iter(left))[:12]}… is missing", fix=FIX)
    return payload


def _text(told: Any) -> bytes:
    return (json.dumps(told, sort_keys=True, indent=1) + "\n").encode()


def _written(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _read(text: str) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if _written(found) != text:
        raise BadInput("the envelope is not written as we write it", fix=FIX)
    return found


def _parsed(envelope: bytes) -> dict[str, Any]:
    """Return the envelope's fields; BadInput for any spelling but our own: other fields, order, blanks, doubles."""
    try:
        if len(envelope) > MOST:
            raise ValueError("too long")
        told = json.loads(envelope)
        signatures = told["signatures"]
        texts = [
            told["payload"],
            told["payloadType"],
            *(each[name] for each in signatures for name in ("keyid", "sig")),
        ]
        known = set(told) == {"payload", "payloadType", "signatures"} and isinstance(signatures, list)
        known = known and all(set(each) == {"keyid", "sig"} for each in signatures)
        if not known or not all(isinstance(text, str) for text in texts) or _text(told) != envelope:
            raise ValueError("not our spelling")
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadInput("the envelope is not written as we write it", fix=FIX) from None
    return dict(told)
