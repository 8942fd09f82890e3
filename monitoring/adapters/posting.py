"""One bounded POST of JSON: five seconds for everything, 64 kB read, no redirect, no proxy of the environment."""

from __future__ import annotations

import functools
import json
import ssl
import time
from collections.abc import Mapping
from typing import Any

from monitoring.adapters.addresses import check, public_only
from monitoring.adapters.words import NotSent

SECONDS = 5.0
MOST = 65_536
RETRIED = (408, 425, 429)


def post(url: str, content: bytes, headers: Mapping[str, str], *, private: bool) -> bytes:
    """Return what the other side answered; NotSent says why it did not take it.

    What it said is never part of the error: it may be anybody's.
    """
    import httpx

    from sensequant.lib.deadline import Bounded

    transport = Bounded(_ssl(), None if private else public_only)
    transport.until = time.monotonic() + SECONDS
    plain = {"Content-Type": "application/json", "Accept-Encoding": "identity", **headers}
    try:
        with (
            httpx.Client(transport=transport, timeout=SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", check(url, private=private), content=content, headers=plain) as answer,
        ):
            said = bytearray()
            for piece in answer.iter_raw():
                said += piece
                if len(said) > MOST:
                    break
    except httpx.TimeoutException:
        raise NotSent(f"no answer within {SECONDS:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise NotSent(f"no connection ({type(error).__name__})") from None
    status = answer.status_code
    if not 200 <= status < 300:
        raise NotSent(f"HTTP {status}", permanent=status < 500 and status not in RETRIED)
    return bytes(said)


def as_json(said: bytes) -> dict[str, Any]:
    """Return an answer's JSON object; NotSent when it is none."""
    try:
        found = json.loads(said)
    except ValueError:
        raise NotSent("the answer is not JSON") from None
    if not isinstance(found, dict):
        raise NotSent("the answer is not what was expected")
    return found


@functools.cache
def _ssl() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def ping(url: str, *, private: bool) -> None:
    """Ask an address once, for nothing but that it was asked; NotSent when it did not answer well."""
    post(url, b"", {"Content-Length": "0"}, private=private)
