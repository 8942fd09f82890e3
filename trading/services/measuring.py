"""Writes what the processes of the desk take down in memory into rows, in a thread of its own.

Only this thread waits for the database; whoever records goes on in a microsecond. When writing fails the numbers are
kept and tried again, up to ``KEPT`` rows.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection

from sensequant.lib import measures, outage
from sensequant.lib.clock import now
from sensequant.lib.logs import get_logger
from trading.models.measures import Measure

EVERY = measures.WIDTH
KEPT = 20_000
log = get_logger("measuring")


class Writer:
    """Drains one recorder into rows; what could not be written waits in memory."""

    def __init__(self, recorder: measures.Recorder = measures.mine) -> None:
        """Write what ``recorder`` takes down."""
        self.recorder = recorder
        self.waiting: deque[Measure] = deque(maxlen=KEPT)
        self.missing = outage.Outage("the database", log)

    def write(self, *, at: dt.datetime) -> int:
        """Write everything taken down so far and return how many rows that were; raises DatabaseError."""
        self.waiting.extend(_row(slot, at) for slot in self.recorder.drain())
        rows = list(self.waiting)
        Measure.objects.bulk_create(rows, batch_size=500)
        self.waiting.clear()
        return len(rows)

    def run(self, stop: threading.Event) -> None:
        """Write every ten seconds until ``stop``."""
        try:
            while not stop.wait(EVERY):
                self.attempt()
        finally:
            connection.close()

    def attempt(self) -> None:
        """Write, or keep what the database does not take."""
        try:
            self.write(at=now())
        except DatabaseError as error:
            self.missing.away(error)
        else:
            self.missing.back()


def _row(slot: measures.Slot, at: dt.datetime) -> Measure:
    return Measure(metric=slot.name, at=at - dt.timedelta(seconds=slot.age), **slot.stats.columns())


@contextmanager
def beside() -> Iterator[None]:
    """Write this process's measures while the block runs, the last of them in the caller's own thread."""
    stop, writer = threading.Event(), Writer()
    thread = threading.Thread(target=writer.run, args=(stop,), name="measures", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(2.0)
        if not thread.is_alive():
            writer.attempt()


def take(most: int = 5_000) -> list[Measure]:
    """Return the oldest measures and delete them; call it in the transaction that keeps them elsewhere."""
    rows = list(Measure.objects.order_by("pk")[:most])
    for start in range(0, len(rows), 500):
        Measure.objects.filter(pk__in=[each.pk for each in rows[start : start + 500]]).delete()
    return rows
