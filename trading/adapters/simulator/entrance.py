"""Who may come in: the daily session, the signature of every request, and how often somebody may ask."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

INVALID_SESSION: Final = "Invalid session."
EXPIRED: Final = "Resource not available."
NO_KEY: Final = "Public Key does not exist."
BAD_CHECKSUM: Final = "Authentication Fail :: Invalid Checksum."
MINUTE_SPENT: Final = "Limit exceed: API call per minute:Try after some time"
DAY_SPENT: Final = "Limit exceed: API call per day: "
SECOND_SPENT: Final = "Limit exceed: Order request per second:Try after some time"
SKEW_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client needs to know."""

    api_key: str
    api_secret: str
    user_id: str = "SIM00001"
    api_session: str = "12345678"


class Entrance:
    """The one session of the one account; a later login ends the earlier one."""

    def __init__(self, credentials: Credentials) -> None:
        """Begin with the session of the credentials, as if somebody had logged in this morning."""
        self.credentials = credentials
        self.api_session = credentials.api_session
        self.expired = False

    @property
    def session_key(self) -> str:
        """Return the key the session goes by; the same for the same session, so that a restart keeps it."""
        told = f"{self.credentials.api_secret}\n{self.api_session}"
        return sha256(told.encode()).hexdigest()[:20]

    @property
    def token(self) -> str:
        """Return ``X-SessionToken``: base64 of user and key."""
        return base64.b64encode(f"{self.credentials.user_id}:{self.session_key}".encode()).decode()

    def log_in(self) -> str:
        """Begin a new session and return its number; the one before is over."""
        before = self.api_session
        while self.api_session == before:
            self.api_session = str(10_000_000 + secrets.randbelow(89_999_999))
        self.expired = False
        return self.api_session

    def resume(self, api_session: str, *, expired: bool) -> None:
        """Go on with a session as it was left."""
        self.api_session, self.expired = api_session, expired

    def customer(self, api_session: str, api_key: str) -> str:
        """Return why customerdetails refuses, or an empty text."""
        if not _same(api_key, self.credentials.api_key):
            return NO_KEY
        if not _same(api_session, self.api_session):
            return INVALID_SESSION
        return EXPIRED if self.expired else ""

    def bearer(self, token: str, api_key: str) -> str:
        """Return why a session token is refused, or an empty text."""
        if not _same(api_key, self.credentials.api_key):
            return NO_KEY
        if not _same(token, self.token):
            return INVALID_SESSION
        return EXPIRED if self.expired else ""

    def socket(self, user: str, key: str) -> bool:
        """Say whether a socket may connect with this user and key."""
        return _same(user, self.credentials.user_id) and _same(key, self.session_key) and not self.expired

    def signed(self, headers: Mapping[str, str], body: bytes, at: float) -> bool:
        """Say whether the checksum is right and its time near ``at`` (seconds UTC by the wall clock)."""
        stamp = headers.get("x-timestamp", "")
        told = stamp.encode() + body + self.credentials.api_secret.encode()
        try:
            moment = dt.datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.000Z").replace(tzinfo=dt.UTC)
        except ValueError:
            return False
        right = _same(headers.get("x-checksum", ""), "token " + sha256(told).hexdigest())
        return right and abs(moment.timestamp() - at) <= SKEW_SECONDS


def _same(given: object, known: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(), known.encode())


class Quota:
    """ICICI's limits: calls a minute, calls a day, order requests a second."""

    def __init__(self, *, minute: int, day: int, orders: int, monotonic: Callable[[], float]) -> None:
        """Take the three limits and a clock that only moves forward, in seconds."""
        self._limits = (minute, day, orders)
        self._clock = monotonic
        self._calls: deque[float] = deque()
        self._orders: deque[float] = deque()
        self._today = 0

    def new_day(self) -> None:
        """Forget the day's calls."""
        self._today = 0

    def spend(self, *, order: bool) -> str:
        """Count a call and return an empty text, or why it is refused; a refused call counts for nothing."""
        now = self._clock()
        for recent, span in ((self._calls, 60.0), (self._orders, 1.0)):
            while recent and recent[0] <= now - span:
                recent.popleft()
        minute, day, orders = self._limits
        if order and len(self._orders) >= orders:
            return SECOND_SPENT
        if self._today >= day:
            return DAY_SPENT
        if len(self._calls) >= minute:
            return MINUTE_SPENT
        self._calls.append(now)
        self._today += 1
        if order:
            self._orders.append(now)
        return ""
