"""Traces of an engine that trades, written by a thread of their own: whatever becomes of it, trading goes on.

``offer`` throttles, samples and puts the trace into a queue that never blocks; the thread writes. A full disk, a
folder that cannot be written, a writer that died or hangs only end up in ``trouble``, which the engine shows.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import queue
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings

from sensequant.lib.logs import get_logger
from trading.adapters.tracefiles import TraceWriter
from trading.core.traces import Trace
from trading.services.telemetry import LIVE_FOLDER, Capture, Written, capture, measured, root

ROOM = 10_000  # traces that may wait; more are dropped and counted
BUFFER = 50  # §14.15.2: smaller than a backtest's
IDLE = 1.0  # seconds after which what is buffered is written although the buffer is not full
AGAIN = 30.0  # seconds before a disk that failed is tried again
LONGEST_END = 2.0  # seconds an engine that ends waits for its last traces
log = get_logger("telemetry")


class LiveTelemetry:
    """Takes traces from the engine's thread and writes them in another; nothing here raises or waits."""

    def __init__(
        self, wanted: Capture, *, throttle: float = 0.0, seconds: Callable[[], float] = time.monotonic
    ) -> None:  # fmt: skip
        """Begin with nothing written; the thread starts with the first trace."""
        self.wanted, self.throttle, self._seconds = wanted, throttle, seconds
        self.lost = self.written = 0
        self.files: list[Path] = []
        self._failing = self._died = ""
        self._last = float("-inf")
        self._die = random.Random()  # noqa: S311 - which traces are kept is no secret
        self._queue: queue.Queue[Trace | None] = queue.Queue(ROOM)
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    @property
    def trouble(self) -> str:
        """Return what is wrong now, in words; "" when traces are written as they should."""
        return self._failing or self._died

    def offer(self, trace: Trace) -> bool:
        """Take a trace, unless it comes too soon after the last one or is not sampled; say whether it was taken."""
        now = self._seconds()
        if now - self._last < self.throttle:
            return False
        if self.wanted.rate < 1.0 and self._die.random() >= self.wanted.rate:
            return False
        self._last = now
        try:
            self._queue.put_nowait(trace)
        except queue.Full:
            self.lost += 1
            self._failing = f"the writer of traces does not keep up: {self.lost:,} lost"
            return False
        self.tend()
        return True

    def tend(self) -> None:
        """Start the writer, or another one when it died."""
        if self._thread is not None and self._thread.is_alive():
            return
        if self._thread is not None:
            self._died = "the writer of traces died and was started again; some may be lost"
            log.warning("telemetry writer died", folder=str(self.wanted.folder))
        self._thread = threading.Thread(target=self._write, name="telemetry", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let the writer finish, for two seconds at most."""
        if self._thread is None:
            return
        self._ended.set()
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)
        self._thread.join(LONGEST_END)
        if self._thread.is_alive() or not self._queue.empty():
            self._failing = f"the writer of traces hangs: {self._queue.qsize():,} lost"
            log.warning("telemetry writer hangs", folder=str(self.wanted.folder))

    def export_metrics(self) -> dict[str, Any]:
        """Write ``accuracy_metrics.json`` beside what was written, once closed; what went wrong is in ``notes``."""
        found = Written(self.wanted.folder, self.written, self.lost, list(self.files), export=True)
        told, notes = measured(found)
        for note in notes:
            log.warning("metrics not exported", why=note)
        return {**told, "notes": notes}

    def _write(self) -> None:
        writer, due = self.wanted.writer(), 0.0
        self.files = writer.files
        while True:
            trace = self._next()
            if trace is not None:
                if time.monotonic() >= due:
                    due = self._put(writer, trace)
                else:
                    self.lost += 1
            elif time.monotonic() >= due:
                due = self._put(writer, None)
            if self._ended.is_set() and self._queue.empty():
                break
        self._put(writer, None)
        writer.abandon()

    def _next(self) -> Trace | None:
        try:
            return self._queue.get(timeout=IDLE)
        except queue.Empty:
            return None

    def _put(self, writer: TraceWriter, trace: Trace | None) -> float:
        """Write and return 0, or say why not and return when (monotonic) to try again."""
        dropped = writer.dropped
        try:
            if trace is not None:
                writer.write(trace)
            else:
                writer.flush()
        except OSError as error:
            self.lost += writer.dropped - dropped
            writer.abandon()  # the next try begins a file of its own
            where = f"{self.wanted.folder}: {error.strerror or error}"
            self._failing = f"traces cannot be written to {where} ({self.lost:,} lost so far)"
            log.warning("traces not written", folder=str(self.wanted.folder), error=str(error))
            return time.monotonic() + AGAIN
        if writer.written > self.written:
            self._failing = ""
        self.written = writer.written
        return 0.0


def of_settings(
    wanted: Capture, *, mode: str, throttle: float | None = None, rate: float | None = None
) -> LiveTelemetry:  # fmt: skip
    """Return the telemetry of an engine: a replay traces like a backtest, anything else throttled and sampled."""
    desk = settings.DESK
    if mode == "replay":
        return LiveTelemetry(wanted, throttle=throttle or 0.0)
    share = desk.live_telemetry_sample_rate if rate is None else rate
    pause = float(desk.live_telemetry_throttle_seconds) if throttle is None else throttle
    return LiveTelemetry(replace(wanted, rate=share, buffer=BUFFER), throttle=pause)


def by_default(mode: str, at: dt.datetime) -> LiveTelemetry | None:
    """Return the telemetry of an engine nobody asked to trace: by LIVE_TELEMETRY_ENABLED, never of a replay."""
    if mode == "replay" or not settings.DESK.live_telemetry_enabled:
        return None
    return of_settings(capture(root() / LIVE_FOLDER, at=at), mode=mode)


def folder() -> str:
    """Return where an engine's traces go unless a folder is named."""
    return str(root() / LIVE_FOLDER)
