"""What a person signs, and whether the signatures in a manifest are those it needs.

A signature is bound to a release's content, its audit and its flags, to the role, the decision and the words; so one
given for something else, or moved, doubled or dropped, is named without asking any database.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sensequant.lib import dsse, manifests

KIND: Final = "application/vnd.sensequant.sign-off+json"
ALGORITHM: Final = "ed25519:"


class Statement(NamedTuple):
    """All that one signature says; digests are SHA-256 in hex."""

    release_id: str
    content: str
    audit: str
    flags: str
    role: str
    decision: str
    name: str
    email: str
    note: str
    timestamp: str

    @property
    def text(self) -> bytes:
        """Return the bytes that are signed."""
        told = {"type": KIND, **self._asdict()}
        return json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()

    @property
    def evidence(self) -> str:
        """Return the SHA-256 of those bytes."""
        return hashlib.sha256(self.text).hexdigest()

    def signed(self, key: Ed25519PrivateKey) -> str:
        """Return the signature of ``key``, base64."""
        return signature(key, KIND, self.text)

    def holds(self, public: str, signature: str) -> bool:
        """Say whether ``signature`` is that of the key ``public``, both base64."""
        return holds(public, signature, KIND, self.text)


def signature(key: Ed25519PrivateKey, kind: str, text: bytes) -> str:
    """Return the signature of ``key`` over a text of that kind, base64."""
    return base64.b64encode(key.sign(dsse.encoding(kind, text))).decode()


def holds(public: str, signature: str, kind: str, text: bytes) -> bool:
    """Say whether ``signature`` is that of the key ``public`` over the text, both base64."""
    try:
        raw, given = base64.b64decode(public, validate=True), base64.b64decode(signature, validate=True)
    except ValueError:
        return False
    return dsse.holds(raw, given, kind, text)


def against(manifest: Mapping[str, Any], roles: Sequence[str], hours: int) -> list[str]:
    """Return what is wrong with a manifest's approvals, name by name; empty when all ``roles`` approved it."""
    given = manifest["approvals"]
    told = [problem for each in given for problem in _one(manifest, each, roles, hours)]
    for field, word in (("role", "role"), ("name", "person"), ("public_key", "key")):
        values = [each[field] for each in given]
        told += [f"{word} {value} signed twice" for value in sorted({v for v in values if values.count(v) > 1})]
    return told + [f"the approval of the {role} is missing" for role in roles if role not in _roles(given)]


def _roles(given: Sequence[Mapping[str, Any]]) -> set[str]:
    return {each["role"] for each in given}


def _one(manifest: Mapping[str, Any], each: Mapping[str, Any], roles: Sequence[str], hours: int) -> list[str]:
    who = f"the approval of the {each['role']} ({each['name']})"
    statement = Statement(
        manifest["release_id"], manifests.digest(manifests.core(manifest)), _hex(manifest["audit"]["bundle"]),
        _hex(manifest["audit"]["flags"]), each["role"], "approve", each["name"], each["email"], each["note"],
        each["timestamp"],
    )  # fmt: skip
    told = []
    if each["role"] not in roles:
        told.append(f"{who} is of a role that approves nothing")
    if each["name"] == manifest["author"]:
        told.append(f"{who} is the author's own")
    public, signature = each["public_key"].removeprefix(ALGORITHM), each["signature"].removeprefix(ALGORITHM)
    if _hex(each["evidence"]) != statement.evidence or not statement.holds(public, signature):
        told.append(f"{who} is not of this content, audit, role and words")
    age = _at(manifest["deployment"]["timestamp"]) - _at(each["timestamp"])
    if not dt.timedelta(0) <= age <= dt.timedelta(hours=hours):
        told.append(f"{who} was not given within {hours} hours before the manifest was written")
    return told


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
