"""What was spent of a minute, counted for all processes; while Redis is away each process counts for itself."""

from __future__ import annotations

import datetime as dt

from django.core.cache import BaseCache, cache, caches

from sensequant.lib import outage
from sensequant.lib.logs import get_logger

log = get_logger("counting")
KEPT = 120  # seconds: a minute's count, until the next one is over
ALONE = "process"  # the cache of this process
_ABSENT = outage.Outage("the cache that counts requests", log)


def spend(name: str, price: int = 1, *, at: dt.datetime) -> int:
    """Count ``price`` in this minute of ``name`` and return what is spent of it."""
    key = f"{name}-{int(at.timestamp()) // 60}"
    if _ABSENT.resting():  # a Redis that hangs costs one request in five seconds its half second, not every one
        return _add(caches[ALONE], key, price)
    try:
        spent = _add(cache, key, price)
    except Exception as error:
        if not outage.is_outage(error):
            raise
        _ABSENT.noted(error)
        return _add(caches[ALONE], key, price)
    _ABSENT.back()
    return spent


def _add(where: BaseCache, key: str, price: int) -> int:
    where.add(key, 0, timeout=KEPT)
    try:
        return int(where.incr(key, price))
    except ValueError:  # the cache dropped the key in between
        return price
