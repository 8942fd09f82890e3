"""A signed POST of the alert as JSON, to any address on the web.

``X-SenseQuant-Signature: t=<seconds>,v1=<hex>`` is HMAC-SHA256 over ``"<t>.<body>"``; receivers refuse a ``t`` older
than five minutes. ``Idempotency-Key`` is the same at every try.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from monitoring.adapters.posting import post
from monitoring.adapters.words import Message


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where to, with which headers, signed by which secret (empty: unsigned)."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: str = ""
    private: bool = False

    def send(self, message: Message, *, at: dt.datetime) -> str:
        """Post ``message``; NotSent when it was not taken."""
        body = json.dumps(message.body, ensure_ascii=False, sort_keys=True).encode()
        headers = {**self.headers, "Idempotency-Key": message.key}
        if self.secret:
            headers["X-SenseQuant-Signature"] = signature(self.secret, body, int(at.timestamp()))
        post(self.url, body, headers, private=self.private)
        return ""


def signature(secret: str, body: bytes, seconds: int) -> str:
    """Return the header's value."""
    mac = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={mac.hexdigest()}"
