"""What readers cost the engine: a bar and its picture with nobody on the live page, and with fifty readers of it.

The engine runs in this process and publishes four times a second, as the desk's does; a web process of its own serves
the sockets over PostgreSQL and Redis, and the readers, one of which hardly reads, are a third. Stretches without and
with readers take turns, so that a machine that slows down slows both.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

import numpy as np
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client

from sensequant import bench_data
from sensequant.fleet_bench import environment, forget, lacking, spent_by
from sensequant.lib import broadcast
from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput, Failed
from trading.consumers import MOST_SOCKETS
from trading.services import desk_benches
from trading.services.desk_benches import Moments

NAME: Final = "SOCK"
READERS: Final = 50
PACE: Final = 0.25  # seconds between two pictures
SECONDS: Final = 12.0  # of a stretch
ROUNDS: Final = 3  # stretches without readers, and as many with them
READY: Final = 60.0  # seconds the web process and the readers may take to begin
NOISE: Final = 0.05  # what differs less is not measurable, even where the stretches agree better
ALLOWED: Final = {"delivered_p95": 1_000.0}  # milliseconds from the engine's picture to the reader


@dataclass(slots=True)
class Stretch:
    """Milliseconds: of processor a bar, of each moment's bars, of each publication; when each version was published."""

    cpu: float = 0.0
    bars: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)
    published: dict[int, float] = field(default_factory=dict)
    arrived: list[tuple[int, float]] = field(default_factory=list)
    web: float = 0.0  # seconds of the web process' processor


def measure(seconds: float = SECONDS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Return what a bar and a picture cost without and with readers; BadInput on a desk that lacks the servers."""
    if why := lacking():
        raise BadInput("readers of another process cannot be measured here", fix=why)
    alone, read = [], []
    with bench_data.scratch(f"desk_sockets_{os.getpid()}"), tempfile.TemporaryDirectory() as home:
        own = {**environment(home), "SECRET_KEY": settings.SECRET_KEY}  # by which sessions are signed
        try:
            moments = desk_benches.shown()
            cookies = _cookies()
            with _web(own) as (pid, port):
                _play(moments, 2.0)
                for _ in range(rounds):
                    alone.append(_play(moments, seconds))
                    read.append(_watched(own, port, pid, cookies, moments, seconds))
        finally:
            broadcast.drain(1.0)
            forget()
    return _told(alone, read)


def _told(alone: list[Stretch], read: list[Stretch]) -> dict[str, Any]:
    waited = [1e3 * (at - each.published[number]) for each in read
              for number, at in each.arrived if number in each.published]  # fmt: skip
    cpu = [[each.cpu for each in part] for part in (alone, read)]
    usual, spread = median(cpu[0]), max(cpu[0]) - min(cpu[0])
    told: dict[str, float] = {"cpu_alone_ms": usual, "cpu_read_ms": median(cpu[1]), "cpu_spread_ms": spread}
    for name, part in (("alone", alone), ("read", read)):
        for what in ("bars", "pictures"):
            middle, worst = np.percentile([ms for each in part for ms in getattr(each, what)], (50, 99)).tolist()
            told |= {f"{what}_{name}_p50_ms": middle, f"{what}_{name}_p99_ms": worst}
    told |= dict(zip(("delivered_p50_ms", "delivered_p95_ms"), np.percentile(waited, (50, 95)).tolist(), strict=True))
    allowed = {**ALLOWED, "cpu_read": round(usual + max(spread, NOISE * usual), 5)}
    sent = sum(len(each.published) for each in read) * (READERS - 1)
    return {
        "seconds": usual / 1e3, **{name: round(value, 5) for name, value in told.items()},
        "readers": READERS, "cost_percent": round(100.0 * (told["cpu_read_ms"] / usual - 1.0), 2),
        "arrived_share": round(len(waited) / sent, 4),
        "core_percent": round(100.0 * (told["cpu_read_ms"] - usual) * desk_benches.LANES / (1e3 * PACE), 3),
        "web_percent": round(100.0 * sum(each.web for each in read) / PACE / sum(len(each.bars) for each in read), 1),
        "allowed_ms": allowed, "slow": [name for name, most in allowed.items() if told[f"{name}_ms"] > most],
    }  # fmt: skip


def _play(moments: Moments, seconds: float) -> Stretch:
    """Give the engine a moment's bars and publish its picture, four times a second."""
    found, count = Stretch(), 0
    begun, used = time.perf_counter(), time.process_time()
    for tick in range(round(seconds / PACE)):
        picture, ts, rows = next(moments)
        at = time.perf_counter()
        step = picture.engine.step(ts, rows)
        picture.moved(ts + 60, happened=bool(step.happenings))
        stepped = time.perf_counter()
        found.published[picture.version + 1] = time.monotonic()
        picture.publish(at=now())
        found.bars.append(1e3 * (stepped - at) / max(1, len(rows)))
        found.pictures.append(1e3 * (time.perf_counter() - stepped))
        count += len(rows)
        time.sleep(max(0.0, begun + (tick + 1) * PACE - time.perf_counter()))
    found.cpu = 1e3 * (time.process_time() - used) / count
    return found


def _watched(own: dict[str, str], port: int, web: int, cookies: list[str], moments: Moments, seconds: float) -> Stretch:
    """Play a stretch while fifty readers look on."""
    place = f"127.0.0.1:{port}"
    scheme = "https" if settings.DESK.behind_https else "http"
    words = [sys.executable, "-m", "sensequant.socket_readers", f"ws://{place}/ws/live/", f"{scheme}://{place}"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=settings.BASE_DIR, env=own, stdin=pipe, stdout=pipe, text=True) as readers:
        if readers.stdin is None or readers.stdout is None:
            raise Failed("the readers have no pipe")
        readers.stdin.write(json.dumps(cookies) + "\n")
        readers.stdin.flush()
        _ready(readers)
        used = spent_by(web)
        found = _play(moments, seconds)
        found.web = spent_by(web) - used
        time.sleep(2 * PACE)  # the last picture is on its way
        readers.stdin.close()
        found.arrived = json.loads(readers.stdout.readline())
    return found


def _ready(readers: subprocess.Popen[str]) -> None:
    if readers.stdout is None or readers.stdout.readline().strip() != "ready":
        readers.kill()
        raise Failed("the readers were not let in", fix="look at what they printed above")


def _cookies() -> list[str]:
    """Return a cookie header for each reader: as few people as may have so many sockets open."""
    people = -(-READERS // (MOST_SOCKETS - 1))
    found = []
    for number in range(people):
        client = Client()
        user = get_user_model().objects.create_user(f"reader{number}")
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        found.append("; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items()))
    return [found[k % people] for k in range(READERS)]


@contextmanager
def _web(own: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Serve the desk in a process of its own; give its number and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    words = [sys.executable, "-m", "uvicorn", "sensequant.asgi:application", "--port", str(port), "--no-access-log",
             "--log-level", "error"]  # fmt: skip
    web = subprocess.Popen(words, cwd=settings.BASE_DIR, env=own)
    try:
        _answers(web, f"http://127.0.0.1:{port}/healthz")
        yield web.pid, port
    finally:
        web.terminate()
        try:
            web.wait(10)
        except subprocess.TimeoutExpired:
            web.kill()
            web.wait()


def _answers(web: subprocess.Popen[bytes], address: str) -> None:
    until = time.monotonic() + READY
    while time.monotonic() < until and web.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - our own
                return
        except OSError:
            time.sleep(0.1)
    raise Failed(f"the web process does not answer at {address}")
