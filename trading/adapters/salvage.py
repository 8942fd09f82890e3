"""History answers as rows to be judged: sound bars, or the broker's own words when some of them cannot be read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from sensequant.lib.errors import SenseQuantError
from trading.adapters.breeze.words import moment
from trading.core.bar_report import stamp
from trading.core.bar_rows import UNREADABLE, Rows
from trading.core.bars import Bars

PRICES: Final = ("open", "high", "low", "close")
ANSWER: Final = "breeze"
KEPT_TEXT: Final = 500


def of_bars(bars: Bars) -> Rows:
    """Return bars as rows, every one of them readable."""
    count = len(bars)
    never = np.zeros(count, np.bool_)
    return Rows(*bars.columns(), never, never, *_places(count), (ANSWER,))


def of_words(found: Sequence[Mapping[str, Any]]) -> Rows:
    """Return Breeze's rows, those that cannot be read marked as broken; each row is a file named by its own words."""
    parsed = [_parsed(row) for row in found]
    table = np.array([values for _, values in parsed], dtype=np.float64).reshape(-1, 5)
    ts = np.array([at for at, _ in parsed], dtype=np.int64)
    broken = (ts == UNREADABLE) | np.isnan(table).any(axis=1)
    count = len(parsed)
    texts = tuple(json.dumps(dict(row), default=str)[:KEPT_TEXT] for row in found)
    opens, highs, lows, closes, volumes = (np.ascontiguousarray(table[:, at]) for at in range(5))
    line, _ = _places(count)
    file, foreign = np.arange(count, dtype=np.int32), np.zeros(count, np.bool_)
    return Rows(ts, opens, highs, lows, closes, volumes, broken, foreign, line, file, texts)


def _places(count: int) -> tuple[Any, Any]:
    return np.arange(1, count + 1, dtype=np.int32), np.zeros(count, np.int32)


def _parsed(row: Mapping[str, Any]) -> tuple[int, tuple[float, ...]]:
    try:
        ts = int(moment(row.get("datetime")).timestamp())
    except SenseQuantError:
        ts = UNREADABLE
    return ts, tuple(_number(row.get(name)) for name in (*PRICES, "volume"))


def _number(value: Any) -> float:
    try:
        return float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return float("nan")


def numbered(rows: Rows, name: str) -> Rows:
    """Return the rows as lines 1, 2, … of one file ``name``; ``text(rows, line - 1)`` quotes them."""
    line, file = _places(len(rows))
    return replace(rows, line=line, file=file, files=(name,))


def text(rows: Rows, at: int) -> str:
    """Return row ``at`` as it is quoted: in Breeze's words where they were kept, as a line of CSV otherwise."""
    words = rows.files[int(rows.file[at])]
    if words != ANSWER:
        return words
    ts = int(rows.ts[at])
    when = "" if ts == UNREADABLE else stamp(ts)
    values = (rows.open, rows.high, rows.low, rows.close, rows.volume)
    return ",".join([when, *(f"{column[at]:g}" for column in values)])
