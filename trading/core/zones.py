"""Wall clocks and instants: whole columns of them, in any time zone."""

from __future__ import annotations

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from trading.core.bars import IST_OFFSET, Ints
from trading.core.errors import Invalid

_FIXED: Final = {"Asia/Kolkata": IST_OFFSET, "UTC": 0}
CANDIDATES: Final = ("Asia/Kolkata", "UTC", "America/New_York", "Europe/London", "Asia/Singapore")
_HOUR: Final = 3600


def zone(name: str) -> ZoneInfo:
    """Return the time zone called ``name``; raise ``Invalid`` for an unknown one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"time zone {name!r} is not known: write a name such as {' or '.join(_FIXED)}") from None


def to_utc(local: Ints, name: str) -> Ints:
    """Return wall-clock seconds read in the zone ``name`` as seconds UTC (a repeated hour is its first)."""
    if name in _FIXED:
        return local - _FIXED[name]
    where = zone(name)
    hours, inverse = np.unique(local // _HOUR, return_inverse=True)
    offsets = np.array([_offset(int(hour), where) for hour in hours], dtype=np.int64)
    return local - offsets[inverse]


def _offset(hour: int, where: ZoneInfo) -> int:
    wall = dt.datetime(1970, 1, 1, tzinfo=where) + dt.timedelta(hours=hour)
    offset = wall.utcoffset() or dt.timedelta(0)
    return int(offset.total_seconds())
