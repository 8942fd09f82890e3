"""Two Celery workers beside one: the same optimisation on one broker, its times, and whether its results are the same.

Everything is begun here and ended here: a scratch database beside the configured one, a home of its own, workers of
one process each. A worker may be killed on the way, as a machine that fails would be.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection

from models_ml.selectors.optimizations import optimizations
from sensequant import bench_data
from sensequant.lib.errors import BadInput, Failed
from trading.core import demo
from trading.core.bars import IST_OFFSET
from trading.services import markets

SYMBOLS: Final = tuple(sorted(demo.INSTRUMENTS))
DAYS: Final = ("2024-11-01", "2026-10-30")
KEPT: Final = (
    "role", "number", "digest", "params", "status", "metrics", "validation", "score", "feasible", "rank", "returns",
)  # fmt: skip
READY: Final = 120.0  # seconds a worker may take to say that it is ready
TOLD: Final = "told.log"  # what the driver and the workers say when something is wrong, in the home of the measurement
TICK: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Job:
    """What is searched: so many configurations over minute bars of the first ``symbols`` of the demo market."""

    trials: int = 400
    symbols: int = len(SYMBOLS)
    start: str = DAYS[0]

    def __post_init__(self) -> None:
        """Raise BadInput for a job that cannot be."""
        if self.trials < 10:
            raise BadInput(f"--trials {self.trials} is too few", fix="give 10 or more")
        if not 1 <= self.symbols <= len(SYMBOLS):
            raise BadInput(f"--symbols {self.symbols} cannot be had", fix=f"give 1 to {len(SYMBOLS)}")
        try:
            right = self.start < DAYS[1] and bool(dt.date.fromisoformat(self.start))
        except ValueError:
            right = False
        if not right:
            raise BadInput(f"--start-date {self.start} cannot be", fix=f"give a date before {DAYS[1]}")


@dataclass(frozen=True, slots=True)
class Played:
    """One optimisation: seconds by the clock, the driver's and each worker's seconds of processor, what came out."""

    workers: int
    seconds: float
    driver_cpu: float
    worker_cpu: list[float]
    trials: int
    digest: str
    killed: bool = False


def lacking() -> str:
    """Return what this desk lacks to measure it: PostgreSQL and a Redis that nobody uses; empty when nothing."""
    if connection.vendor != "postgresql" or not settings.DESK.redis_url:
        return "set DATABASE_URL to PostgreSQL and REDIS_URL to an empty database"
    import redis

    if redis.Redis.from_url(settings.DESK.redis_url).dbsize():  # a desk's own workers would take the work
        return f"the Redis database {urlsplit(settings.DESK.redis_url).path or '/0'} is in use: name an empty one"
    return ""


def measure(job: Job, *, kill: bool = False) -> list[Played]:
    """Return the optimisation by one worker and by two; with ``kill``, one more of which a worker is killed midway.

    Raises BadInput on a desk that lacks the servers.
    """
    if why := lacking():
        raise BadInput("two workers cannot be measured here", fix=why)
    with bench_data.scratch(f"desk_fleet_{os.getpid()}"), tempfile.TemporaryDirectory() as home:
        own = environment(home)
        _write(Path(home) / "bars", job)
        found = [_play(own, count, job) for count in (1, 2)]
        if kill:
            found.append(_play(own, 2, job, kill=True))
    return found


def summary(found: list[Played]) -> dict[str, Any]:
    """Return what the plays come to; ``by_processor`` is the speed-up their processor seconds allow on free cores."""
    one, two = found[:2]
    alone, shared = sum(one.worker_cpu), max(two.worker_cpu)
    return {
        "trials": one.trials,
        "speedup": round(one.seconds / two.seconds, 3),
        "by_processor": round((one.driver_cpu + alone) / (two.driver_cpu + shared), 3),
        "identical": len({each.digest for each in found}) == 1 and len({each.trials for each in found}) == 1,
        "plays": [
            {
                "workers": each.workers, "killed": each.killed, "seconds": round(each.seconds, 2),
                "driver_cpu": round(each.driver_cpu, 2), "worker_cpu": [round(x, 2) for x in each.worker_cpu],
                "trials": each.trials, "sha256": each.digest,
            } for each in found
        ],
    }  # fmt: skip


def _write(folder: Path, job: Job) -> None:
    """Write the generated market's minutes as files a desk reads."""
    folder.mkdir()
    for symbol in SYMBOLS[: job.symbols]:
        bars = markets.demo_bars(symbol, dt.date.fromisoformat(job.start), dt.date.fromisoformat(DAYS[1]), 1)
        stamps = (bars.ts + IST_OFFSET).astype("datetime64[s]").astype(str)
        lines = zip(stamps.tolist(), *(column.tolist() for column in bars.columns()[1:]), strict=True)
        text = "\n".join(",".join((stamp.replace("T", " "), *(f"{x:.2f}" for x in row))) for stamp, *row in lines)
        (folder / f"{symbol}_1m.csv").write_text(f"timestamp,open,high,low,close,volume\n{text}\n")


