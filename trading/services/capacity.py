"""Measure what things cost on this machine and database, for ``core/capacity``; whatever is written is taken back."""

from __future__ import annotations

import datetime as dt
import resource
import time

from django.db import transaction

from trading.core import demo
from trading.core.calendar import NSE
from trading.core.capacity import Costs
from trading.core.panel import LaneSpec, lane
from trading.core.setups import make_setup
from trading.core.simulation import schedule
from trading.models.broker import Lease
from trading.services.engine import Engine
from trading.services.tapes import Tape

ROUNDS = 40
LANES = 25
NAME = "capacity-plan"
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def measure() -> Costs:
    """Return the costs measured here and now; what cannot be measured in seconds keeps its stated default."""
    step_us, grown = _steps()
    return Costs(
        step_us=step_us, commit_ms=_commit_ms(), symbol_mb=max(0.05, grown), engine_mb=_resident() - grown * LANES
    )


def _steps() -> tuple[float, float]:
    """Return microseconds a bar and megabytes a lane of an engine over demo bars, feature rows included."""
    before = _resident()
    day = NSE.sessions(dt.date(2026, 11, 2), dt.date(2026, 11, 3), "equity")
    symbols = list(demo.INSTRUMENTS)
    made = []
    for number in range(LANES):
        name = symbols[number % len(symbols)]
        bars = demo.generate(name, day, seed=number, minutes=1)
        made.append(lane(LaneSpec(f"{name}{number}", demo.INSTRUMENTS[name].tick, 1, "equity"), bars, 1))
    charges = schedule("i-secure", "cash", dt.date(2026, 11, 2), dt.date(2026, 11, 3))
    engine = Engine(
        "intraday", make_setup("intraday", 1, {}, {}), [each.spec for each in made], capital=1e7, charges=charges
    )
    tape = Tape(made)
    moments = [moment for each in tape.days for moment in tape.moments(each)]
    begun = time.perf_counter()
    count = 0
    for ts, rows in moments:
        engine.step(ts, rows)
        count += len(rows)
    taken = time.perf_counter() - begun
    return taken / max(1, count) * 1e6, (_resident() - before) / LANES


def _commit_ms() -> float:
    """Return the median milliseconds of a transaction that writes one row and is durable."""
    times = []
    for number in range(ROUNDS):
        begun = time.perf_counter()
        with transaction.atomic():
            Lease.objects.update_or_create(
                name=NAME, defaults={"holder": str(number), "token": 0, "expires_at": LONG_AGO}
            )
        times.append(time.perf_counter() - begun)
    Lease.objects.filter(name=NAME).delete()
    return sorted(times)[ROUNDS // 2] * 1e3


def _resident() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
