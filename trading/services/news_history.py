"""What was known of a symbol's news at each bar's end: the scores the desk kept, and daily snapshots.

A score counts from two seconds after it was made, so that an engine that looked at the bar's end and a replay of that
bar see the same. What is older than a day counts for nothing.
"""

from __future__ import annotations

import bisect
import datetime as dt
import functools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from django.conf import settings

from sensequant.lib import paths
from sensequant.lib.logs import get_logger
from trading.core import snapshot_lines
from trading.core.bars import DAY, IST_OFFSET
from trading.core.calendar import Calendar
from trading.core.errors import Invalid
from trading.core.panel import NOTHING, Floats, Ints, heard
from trading.core.snapshot_lines import SnapshotLine
from trading.models.sentiment import SentimentScore

SETTLED: Final = dt.timedelta(seconds=2)
MEMORY: Final = 86_400  # seconds
log = get_logger("sentiment")
News = tuple[int, float]  # seconds UTC from which on it counts, value or NaN


def sentiment(symbol: str, ts: Ints, minutes: int, *, calendar: Calendar, segment: str = "equity") -> Floats:
    """Return the sentiment known at the end of each bar that starts at ``ts``; empty when none ever was.

    A bar of a day ends with its session, for that is when it is decided on.
    """
    if not ts.size:
        return NOTHING
    ends = ts + minutes * 60 if minutes < DAY else _closes(ts, calendar, segment)
    news = between(symbol, int(ends[0]) - MEMORY, int(ends[-1]))
    return heard(ends, news, memory=MEMORY) if news else NOTHING


def between(symbol: str, first: int, last: int) -> list[News]:
    """Return the symbol's news that count from a moment in [first, last] (seconds UTC) on, oldest first.

    A snapshot that was fetched after its day says what the desk did not know then; where the desk kept scores of its
    own, they alone count.
    """
    kept = _scores(symbol, first - MEMORY, last)
    times = [at for at, _ in kept]
    found = [each for each in kept if each[0] >= first]
    for known, value, backfilled in _snapshots(symbol, first, last):
        before = bisect.bisect_right(times, known)
        if not (backfilled and before and known - times[before - 1] <= MEMORY):
            found.append((known, value))
    return sorted(found, key=lambda each: each[0])


def _scores(symbol: str, first: int, last: int) -> list[News]:
    span = (_moment(first) - SETTLED, _moment(last) - SETTLED)
    rows = SentimentScore.objects.filter(symbol=symbol, at__range=span).order_by("at", "id")
    return [(counts_from(at), math.nan if value is None else value) for at, value in rows.values_list("at", "value")]


def counts_from(at: dt.datetime) -> int:
    """Return the second from which on a score that was made at ``at`` counts."""
    return math.ceil((at + SETTLED).timestamp())


def _snapshots(symbol: str, first: int, last: int) -> Iterator[tuple[int, float, bool]]:
    """Yield from when each snapshot counts, its value, and whether it was fetched after its day only."""
    day = _moment(first + IST_OFFSET).date() - dt.timedelta(days=3)
    until = _moment(last + IST_OFFSET).date()
    files = on_disk(symbol)
    for each in sorted(files):
        if not day <= each <= until:
            continue
        line = read(files[each])
        for at, value in line.points if line is not None and not line.mock else ():
            if first <= (known := math.ceil(at.timestamp())) <= last:
                yield known, value, line is not None and line.backfilled


def folder() -> Path:
    """Return where snapshots lie."""
    return paths.resolve(settings.DESK.sentiment_snapshot_output_dir)


def on_disk(symbol: str) -> dict[dt.date, Path]:
    """Return the snapshot files of a symbol by their day."""
    place = folder() / symbol
    try:
        return dict(_listed(place, place.stat().st_mtime_ns))
    except OSError:
        return {}


@functools.lru_cache(maxsize=256)
def _listed(place: Path, _: int) -> tuple[tuple[dt.date, Path], ...]:
    found = []
    for file in place.glob(f"*{snapshot_lines.SUFFIX}"):
        try:
            found.append((dt.date.fromisoformat(file.stem), file))
        except ValueError:
            log.warning("a snapshot's name is no date", path=str(file))
    return tuple(found)


def read(file: Path) -> SnapshotLine | None:
    """Return the snapshot in a file; None, said once for each state of it, when it cannot be believed."""
    try:
        return _read(file, file.stat().st_mtime_ns)
    except OSError:
        return None


@functools.lru_cache(maxsize=4_096)
def _read(file: Path, _: int) -> SnapshotLine | None:
    try:
        line = snapshot_lines.read(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, Invalid) as error:
        log.warning("a snapshot is not believed", path=str(file), error=str(error))
        return None
    if (line.symbol, line.day.isoformat()) != (file.parent.name, file.stem):
        log.warning("a snapshot is not believed", path=str(file), error=f"it is of {line.symbol} on {line.day}")
        return None
    return line


def _closes(ts: Ints, calendar: Calendar, segment: str) -> Ints:
    """Return when the session of each daily bar closes; a day without one closes at its end."""
    days = (ts + IST_OFFSET) // 86_400
    found = []
    for day in days.tolist():
        session = calendar.session(dt.date(1970, 1, 1) + dt.timedelta(days=day), segment)
        found.append(int(session.close.timestamp()) if session else (day + 1) * 86_400 - IST_OFFSET)
    return np.array(found, np.int64)


def _moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