def environment(home: str) -> dict[str, str]:
    """Return what the children live in: the scratch database, a home of their own, and the kernels of this desk."""
    server = urlsplit(settings.DESK.database_url)
    name = str(connection.settings_dict["NAME"])
    told = {
        "DATABASE_URL": urlunsplit(server._replace(path=f"/{name}")), "SENSEQUANT_HOME": home, "ENV_FILE": os.devnull,
        "REDIS_URL": settings.DESK.redis_url,
    }  # fmt: skip
    return {**os.environ, **told}


def _play(own: dict[str, str], workers: int, job: Job, *, kill: bool = False) -> Played:
    """Let a fleet that has searched before, as one that runs all day has, do the job."""
    killed = not kill
    with _fleet(own, workers) as fleet:
        _clear()
        _end(_driver(own, replace(job, trials=10)), own)
        _clear()  # no play knows another's configurations
        idle, begun, children = [spent_by(each.pid) for each in fleet], time.perf_counter(), _of_children()
        driver = _driver(own, job)
        if kill:
            killed = _kill_midway(fleet[-1], driver, job.trials)
        _end(driver, own)
        if not killed:
            raise Failed("the optimisation was over before a worker could be killed", fix="give more --trials")
        seconds, used = time.perf_counter() - begun, _of_children() - children
        spent = [max(0.0, spent_by(each.pid) - before) for each, before in zip(fleet, idle, strict=True)]
        return Played(workers, seconds, used, spent, *_outcome(), killed=kill)


def _clear() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {optimizations().model._meta.db_table} CASCADE")


def _driver(own: dict[str, str], job: Job) -> subprocess.Popen[bytes]:
    words = [
        "optimize", "--csv", f"{own['SENSEQUANT_HOME']}/bars", "--symbols", *SYMBOLS[: job.symbols],
        "--strategy", "intraday", "--interval", "1minute", "--start-date", job.start, "--end-date", DAYS[1],
        "--search", "random", "--max-configs", str(job.trials), "--workers", "celery", "--json",
        "--telemetry-sample-rate", "0",
    ]  # fmt: skip
    return _begin(own, "manage.py", *words)


def _end(driver: subprocess.Popen[bytes], own: dict[str, str]) -> None:
    """Wait for an optimisation; Failed with its last words when it failed."""
    if driver.wait():
        said = (Path(own["SENSEQUANT_HOME"]) / TOLD).read_text(encoding="utf-8").strip().splitlines()
        raise Failed(f"the optimisation failed: {(said or ['no word why'])[-1]}")


def _begin(own: dict[str, str], *words: str) -> subprocess.Popen[bytes]:
    """Begin a process in a session of its own, so that it and its children can be ended together."""
    with (Path(own["SENSEQUANT_HOME"]) / TOLD).open("w" if words[0] == "manage.py" else "a", encoding="utf-8") as told:
        return subprocess.Popen(
            [sys.executable, *words], cwd=settings.BASE_DIR, env=own, stdout=subprocess.DEVNULL, stderr=told,
            start_new_session=True,
        )  # fmt: skip


@contextmanager
def _fleet(own: dict[str, str], workers: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Let ``workers`` Celery workers of one process each be there."""
    words = ("-m", "celery", "-A", "sensequant", "worker", "--queues", "celery", "--concurrency", "1")
    fleet = [_begin(own, *words, "--hostname", f"fleet{k}@%h") for k in range(workers)]
    try:
        _await(workers)
        yield fleet
    finally:
        for each in fleet:
            with suppress(ProcessLookupError):
                os.killpg(each.pid, signal.SIGKILL)
            each.wait()
        forget()


def _await(workers: int) -> None:
    from celery import current_app

    until = time.monotonic() + READY
    while len(current_app.control.ping(timeout=1.0)) < workers:
        if time.monotonic() > until:
            raise Failed(f"{workers} workers are not ready within {READY:.0f} seconds")


def forget() -> None:
    """Leave the Redis database as empty as it was."""
    import redis

    server = redis.Redis.from_url(settings.DESK.redis_url)
    for key in server.scan_iter():
        server.delete(key)


def _kill_midway(worker: subprocess.Popen[bytes], driver: subprocess.Popen[bytes], trials: int) -> bool:
    """Kill a worker when half of the configurations are tried; False when the driver ended before."""
    while sum(run.trials.exclude(status="waiting").count() for run in optimizations()) < trials // 2:
        if driver.poll() is not None:
            return False
        time.sleep(0.05)
    os.killpg(worker.pid, signal.SIGKILL)
    return True


def _outcome() -> tuple[int, str]:
    """Return how many configurations were tried, and the digest of everything that came out of them."""
    total, count = hashlib.sha256(), 0
    for run in optimizations():
        rows = run.trials.order_by("role", "number").values_list(*KEPT)
        for *plain, returns in rows:
            total.update(json.dumps(plain, sort_keys=True).encode() + bytes(returns or b""))
            count += plain[0] == "config" and plain[4] == "done"
        total.update(json.dumps([run.result, run.market, run.parts], sort_keys=True).encode())
    return count, total.hexdigest()


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def spent_by(pid: int) -> float:
    """Return the seconds of processor of a process and of those it began; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:13])) / TICK + sum(spent_by(int(each)) for each in below)
