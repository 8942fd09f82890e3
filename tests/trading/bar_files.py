"""Small bar files, made on the spot."""

from __future__ import annotations

import datetime as dt
import gzip
import math
from dataclasses import dataclass, replace
from pathlib import Path

from trading.core.calendar import NSE

HEADER = "timestamp,open,high,low,close,volume"


@dataclass(frozen=True)
class Row:
    """One line of a file, before it is written."""

    time: dt.datetime
    open: float
    high: float
    low: float
    close: float
    volume: float | None = 1000

    def scaled(self, factor: float) -> Row:
        return replace(
            self, open=self.open * factor, high=self.high * factor, low=self.low * factor, close=self.close * factor
        )

    def text(self) -> str:
        volume = "" if self.volume is None else f"{self.volume:g}"
        prices = ",".join(f"{price:.2f}" for price in (self.open, self.high, self.low, self.close))
        return f"{self.time:%Y-%m-%d %H:%M:%S},{prices},{volume}"


def bar(time: dt.datetime, at: int, level: float = 500.0) -> Row:
    """A bar on a gentle wave around ``level``."""
    middle = level * (1 + 0.01 * math.sin(at / 7))
    return Row(time, middle, middle + 0.5, middle - 0.5, middle + 0.1)


def minutes(start: dt.date, end: dt.date, step: int = 1, level: float = 500.0) -> list[Row]:
    """Every bar of every session from ``start`` to ``end``, naive IST."""
    times = [
        (window.start + dt.timedelta(minutes=minute)).replace(tzinfo=None)
        for session in NSE.sessions(start, end)
        for window in session.windows
        for minute in range(0, int((window.end - window.start).total_seconds()) // 60, step)
    ]
    return [bar(time, at, level) for at, time in enumerate(times)]


def days(start: dt.date, end: dt.date, level: float = 500.0) -> list[Row]:
    """One bar for every session from ``start`` to ``end``."""
    sessions = NSE.sessions(start, end)
    return [bar(dt.datetime.combine(each.date, dt.time()), at, level) for at, each in enumerate(sessions)]


def csv_text(rows: list[Row], header: str = HEADER) -> str:
    return "\n".join([header, *(row.text() for row in rows)]) + "\n"


def write(path: Path, content: list[Row] | str) -> Path:
    """Write rows or text, gzipped when the name says so."""
    text = content if isinstance(content, str) else csv_text(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.name.endswith(".gz") else text.encode())
    return path
