"""Timestamps as vendors write them, a column at a time."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from trading.core.bars import Ints

BAD: Final = np.iinfo(np.int64).min
ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}\Z")
OFFSET: Final = re.compile(r"(?:Z|UTC|(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2}))\Z")
NUMBER: Final = re.compile(r"\d{9,13}\Z")
LOCAL: Final = re.compile(
    r"(?P<day>[^ T,]+?)(?:[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d{1,9})?)?)?\s*\Z"
)
DAYS: Final = ("%Y-%m-%d", "%d-%b-%Y", "%d-%m-%Y", "%d/%m/%Y", "%Y/%m/%d", "%Y%m%d", "%d-%b-%y", "%d-%B-%Y")
EPOCH: Final = dt.date(1970, 1, 1).toordinal()
MILLISECONDS: Final = 100_000_000_000


def parse(texts: Sequence[str]) -> tuple[Ints, Ints]:
    """Return wall-clock seconds since 1970 and the written offset in seconds; ``BAD`` where there is none.

    Accepted: ISO 8601 with or without offset, ``21-Jan-2019`` and other Indian day-first dates, dates alone, seconds
    or milliseconds since 1970 (offset 0). A fraction of a second is cut off. A naive time has the offset ``BAD``.
    """
    fast = _iso_column(texts)
    if fast is not None:
        return fast
    pairs = np.array([one(text) for text in texts], dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def _iso_column(texts: Sequence[str]) -> tuple[Ints, Ints] | None:
    """Parse a column that is ISO throughout, with one offset or none; return None for anything else."""
    if not texts or not ISO.match(texts[0][:19]):
        return None
    endings = {text[19:] for text in texts}
    if len(endings) != 1:
        return None
    offset = _offset(endings.pop())
    if offset is None:
        return None
    try:
        wall = np.array([text[:19] for text in texts], dtype="datetime64[s]").astype(np.int64)
    except ValueError:
        return None
    return wall, np.full(wall.size, offset, dtype=np.int64)


def one(text: str) -> tuple[int, int]:
    """Parse a single timestamp as ``parse`` does."""
    text = text.strip()
    if NUMBER.match(text):
        number = int(text)
        return (number // 1000 if number >= MILLISECONDS else number), 0
    found = OFFSET.search(text) if ":" in text else None
    offset = _offset(found.group()) if found else BAD
    wall = _wall(text[: found.start()].strip() if found else text)
    return (BAD, BAD) if wall is None or offset is None else (wall, offset)


def _offset(text: str) -> int | None:
    """Return an offset in seconds, ``BAD`` for none, None for one that cannot be read."""
    if not text:
        return BAD
    found = OFFSET.match(text)
    if not found:
        return None
    if not found["sign"]:
        return 0
    seconds = int(found["hours"]) * 3600 + int(found["minutes"]) * 60
    return -seconds if found["sign"] == "-" else seconds


def _wall(text: str) -> int | None:
    found = LOCAL.match(text)
    day = _day(found["day"]) if found else None
    if found is None or day is None:
        return None
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    if hour > 23 or minute > 59 or second > 59:
        return None
    return day * 86_400 + hour * 3600 + minute * 60 + second


@lru_cache(maxsize=8192)
def _day(text: str) -> int | None:
    """Return days since 1970 of a written date, None when it is none."""
    for form in DAYS:
        try:
            return dt.datetime.strptime(text, form).date().toordinal() - EPOCH  # noqa: DTZ007 - a date has no zone
        except ValueError:
            continue
    return None
