"""Prediction traces of backtests: which are kept, where, and what they came to."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from django.conf import settings

from sensequant.lib import paths
from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput
from sensequant.lib.logs import get_logger
from trading.adapters.tracefiles import FORMATS, MEGABYTE, TraceWriter
from trading.core import trace_lines, traces
from trading.core.accuracy import measure
from trading.core.rules import Setup
from trading.core.simulation import Outcome
from trading.core.state import WIDTH
from trading.core.strategies import strategy as strategy_of
from trading.core.trace_table import closed, joined
from trading.core.traces import Told
from trading.services import accuracy, trace_reading

Events = npt.NDArray[np.float64]
METRICS_FILE = "accuracy_metrics.json"
LIVE_FOLDER = "live"
log = get_logger("telemetry")


@dataclass(frozen=True, slots=True)
class Capture:
    """Where traces go and how many of them; sizes in bytes, ``rate`` 0 … 1."""

    folder: Path
    rate: float = 1.0
    kind: str = "csv"
    compressed: bool = False
    buffer: int = 100
    most_bytes: int = 100 * MEGABYTE
    with_features: bool = True
    export_metrics: bool = False

    def writer(self) -> TraceWriter:
        """Return a writer into the folder."""
        return TraceWriter(
            self.folder, kind=self.kind, compressed=self.compressed, buffer=self.buffer, most_bytes=self.most_bytes
        )


@dataclass(slots=True)
class Written:
    """What a capture came to; ``trouble`` is "" when nothing was lost."""

    folder: Path
    traces: int = 0
    lost: int = 0
    files: list[Path] = field(default_factory=list)
    trouble: str = ""
    export: bool = False
    metrics: dict[str, Any] | None = None  # of every closed position, sampled or not

    def told(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "folder": str(self.folder), "traces": self.traces, "lost": self.lost,
            "files": [str(path) for path in self.files], "trouble": self.trouble,
        }  # fmt: skip


def root() -> Path:
    """Return the folder traces lie under."""
    return paths.resolve(settings.DESK.telemetry_storage_path)


def capture(
    folder: str | Path = "", *, rate: float | None = None, kind: str = "csv", export_metrics: bool = False,
    name: str = "backtest", at: dt.datetime,
) -> Capture:  # fmt: skip
    """Return a capture by the settings; without a ``folder`` one of its own under TELEMETRY_STORAGE_PATH.

    BadInput for a rate that is no share, or a format that is not known.
    """
    desk = settings.DESK
    share = desk.telemetry_sample_rate if rate is None else rate
    if not 0.0 <= share <= 1.0:
        raise BadInput(f"a telemetry sample rate of {rate} is no share", fix="give a number from 0 to 1")
    if kind not in FORMATS:
        raise BadInput(f"telemetry format {kind!r} is not known", fix=f"use {' or '.join(FORMATS)}")
    where = Path(folder).expanduser().absolute() if folder else root() / f"{name}_{at.astimezone(IST):%Y%m%d_%H%M%S}"
    return Capture(
        where, share, kind, desk.telemetry_compression, desk.telemetry_buffer_size,
        desk.telemetry_max_file_size_mb * MEGABYTE, desk.telemetry_include_features, export_metrics,
    )  # fmt: skip


class Predictor(NamedTuple):
    """A strategy with its setup, and the symbols of its lanes in their order."""

    name: str
    setup: Setup
    symbols: Sequence[str]


def record(
    outcome: Outcome, predictors: Sequence[Predictor], wanted: Capture, *, run: str = "", student: str = ""
) -> Written:
    """Write the traces of a run's closed positions; a disk that fails is told in the result and raises nothing."""
    writer = wanted.writer()
    found = Written(wanted.folder, export=wanted.export_metrics)
    keep = sampler(wanted.rate, run)
    parts = _parts(outcome, predictors)
    said = [Told(x.name, strategy_of(x.name).KIND, "backtest", traces.version(x.name, x.setup), run, student)
            for x in predictors]  # fmt: skip
    try:
        with writer:
            for (events, symbols), told in zip(parts, said, strict=True):
                _write(writer, events, symbols, _noted(told.strategy, wanted), told, keep)
    except OSError as error:
        found.trouble = f"traces could not be written to {wanted.folder}: {error.strerror or error}"
        log.exception("traces not written", folder=str(wanted.folder))
    tables = [closed(*part, told) for part, told in zip(parts, said, strict=True)]
    table = tables[0] if len(tables) == 1 else joined(tables)
    found.metrics = accuracy.plain(measure(table)) if len(table) else None
    found.traces, found.lost, found.files = writer.written, writer.dropped, writer.files
    return found


def _write(
    writer: TraceWriter, events: Events, symbols: Sequence[str], names: Sequence[str], told: Told,
    keep: Callable[[], bool] | None,
) -> None:  # fmt: skip
    """Write one predictor's traces, as lines made at once where they are CSV."""
    if writer.kind != "csv":
        for each in traces.of_events(events, symbols, names, told, keep):
            writer.write(each)
        return
    for some in trace_lines.lines(traces.columns(events, len(names)), symbols, names, told, keep):
        writer.write_lines(told.strategy, some)


def _noted(name: str, wanted: Capture) -> tuple[str, ...]:
    """Return the names of the features a strategy's traces hold."""
    chosen = strategy_of(name)
    return chosen.Features._fields if wanted.with_features and hasattr(chosen, "Features") else ()


def _parts(outcome: Outcome, predictors: Sequence[Predictor]) -> list[tuple[Events, list[str]]]:
    """Return each strategy's own events, its lanes numbered from 0, and their symbols."""
    rows, first, found = outcome.events.reshape(-1, WIDTH), 0, []
    for each in predictors:
        symbols = list(each.symbols)
        mine = rows
        if len(predictors) > 1:
            mine = rows[(rows[:, 1] >= first) & (rows[:, 1] < first + len(symbols))]
            mine[:, 1] -= first
        first += len(symbols)
        found.append((mine.reshape(-1), symbols))
    return found


def sampler(rate: float, seed: str) -> Callable[[], bool] | None:
    """Return what says whether the next trace is kept, the same for the same seed; None keeps every one."""
    if rate >= 1.0:
        return None
    die = random.Random(f"telemetry {seed}")  # noqa: S311 - which traces are kept is no secret
    return lambda: die.random() < rate


def measured(written: Written) -> tuple[dict[str, Any], list[str]]:
    """Return what was written and the accuracy of all closed positions, for JSON, and what went wrong.

    With ``Capture.export_metrics`` the traces are read back and ``accuracy_metrics.json`` is written beside them.
    """
    notes = [written.trouble] if written.trouble else []
    found: dict[str, Any] = {**written.told(), "metrics": written.metrics}
    if written.export and written.files and not notes:
        path = written.folder / METRICS_FILE
        try:
            text = json.dumps(accuracy.of(trace_reading.load(written.files).table), indent=1)
            path.write_text(text + "\n", encoding="utf-8")
            found["metrics_file"] = str(path)
        except OSError as error:
            notes.append(f"{path} cannot be written: {error.strerror or error}")
    return found, notes


def by_default(run_id: int, *, at: dt.datetime) -> Capture | None:
    """Return the capture of a backtest nobody asked to trace: by TELEMETRY_ENABLED."""
    return capture(name=f"backtest_{run_id}", at=at) if settings.DESK.telemetry_enabled else None
