"""What two people sign who waive one open flag of one audit, and whether the waivers in a manifest are such."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sensequant.lib import approvals
from sensequant.lib.approvals import ALGORITHM

KIND: Final = "application/vnd.sensequant.waiver+json"


class Waived(NamedTuple):
    """All that one signature says: of which audit and flag (SHA-256 in hex), who, in which role, why, until when."""

    audit: str
    flags: str
    flag: str
    code: str
    role: str
    name: str
    email: str
    reason: str
    expires_at: str
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
        return approvals.signature(key, KIND, self.text)

    def holds(self, public: str, signature: str) -> bool:
        """Say whether ``signature`` is that of the key ``public``, both base64."""
        return approvals.holds(public, signature, KIND, self.text)


def against(manifest: Mapping[str, Any], roles: Sequence[str], at: dt.datetime | None) -> Iterator[str]:
    """Yield what is wrong with a manifest's waivers; ``at`` None asks for no expiry, no ``roles`` for no role."""
    given = manifest.get("waivers", ())
    for each in given:
        yield from _one(manifest, each, at)
    for flag in dict.fromkeys(each["flag"] for each in given) if roles else ():
        mine = [each for each in given if each["flag"] == flag]
        people = {each["name"] for each in mine} | {each["public_key"] for each in mine}
        if sorted(each["role"] for each in mine) != sorted(roles) or len(people) != 2 * len(roles):
            yield f"the waiver of {mine[0]['code']} is not of one {' and one '.join(roles)}"


def _one(manifest: Mapping[str, Any], each: Mapping[str, Any], at: dt.datetime | None) -> Iterator[str]:
    who = f"the waiver of {each['code']} by the {each['role']} ({each['name']})"
    hexed = {name: each[name].removeprefix("sha256:") for name in ("flag", "evidence")}
    audit = {name: manifest["audit"][name].removeprefix("sha256:") for name in ("bundle", "flags")}
    statement = Waived(
        audit["bundle"], audit["flags"], hexed["flag"],
        *(each[name] for name in ("code", "role", "name", "email", "reason", "expires_at", "timestamp")),
    )  # fmt: skip
    public, signature = each["public_key"].removeprefix(ALGORITHM), each["signature"].removeprefix(ALGORITHM)
    if hexed["evidence"] != statement.evidence or not statement.holds(public, signature):
        yield f"{who} is not of this audit, flag, role and words"
    if each["name"] == manifest["author"]:
        yield f"{who} is the author's own"
    if at is not None and at > dt.datetime.fromisoformat(each["expires_at"]):
        yield f"{who} expired on {each['expires_at']}"
