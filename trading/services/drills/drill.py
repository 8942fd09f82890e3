"""Many scenarios, played in a few processes at once, and what they come to together."""

from __future__ import annotations

import datetime as dt
import json
import os
import select
import shutil
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.db import connections

from trading.services.drills import catalogue, checks, stores, venue
from trading.services.drills.children import Child
from trading.services.drills.plans import Plan

KINDS: Final = (checks.DUPLICATE, checks.LOST, checks.POSITION, checks.OPEN_INTENT, checks.OTHER)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to play: ``count`` scenarios, the first by ``seed``, on the database of ``url``; ``only`` some names."""

    count: int
    seed: int
    url: str = ""
    jobs: int = 2
    only: tuple[str, ...] = ()


def plans(wanted: Wanted, *, redis: bool) -> list[Plan]:
    """Return the scenarios to play; NotFound for an unknown name."""
    postgres = wanted.url.startswith("postgres")
    names = list(wanted.only) or catalogue.names(postgres=postgres, redis=redis)
    return [catalogue.plan(names[k % len(names)], wanted.seed + k) for k in range(wanted.count)]


def play(wanted: Wanted, *, at: dt.datetime) -> Iterator[dict[str, Any]]:
    """Yield the outcome of every scenario as it ends."""
    todo = plans(wanted, redis=shutil.which("redis-server") is not None)
    folder = Path(tempfile.mkdtemp(prefix="fault-drill-"))
    jobs: list[Child] = []
    store = None
    before = signal.signal(signal.SIGTERM, _stop)  # databases are dropped whoever ends the drill
    try:
        _warm()
        venue.bars(folder / "market", dates := venue.days(at))
        store = stores.of(wanted.url, folder)
        for number in range(max(1, min(wanted.jobs, len(todo)))):
            mine = todo[number :: wanted.jobs]
            jobs.append(_job(number, mine, store, folder, dates[0]))
        yield from _outcomes(jobs, len(todo), folder)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once told, it clears up whatever else it is told
        for job in jobs:
            job.close()
        if store is not None:
            connections.close_all()
            store.close()
        if not any(folder.glob("job*/*")):
            shutil.rmtree(folder, ignore_errors=True)
        signal.signal(signal.SIGTERM, before)


def _stop(*_: Any) -> None:
    raise KeyboardInterrupt


def _warm() -> None:
    """Import what every process needs, before the first fork."""
    import channels_redis.core  # noqa: F401
    import psycopg  # noqa: F401
    import socketio  # type: ignore[import-untyped]  # noqa: F401
    import uvicorn  # noqa: F401
    import websockets  # noqa: F401

    from trading.adapters.breeze import loader
    from trading.adapters.breeze.addresses import Addresses
    from trading.adapters.breeze.http import shared
    from trading.adapters.simulator import opening, server  # noqa: F401

    loader.load(Addresses.of("http://127.0.0.1:1"), http=shared((1.0, 1.0)))


def _job(number: int, mine: Sequence[Plan], store: stores.Store, folder: Path, date: dt.date) -> Child:
    place = folder / f"job{number}"
    place.mkdir()

    def work(pipe: int) -> int:
        from trading.services.drills.stage import Stage

        for at, plan in enumerate(mine):
            name = f"{number}_{at}"
            try:
                outcome = Stage(plan, store, place / name, folder / "market", date).play()
                line = outcome.as_json()
            except Exception as error:  # noqa: BLE001 - a scenario that cannot be played is told like one that failed
                traceback.print_exc()
                told = f"{checks.OTHER}: it could not be played: {type(error).__name__}: {error}"
                line = json.dumps(
                    {"name": plan.name, "seed": plan.seed, "breaches": [told], "kinds": {checks.OTHER: 1}}
                )
            os.write(pipe, f"{line}\n".encode())
        return 0

    return Child(f"job {number}", work, folder / f"job{number}.out")


def _outcomes(jobs: Sequence[Child], count: int, folder: Path) -> Iterator[dict[str, Any]]:
    seen = 0
    while seen < count:
        living = sum(job.alive for job in jobs) > 0  # look at every one
        select.select([job.reader for job in jobs], [], [], 0.2)
        lines = [line for job in jobs for line in job.said()]
        for line in lines:
            seen += 1
            yield json.loads(line)
        if not living and not lines:
            raise RuntimeError(f"a job of the drill ended early; see {folder}")
        if not lines:
            time.sleep(0.02)


def figures(outcomes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the drill's figures; ``dropped_signals`` is the share of entries that never reached the broker."""
    kinds: Counter[str] = Counter()
    for each in outcomes:
        kinds.update(each["kinds"])
    signals = sum(each.get("signals", 0) for each in outcomes)
    dropped = sum(each.get("dropped", 0) for each in outcomes)
    return {
        "scenarios": len(outcomes),
        "kills": sum(each.get("kills", 0) for each in outcomes),
        **{kind: kinds[kind] for kind in KINDS[:-1]},
        "dropped_signals": round(dropped / signals, 4) if signals else 0.0,
        "recovery_seconds_max": max((each.get("recovery", 0.0) for each in outcomes), default=0.0),
        "restart_seconds_max": max((each.get("restart", 0.0) for each in outcomes), default=0.0),
        "other_breaches": kinds[checks.OTHER],
        "freezes": sum(each.get("freezes", 0) for each in outcomes),
        "cuts": sum(each.get("cuts", 0) for each in outcomes),
        "signals": signals, "orders": sum(each.get("orders", 0) for each in outcomes),
        "fills": sum(each.get("fills", 0) for each in outcomes),
        "failed": [{"name": each["name"], "seed": each["seed"], "breaches": each["breaches"]}
                   for each in outcomes if each["breaches"]],
    }  # fmt: skip
