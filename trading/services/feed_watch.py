"""What is wrong with the feed, told as conditions: raised when it begins, closed when it is over."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from typing import Final, Protocol

from trading.core.calendar import IST
from trading.services import conditions
from trading.services.live_day import LiveDay

STALE: Final = "feed-stale"
HALTED: Final = "share-halted"
DOWN: Final = "stream-down"
MISSING: Final = "bar-missing"
DIFFERS: Final = "bar-differs"
ENOUGH: Final = 5  # failures of the stream in a row that are no trouble yet
EVERY: Final = 10.0  # seconds after which what still holds is said again
FIX_DOWN: Final = "see the Broker page: the session may have been replaced by another login, or the line is down"


class Down(Protocol):
    """What is asked of a stream."""

    @property
    def state(self) -> str: ...  # noqa: D102
    @property
    def failures(self) -> int: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102


class FeedWatch:
    """Keeps the conditions of one feed."""

    def __init__(self, symbols: Sequence[str]) -> None:
        """Watch the lanes of these symbols; what an earlier life or day left open is closed at the first look."""
        self.symbols = list(symbols)
        self._held: set[tuple[str, str]] = set()
        self._said = 0.0
        self._live: LiveDay | None = None

    def look(self, live: LiveDay, stream: Down, *, at: dt.datetime) -> None:
        """Raise and close conditions as the day and the stream stand."""
        if live is not self._live:
            self._live, self._held = live, set()
            for code in (STALE, HALTED, DOWN, MISSING, DIFFERS):
                conditions.clear(code, at=at)
        found = self._wrong(live, stream)
        for code, subject in self._held - found.keys():
            conditions.clear(code, at=at, subject=subject)
        again = time.monotonic() - self._said >= EVERY
        for (code, subject), (level, message, fix) in found.items():
            if again or (code, subject) not in self._held:
                conditions.hold(code, subject=subject, level=level, message=message, fix=fix, at=at)
        self._said = time.monotonic() if again else self._said
        self._held = set(found)
        self._tell(live, at=at)

    def _wrong(self, live: LiveDay, stream: Down) -> dict[tuple[str, str], tuple[str, str, str]]:
        """Return what holds now: (code, subject) → level, message, fix."""
        mono, fresh = time.monotonic(), live.fresh
        stale = [lane for lane in range(len(self.symbols)) if fresh.stale(lane, mono)]
        found = {}
        if stream.failures > ENOUGH and stream.state != "waiting":  # that nobody has logged in is told by the session
            message = f"the stream failed {stream.failures} times in a row: {stream.reason}"
            found[DOWN, ""] = ("bad", message, FIX_DOWN)
        if stale and len(stale) == len(self.symbols):
            message = f"no symbol has had news for {fresh.limit:g} seconds; entries are blocked"
            found[STALE, ""] = ("bad", message, FIX_DOWN)
            return found
        for lane in stale:
            symbol, halted = self.symbols[lane], fresh.halted(lane, mono)
            word = "stands still while others trade" if halted else f"has had no news for {fresh.limit:g} seconds"
            found[HALTED if halted else STALE, symbol] = ("warn", f"{symbol} {word}; its entries are blocked", "")
        return found

    def _tell(self, live: LiveDay, *, at: dt.datetime) -> None:
        """Tell, once each, of bars that were given up and of bars that history sees otherwise."""
        for lane, start, why in live.missing:
            message = f"the {_clock(start)} bar of {self.symbols[lane]} is missing: {why}"
            conditions.hold(MISSING, subject=self.symbols[lane], level="warn", message=message, at=at)
        for lane, ours, theirs in live.differing:
            message = (
                f"the {_clock(ours.start)} bar of {self.symbols[lane]} was decided on as {ours[1:6]}; "
                f"history has {theirs[1:6]}"
            )
            conditions.hold(DIFFERS, subject=self.symbols[lane], level="info", message=message, at=at)
        live.missing.clear()
        live.differing.clear()


def _clock(ts: int) -> str:
    return dt.datetime.fromtimestamp(ts, IST).strftime("%H:%M")
