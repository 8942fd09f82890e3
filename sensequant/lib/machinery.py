"""How the machinery under the desk answers: the database, Redis, the queues of background jobs, the disk."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from functools import cache as cache_of_process
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection

from sensequant.lib import outage, paths
from sensequant.lib.logs import get_logger

if TYPE_CHECKING:
    import redis

SLOW = 250.0  # milliseconds a database may take to answer
PATIENCE = 1.0  # seconds Redis may take
LONG = 100  # jobs that may wait
FULL, VERY_FULL = 0.9, 0.97
_ABSENT = outage.Outage("Redis, which keeps the queues", get_logger("machinery"))
Level = str  # ok, warn, bad or off


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the machinery: how it is, in a level and in words, and what to do when it is not well."""

    name: str
    level: Level
    text: str
    fix: str = ""


def database() -> Part:
    """Ask the database for nothing, and say how long that took."""
    begun = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        fix = "is it running, and does DATABASE_URL name it?"
        return Part("database", "bad", f"does not answer: {str(error).strip()[:120]}", fix)
    took = (time.perf_counter() - begun) * 1e3
    slow = took > SLOW
    word = "SQLite" if connection.vendor == "sqlite" else "PostgreSQL"
    fix = "look at the machine's load and at long queries" if slow else ""
    return Part("database", "warn" if slow else "ok", f"{word} {took:.0f} ms", fix)


def waiting(names: tuple[str, ...]) -> dict[str, int] | str:
    """Return how many jobs wait in each Redis queue; why that is not known as text; nothing without Redis."""
    if not settings.DESK.redis_url:
        return {}
    if _ABSENT.resting():  # every page asks: one in five seconds waits for a Redis that hangs
        return _ABSENT.said
    import redis

    try:
        with _redis(settings.DESK.redis_url).pipeline(transaction=False) as asked:
            for name in names:
                asked.llen(name)
            found = dict(zip(names, map(int, asked.execute()), strict=True))
    except redis.RedisError as error:
        _ABSENT.noted(error)
        return _ABSENT.said
    _ABSENT.back()
    return found


@cache_of_process
def _redis(url: str) -> redis.Redis:
    """Return this process's way to Redis; making one reads every installed package's name, which takes 10 ms."""
    import redis

    return redis.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)


def queues(names: tuple[str, ...]) -> Part:
    """Say how many background jobs wait, and whether Redis, which keeps them, answers."""
    found = waiting(names)
    if isinstance(found, str):
        return Part("queue", "bad", f"Redis does not answer: {found}", "is it running, and does REDIS_URL name it?")
    if not found:
        return Part("queue", "ok", "in process")
    jobs = sum(found.values())
    fix = "start more workers, or look at why they do not take jobs" if jobs > LONG else ""
    return Part("queue", "warn" if jobs > LONG else "ok", f"{jobs} waiting" if jobs else "empty", fix)


def shared_memory() -> Part:
    """Say whether what processes share (the cache) answers."""
    if not settings.DESK.redis_url:
        return Part("redis", "off", "not used: one process does everything")
    begun = time.perf_counter()
    try:
        cache.get("alive")
    except Exception as error:  # noqa: BLE001 - whatever its client raises, it does not answer
        return Part(
            "redis", "bad", f"does not answer: {str(error)[:120]}", "is it running, and does REDIS_URL name it?"
        )
    return Part("redis", "ok", f"{(time.perf_counter() - begun) * 1e3:.0f} ms")


def disk() -> Part:
    """Say how full the disk of the desk's home is."""
    used = shutil.disk_usage(paths.standing(paths.home()))
    share = 1.0 - used.free / used.total
    level = "bad" if share >= VERY_FULL else "warn" if share >= FULL else "ok"
    fix = "move old archives away; look at logs/ and data/" if level != "ok" else ""
    return Part("disk", level, f"{share:.0%} used, {used.free / 1e9:.1f} GB free", fix)


def memory(process: int | None = None) -> float | None:
    """Return the megabytes a process of this machine (without one: this process) holds; None when it is not known."""
    try:
        pages = int(Path(f"/proc/{process or os.getpid()}/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


ALIVE = "background-jobs-alive"
AS_OLD_AS = 86_400  # seconds the sign is kept


def mark_alive(at: float) -> None:
    """Leave a sign that the schedule rings and a worker answers; ``at`` is seconds since the epoch."""
    cache.set(ALIVE, at, AS_OLD_AS)


def alive_at() -> float | None:
    """Return when the last sign was left; None when there is none, or nobody can be asked."""
    try:
        found = cache.get(ALIVE)
    except Exception:  # noqa: BLE001 - whatever its client raises, it does not answer
        return None
    return None if found is None else float(found)
