"""Prediction traces: what was predicted when a position was opened, and what had come of it when it was closed.

The schema is the document's (§14.5): twelve fields, the last two JSON. A trace's *actual* direction is that of the
price from entry to exit: LONG when it rose by more than the strategy's threshold, SHORT when it fell by more, else
NOOP. ``realized_return_pct`` is what the position made before charges, in per cent of its entry value; what was left
after them stands in the metadata as ``net_return_pct``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trading.core.bars import IST_OFFSET
from trading.core.rules import Setup
from trading.core.setups import flat
from trading.core.signals import DIRECTIONS
from trading.core.state import CARRY, ENTRY, EXIT_REASONS, FILLED, NOTED, NOTES, ORDERED, SIGNAL, TRADED, WIDTH

FIELDS = (
    "timestamp", "symbol", "strategy", "predicted_direction", "actual_direction", "predicted_confidence",
    "entry_price", "exit_price", "holding_period_minutes", "realized_return_pct", "features", "metadata",
)  # fmt: skip
LABELS = ("LONG", "SHORT", "NOOP")
CHUNK = 512  # rows
EPOCH = dt.date(1970, 1, 1).toordinal()
THRESHOLDS = {"intraday": 0.3, "swing": 0.5}  # per cent, §14.11.1


class Trace(NamedTuple):
    """One prediction and its outcome; ``features`` and ``metadata`` are JSON texts, ``timestamp`` IST."""

    timestamp: str
    symbol: str
    strategy: str
    predicted_direction: str
    actual_direction: str
    predicted_confidence: float
    entry_price: float  # rupees
    exit_price: float
    holding_period_minutes: float
    realized_return_pct: float
    features: str
    metadata: str


class Told(NamedTuple):
    """What a maker of traces knows beside the happenings: the strategy, its kind, the mode, version and run."""

    strategy: str
    kind: str
    mode: str
    version: str
    run: str = ""
    student: str = ""  # version of the student whose word counted, where one was asked


class Made(NamedTuple):
    """One closed position, as numbers: rupees, seconds UTC, shares."""

    side: int
    confidence: float
    sentiment: float
    decided_price: float
    entry_price: float
    exit_price: float
    entry_ts: int
    exit_ts: int
    quantity: int
    entry_fees: float
    total_fees: float
    gross: float
    net: float
    exit_reason: str
    student: float = math.nan  # the chance a student gave the direction, NaN when none was asked


def threshold(strategy: str, kind: str = "") -> float:
    """Return the move in per cent beyond which a direction counts: the strategy's own, else its kind's, else 0.5."""
    return THRESHOLDS.get(strategy, THRESHOLDS.get(kind, THRESHOLDS["swing"]))


def direction(move_pct: float, limit: float) -> str:
    """Return LONG for a move above ``limit`` per cent, SHORT for one below minus it, else NOOP."""
    return "LONG" if move_pct > limit else "SHORT" if move_pct < -limit else "NOOP"


def version(strategy: str, setup: Setup) -> str:
    """Return what tells this predictor from others: the strategy and a digest of every number it depends on."""
    said = json.dumps({"minutes": setup.minutes, **flat(setup)}, sort_keys=True)
    return f"{strategy}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"


def stamp(ts: float) -> str:
    """Return seconds UTC as the schema writes them: ``2024-01-15 09:30:00``, IST."""
    day, second = divmod(int(ts) + IST_OFFSET, 86_400)
    return f"{_date(day)} {second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


@lru_cache(maxsize=4096)
def _date(day: int) -> str:
    return dt.date.fromordinal(day + EPOCH).isoformat()


def trace(made: Made, symbol: str, told: Told, features: str = "{}") -> Trace:
    """Return the trace of a closed position; ``features`` is the JSON of what it was decided on."""
    move = round((made.exit_price / made.entry_price - 1.0) * 100.0, 6)
    value = made.quantity * made.entry_price
    slip = (made.entry_price / made.decided_price - 1.0) * 100.0 * made.side if made.decided_price > 0.0 else 0.0
    news = "null" if made.sentiment != made.sentiment else f"{made.sentiment:.4f}"
    asked = made.student == made.student
    sure, by = (abs(made.student), told.student) if asked else (made.confidence, told.version)
    rules = f'"rules_version":"{told.version}","rules_confidence":{made.confidence:.6f},' if asked else ""
    metadata = (
        f'{{"exit_reason":"{made.exit_reason}","mode":"{told.mode}","model_version":"{by}",{rules}'
        f'"run":"{told.run}","quantity":{made.quantity},"position_value":{value:.2f},"entry_fees":{made.entry_fees:.2f},'
        f'"exit_fees":{made.total_fees - made.entry_fees:.2f},"total_fees":{made.total_fees:.2f},'
        f'"gross_pnl":{made.gross:.2f},"net_pnl":{made.net:.2f},"net_return_pct":{made.net / value * 100.0:.6f},'
        f'"slippage_pct":{slip:.6f},"sentiment":{news}}}'
    )
    return Trace(
        stamp(made.entry_ts), symbol, told.strategy, DIRECTIONS[made.side],
        direction(move, threshold(told.strategy, told.kind)), round(sure, 6), round(made.entry_price, 4),
        round(made.exit_price, 4), round((made.exit_ts - made.entry_ts) / 60.0, 4), move * made.side, features,
        metadata,
    )  # fmt: skip


def form(names: Sequence[str]) -> str:
    """Return the template that turns so many numbers into the JSON of features."""
    return "{" + ",".join(f'"{name}":%.6f' for name in names) + "}"


def written(template: str, row: tuple[float, ...]) -> str:
    """Return the features as JSON; what is unknown is null."""
    text = template % row
    return text.replace(":nan", ":null") if ":nan" in text else text


class _Open:
    """A lane's entry as far as it has come."""

    __slots__ = ("confidence", "decided", "fees", "notes", "sentiment", "student")

    def __init__(self, confidence: float, sentiment: float, student: float, decided: float) -> None:
        self.confidence, self.sentiment, self.student, self.decided = confidence, sentiment, student, decided
        self.fees, self.notes = 0.0, []  # type: float, list[float]


