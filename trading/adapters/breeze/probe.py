"""Whether the origin that stands for Breeze is a simulator, and what time it is there."""

from __future__ import annotations

import datetime as dt
import json
import time
import urllib.request
from dataclasses import dataclass
from typing import Any

from sensequant.lib.errors import Unavailable

TIMEOUT = 3.0
MOST = 1_000_000  # bytes of an answer


@dataclass(frozen=True, slots=True)
class SimulatedClock:
    """A market clock that read ``epoch`` (seconds UTC) when the monotonic clock read ``seen``, and runs at ``speed``.

    ``ended``: the data is over and the clock stands still.
    """

    epoch: float
    speed: float
    ended: bool
    seen: float

    def now(self) -> dt.datetime:
        """Return the market's moment, aware, UTC."""
        gone = 0.0 if self.ended else (time.monotonic() - self.seen) * self.speed
        return dt.datetime.fromtimestamp(self.epoch + gone, dt.UTC)


def health(origin: str) -> dict[str, Any]:
    """Return what ``origin`` says of itself; Unavailable when it does not answer in a readable way."""
    address = f"{origin}/healthz"
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT) as answer:  # noqa: S310 - http(s), checked by the settings
            body = json.loads(answer.read(MOST))
    except (OSError, ValueError) as error:
        fix = "start it, or mend BREEZE_BASE_URL (empty: ICICI's own hosts)"
        raise Unavailable(f"nothing readable answers at {address}: {error}", fix=fix) from None
    return body if isinstance(body, dict) else {}


def clock_of(origin: str) -> SimulatedClock | None:
    """Return the simulator's clock, or None when ``origin`` does not say it is one; Unavailable when it is silent."""
    before = time.monotonic()
    found = health(origin)
    if not found.get("simulator"):
        return None
    seen = (before + time.monotonic()) / 2.0
    try:
        clock = found["clock"]
        return SimulatedClock(float(clock["epoch"]), float(clock["speed"]), bool(clock["ended"]), seen)
    except (KeyError, TypeError, ValueError) as error:
        raise Unavailable(f"the simulator at {origin} tells no clock: {error}", fix="use one of this version") from None
