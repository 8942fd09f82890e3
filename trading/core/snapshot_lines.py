"""One day's sentiment of one symbol as a line of JSON, and from which moment on it was known.

The layout is ``<folder>/<SYMBOL>/<YYYY-MM-DD>.jsonl``, one object a line; a file's last line counts.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from trading.core.calendar import IST
from trading.core.errors import Invalid

SUFFIX: Final = ".jsonl"
FIELDS: Final = ("symbol", "date", "timestamp", "score", "confidence", "providers")


@dataclass(frozen=True, slots=True)
class SnapshotLine:
    """What was said of ``symbol`` on ``day`` (IST), as it was fetched at ``timestamp``; ``score`` −1 … 1."""

    symbol: str
    day: dt.date
    timestamp: dt.datetime
    score: float
    confidence: float
    providers: tuple[str, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def mock(self) -> bool:
        """Say whether it was made by a dry run and must not be believed."""
        return self.metadata.get("dryrun") is True

    @property
    def complete(self) -> bool:
        """Say whether it was fetched after its day was over."""
        return self.timestamp >= ends(self.day)

    @property
    def backfilled(self) -> bool:
        """Say whether nothing of its day was kept on the day itself."""
        return self.complete and not self.earlier

    @property
    def earlier(self) -> tuple[tuple[dt.datetime, float], ...]:
        """Return what stood here before the day was over: from when it was known, and its value."""
        told = self.metadata.get("earlier")
        return (
            tuple((_moment(at), math.nan if value is None else float(value)) for at, value in told)
            if isinstance(told, list)
            else ()
        )

    @property
    def points(self) -> tuple[tuple[dt.datetime, float], ...]:
        """Return the moments from which on its values may be used.

        What was fetched on its own day is known from then on, and what completed it within a day, from then on; later
        than that it is no news. A day that was fetched afterwards only holds what was published that day, so it counts
        as known when the day is over.
        """
        if not self.earlier:
            return ((min(self.timestamp, ends(self.day)), self.value),)
        late = self.timestamp >= ends(self.day + dt.timedelta(days=1))
        return self.earlier if late else (*self.earlier, (self.timestamp, self.value))

    def completing(self, before: SnapshotLine) -> SnapshotLine:
        """Return this line as what completes ``before``, which was fetched while the day went on."""
        past = [[_iso(at), None if math.isnan(value) else value] for at, value in before.points]
        return replace(self, metadata={**self.metadata, "earlier": past})

    @property
    def value(self) -> float:
        """Return the score, NaN when nobody had anything to say."""
        return self.score if self.providers and self.confidence > 0.0 else math.nan

    def line(self) -> str:
        """Return the JSON line, with its line end."""
        told = {
            "symbol": self.symbol, "date": self.day.isoformat(),
            "timestamp": _iso(self.timestamp), "score": round(self.score, 6),
            "confidence": round(self.confidence, 6), "providers": list(self.providers), "metadata": dict(self.metadata),
        }  # fmt: skip
        return json.dumps(told, ensure_ascii=False, allow_nan=False) + "\n"


def begins(day: dt.date) -> dt.datetime:
    """Return the first moment of a day at the exchange."""
    return dt.datetime(day.year, day.month, day.day, tzinfo=IST)


def ends(day: dt.date) -> dt.datetime:
    """Return the first moment after a day at the exchange."""
    return begins(day + dt.timedelta(days=1))


def read(text: str) -> SnapshotLine:
    """Return the last line of a snapshot file; Invalid says what is wrong with it."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise Invalid("the file is empty")
    try:
        told = json.loads(lines[-1])
    except (ValueError, RecursionError):
        raise Invalid(f"{lines[-1][:60]!r} is not JSON") from None
    if not isinstance(told, dict):
        raise Invalid(f"{lines[-1][:60]!r} is not a JSON object")
    if missing := [name for name in FIELDS if name not in told]:
        raise Invalid(f"it lacks {', '.join(missing)}")
    try:
        return _line(told)
    except (TypeError, ValueError, OverflowError) as error:
        raise Invalid(str(error)) from None


def _line(told: Mapping[str, Any]) -> SnapshotLine:
    timestamp = _moment(told["timestamp"])
    day = dt.date.fromisoformat(str(told["date"]))
    if timestamp < begins(day):
        raise Invalid(f"timestamp {told['timestamp']} lies before its date {day}")
    providers, metadata = told["providers"], told.get("metadata") or {}
    if not isinstance(providers, list) or not all(isinstance(name, str) for name in providers):
        raise Invalid(f"providers {providers!r} is not a list of names")
    if not isinstance(metadata, dict):
        raise Invalid(f"metadata {metadata!r} is not an object")
    found = SnapshotLine(
        str(told["symbol"]), day, timestamp, _number(told["score"], "score", -1.0),
        _number(told["confidence"], "confidence", 0.0), tuple(providers), metadata,
    )  # fmt: skip
    if any(not -1.0 <= value <= 1.0 for _, value in found.earlier if not math.isnan(value)):
        raise Invalid(f"metadata.earlier {metadata['earlier']!r} is out of bounds")
    return found


def _moment(text: Any) -> dt.datetime:
    """Return an ISO moment, at the exchange's clock when it has no offset."""
    found = dt.datetime.fromisoformat(str(text))
    return found if found.tzinfo else found.replace(tzinfo=IST)


def _iso(at: dt.datetime) -> str:
    return at.astimezone(IST).isoformat(timespec="seconds")


def _number(value: Any, name: str, least: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= 1.0:
        raise Invalid(f"{name} {value!r} is not a number from {least:g} to 1")
    return float(value)
