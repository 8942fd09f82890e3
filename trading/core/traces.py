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

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
FIELDS = (
    "timestamp", "symbol", "strategy", "predicted_direction", "actual_direction", "predicted_confidence",
    "entry_price", "exit_price", "holding_period_minutes", "realized_return_pct", "features", "metadata",
)  # fmt: skip
LABELS = ("LONG", "SHORT", "NOOP")
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


class Columns(NamedTuple):
    """Closed positions in the order they were closed, as columns; ``notes`` the feature rows, ``noted`` where known."""

    rows: Floats  # the TRADED events
    lane: Ints
    confidence: Floats
    sentiment: Floats
    student: Floats
    decided: Floats  # the price it was decided at
    fees: Floats  # of the entry
    notes: Floats
    noted: npt.NDArray[np.bool_]


def columns(events: Floats, features: int) -> Columns:
    """Return the closed positions among a run's events (flat, ``WIDTH`` numbers each).

    ``features`` is how many numbers of the feature row are wanted. A lane's entry is what it ordered last before the
    position was closed; what was said of it is the last signal that was acted on before that.
    """
    rows = events.reshape(-1, WIDTH)
    kind, lane = rows[:, 0], rows[:, 1].astype(np.int64)
    closed = np.flatnonzero(kind == TRADED)
    entry = _before(lane, closed, np.flatnonzero((kind == ORDERED) & (rows[:, 8] == ENTRY)))
    said = _before(lane, entry, np.flatnonzero((kind == SIGNAL) & (rows[:, 8] == 0.0) & (rows[:, 10] == 0.0)))
    paid = np.flatnonzero(((kind == FILLED) & (rows[:, 9] == ENTRY)) | (kind == CARRY))
    whose = _between(lane, closed, entry, paid)
    costs = np.where(kind[paid] == CARRY, rows[paid, 4], rows[paid, 8])
    fees = np.bincount(whose[whose >= 0], costs[whose >= 0], minlength=len(closed)).astype(np.float64)
    notes, noted = _notes(rows, lane, closed, entry, features)
    told = rows[said]
    return Columns(
        rows[closed], lane[closed], told[:, 5], told[:, 7], told[:, 11], rows[entry, 7], fees, notes, noted,
    )  # fmt: skip


def _key(lane: Ints, places: Ints, size: int) -> Ints:
    """Return what sorts places by lane, then by time."""
    return lane[places] * size + places


def _before(lane: Ints, at: Ints, among: Ints) -> Ints:
    """Return for each place the last of the places ``among`` before it in the same lane."""
    size = len(lane) + 1
    keys = np.sort(_key(lane, among, size))
    found: Ints = keys[np.searchsorted(keys, _key(lane, at, size)) - 1] % size
    return found


def _between(lane: Ints, closed: Ints, entry: Ints, among: Ints) -> Ints:
    """Return for each place ``among`` the number of the position it lies in, from entry to close; −1 for none."""
    size = len(lane) + 1
    ends = _key(lane, closed, size)
    order = np.argsort(ends)
    place = np.searchsorted(ends[order], _key(lane, among, size))
    whose = order[np.minimum(place, len(order) - 1)] if len(order) else np.zeros(len(among), np.int64)
    inside = (
        (place < len(order)) & (lane[closed[whose]] == lane[among]) & (entry[whose] < among) if len(order) else False
    )
    return np.where(inside, whose, -1)


def _notes(rows: Floats, lane: Ints, closed: Ints, entry: Ints, features: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return the feature rows the positions were decided on, and where there is one."""
    each = -(-features // NOTES)
    places = np.flatnonzero(rows[:, 0] == NOTED)
    if not features or not places.size:
        return np.zeros((len(closed), features)), np.zeros(len(closed), np.bool_)
    size = len(lane) + 1
    keys = np.sort(_key(lane, places, size))
    first = np.searchsorted(keys, _key(lane, entry, size))
    at = np.minimum(first[:, None] + np.arange(each), len(keys) - 1)
    found = keys[at] % size
    noted = (keys[at] < _key(lane, closed, size)[:, None]).all(axis=1) & (first + each <= len(keys))
    return rows[found, 5 : 5 + NOTES].reshape(len(closed), each * NOTES)[:, :features], noted


def of_events(
    events: Floats, symbols: Sequence[str], names: Sequence[str], told: Told, keep: Callable[[], bool] | None = None
) -> Iterator[Trace]:
    """Yield a trace for every closed position among a run's events (flat, ``WIDTH`` numbers each), oldest first.

    ``names`` are those of the strategy's feature row, empty to leave features out. ``keep`` says, trade by trade,
    whether it is sampled.
    """
    found = columns(events, len(names))
    template = form(names)
    parts = (found.rows, found.lane, found.confidence, found.sentiment, found.student, found.decided, found.fees)
    for k, (e, lane, *more) in enumerate(zip(*(part.tolist() for part in parts), strict=True)):
        if keep is None or keep():
            text = written(template, tuple(found.notes[k].tolist())) if names and found.noted[k] else "{}"
            yield trace(_made(e, *more), symbols[lane], told, text)


def _made(e: Sequence[Any], confidence: float, news: float, student: float, decided: float, fees: float) -> Made:
    return Made(
        int(e[4]), confidence, news, decided, e[6], e[7], int(e[9]), int(e[3]), int(e[5]), fees, e[10], e[13], e[11],
        EXIT_REASONS[int(e[12])], student,
    )  # fmt: skip