def of_events(
    events: npt.NDArray[np.float64], symbols: Sequence[str], names: Sequence[str], told: Told,
    keep: Callable[[], bool] | None = None,
) -> Iterator[Trace]:  # fmt: skip
    """Yield a trace for every closed position among a run's events (flat, ``WIDTH`` numbers each), oldest first.

    ``names`` are those of the strategy's feature row, empty to leave features out. ``keep`` says, trade by trade,
    whether it is sampled.
    """
    lanes: list[_Open] = [_Open(0.0, math.nan, math.nan, 0.0) for _ in symbols]
    said: list[tuple[float, float, float]] = [(0.0, math.nan, math.nan)] * len(symbols)
    template = form(names)
    for e in _telling(events.reshape(-1, WIDTH)):
        kind, lane = e[0], int(e[1])
        if kind == SIGNAL:
            said[lane] = (e[5], e[7], e[11])
        elif kind == ORDERED and e[8] == ENTRY:
            lanes[lane] = _Open(*said[lane], e[7])
        elif kind == TRADED:
            if keep is None or keep():
                now = lanes[lane]
                text = written(template, tuple(now.notes[: len(names)])) if names and now.notes else "{}"
                yield trace(_made(now, e), symbols[lane], told, text)
        elif kind in FOLDED:
            _fold(lanes[lane], e)


def _telling(rows: npt.NDArray[np.float64]) -> Iterator[list[float]]:
    """Yield the rows that traces are made of, some at a time: a list of them all would keep the collector busy."""
    kind = rows[:, 0]
    said = (kind == SIGNAL) & (rows[:, 8] == 0.0) & (rows[:, 10] == 0.0)  # acted on, without a position
    entry = ((kind == ORDERED) & (rows[:, 8] == ENTRY)) | ((kind == FILLED) & (rows[:, 9] == ENTRY))
    places = np.flatnonzero(said | entry | (kind == NOTED) | (kind == CARRY) | (kind == TRADED))
    for begin in range(0, len(places), CHUNK):
        yield from rows[places[begin : begin + CHUNK]].tolist()


FOLDED = frozenset({NOTED, FILLED, CARRY})


def _fold(now: _Open, e: list[float]) -> None:
    if e[0] == NOTED:
        now.notes.extend(e[5 : 5 + NOTES])
    elif e[0] == FILLED and e[9] == ENTRY:
        now.fees += e[8]
    elif e[0] == CARRY:
        now.fees += e[4]


def _made(now: _Open, e: Sequence[Any]) -> Made:
    return Made(
        int(e[4]), now.confidence, now.sentiment, now.decided, e[6], e[7], int(e[9]), int(e[3]), int(e[5]), now.fees,
        e[10], e[13], e[11], EXIT_REASONS[int(e[12])], now.student,
    )  # fmt: skip
