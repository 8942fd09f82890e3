"""One bounded GET for JSON: a deadline over everything, a cap on the size, no redirect, no proxy of the environment.

httpx is loaded when the first question is asked; a desk without providers never pays for it.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import functools
import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sensequant.lib import redact
from sensequant.lib.logs import get_logger
from trading.adapters.news.errors import KeyRefused, ProviderError, RateLimited, Refused, Transient, Unreadable

if TYPE_CHECKING:
    import httpx

MOST: Final = 2_000_000  # bytes of an answer
SAID: Final = 160  # characters of a refusal that are told
log = get_logger("news")


class Line:
    """A line to one provider, for one question; ``timeout`` (seconds) bounds each request as a whole."""

    def __init__(self, provider: str, client: httpx.Client, timeout: float) -> None:
        """Ask through ``client``."""
        self.provider, self.client, self.timeout = provider, client, timeout

    def get(self, url: str, params: Mapping[str, str], headers: Mapping[str, str], *, asked_at: dt.datetime) -> Any:
        """Return the JSON at ``url``; one of the provider errors says why there is none."""
        import httpx

        begun = time.monotonic()
        try:
            status, told, body = self._ask(url, params, headers, begun + self.timeout)
        except httpx.TimeoutException:
            raise Transient(self.provider, f"no answer within {self.timeout:g} s") from None
        except httpx.HTTPError as error:  # its words may carry the address, query and all
            raise Transient(self.provider, f"no connection ({type(error).__name__})") from None
        log.debug("answered", provider=self.provider, status=status, ms=round((time.monotonic() - begun) * 1e3, 1))
        if status != 200:
            raise refusal(self.provider, status, told, body, asked_at)
        return self._json(body)

    def _ask(
        self, url: str, params: Mapping[str, str], headers: Mapping[str, str], until: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        plain = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
        self.client._transport.until = until  # type: ignore[attr-defined]
        with self.client.stream("GET", url, params=dict(params), headers=plain) as answer:
            if answer.headers.get("content-encoding", "identity").lower() != "identity":
                raise Unreadable(self.provider, "a compressed answer, which was not asked for")
            body = bytearray()
            for piece in answer.iter_raw():
                body += piece
                if len(body) > MOST:
                    raise Unreadable(self.provider, f"an answer of more than {MOST:,} bytes")
            return answer.status_code, answer.headers, bytes(body)

    def _json(self, body: bytes) -> Any:
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise Unreadable(self.provider, "the answer is not JSON") from None


@contextmanager
def line(provider: str, timeout: float) -> Iterator[Line]:
    """Open a line to a provider and close it again."""
    import httpx

    from sensequant.lib.deadline import Bounded

    limits = httpx.Timeout(timeout)
    with httpx.Client(transport=Bounded(_ssl()), timeout=limits, follow_redirects=False, trust_env=False) as client:
        yield Line(provider, client, timeout)


@functools.cache
def _ssl() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def refusal(
    provider: str, status: int, headers: Mapping[str, str], body: bytes, asked_at: dt.datetime
) -> ProviderError:
    """Return what an HTTP status other than 200 means."""
    said = _said(body)
    told = f"HTTP {status}" + (f": {said}" if said else "")
    if status in (401, 403):
        return KeyRefused(provider, told, fix="check the key and what its plan allows")
    if status == 429:
        return RateLimited(provider, told, retry_after=wait_of(headers, asked_at))
    if status == 408 or status >= 500:
        return Transient(provider, told, retry_after=wait_of(headers, asked_at))
    if 300 <= status < 400:
        return Refused(provider, f"{told}: redirects are not followed", fix="name the endpoint it leads to")
    return Refused(provider, told, fix="check the endpoint" if status == 404 else "")


def wait_of(headers: Mapping[str, str], asked_at: dt.datetime) -> float:
    """Return how many seconds an answer asks to wait (Retry-After, or x-rate-limit-reset); 0 when it does not say."""
    text = headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text[:9])
    if text:
        with_zone = email.utils.parsedate_tz(text)
        return max(0.0, email.utils.mktime_tz(with_zone) - asked_at.timestamp()) if with_zone else 0.0
    reset = headers.get("x-rate-limit-reset", "").strip()
    return max(0.0, float(reset[:12]) - asked_at.timestamp()) if reset.isdigit() else 0.0


def _said(body: bytes) -> str:
    """Return the provider's own words about its refusal, in short and without secrets."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(told, dict):
        return ""
    words = next((told[key] for key in ("message", "detail", "title", "error") if isinstance(told.get(key), str)), "")
    return redact.text(" ".join(words.split()))[:SAID]
