"""The look-ahead check of a strategy: its feature rows and opinions, and everything the desk does with them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from trading.core.features import Bar
from trading.core.lookahead import POISON, POISONS, PROBES, TRUNCATION, Array, Compute, Leak, Report
from trading.core.lookahead import check as check_columns
from trading.core.panel import Panel
from trading.core.rules import Setup
from trading.core.simulation import Schedule, simulate
from trading.core.state import CARRY, DAY_END, EVENT_FIELDS, FILLED, ORDERED, SIGNAL, TRADED, WIDTH
from trading.core.strategies import strategy

SIDES = {0: "flat", 1: "long", -1: "short"}
PRICES = ("open", "high", "low", "close", "volume", "sentiment")
OPTIONAL = ("sentiment", "student")  # empty where nobody said anything
PLACES = ("session", "minute", "left", "ts")  # the calendar's: known ahead
WORDS = {SIGNAL: "signal", ORDERED: "order", FILLED: "fill", TRADED: "trade"}
LATER = (DAY_END, CARRY)  # the books of a day, written when the next one begins


def rows_of(name: str, params: Any) -> Compute:
    """Return the function from a lane's bars to the strategy's feature columns and what it would do, side by side.

    It drives the strategy's own ``advance`` and ``decide``, bar by bar, as the engine does.
    """
    chosen: Any = strategy(name)

    def compute(columns: dict[str, Array]) -> Mapping[str, Array]:
        memory = [0.0] * chosen.MEMORY
        state = chosen.recall(memory)
        lists = {key: column.tolist() for key, column in columns.items()}
        names = (*chosen.Features._fields, *_opinions())
        found = np.full((len(names), len(lists["ts"])), math.nan)
        for i, values in enumerate(zip(*(lists[key] for key in Bar._fields), strict=True)):
            state, f = chosen.advance(state, memory, i, Bar(*values), params)
            said = [chosen.decide(f, side, params)[:2] for side in SIDES]
            found[:, i] = (*f, *(number for opinion in said for number in opinion))
        return dict(zip(names, found, strict=True))

    return compute


def _opinions() -> list[str]:
    return [f"{word} when {side}" for side in SIDES.values() for word in ("direction", "confidence")]


def lane_columns(panel: Panel, j: int) -> dict[str, Array]:
    """Return lane ``j`` as the columns ``rows_of`` reads; unknown sentiment is NaN."""
    a, b = int(panel.starts[j]), int(panel.stops[j])
    found = {name: getattr(panel, name)[a:b] for name in (*PRICES[:-1], *PLACES)}
    for name in OPTIONAL:
        column = getattr(panel, name)
        found[name] = column[a:b] if column.size else np.full(b - a, math.nan)
    return found


def check_strategy(name: str, setup: Setup, panel: Panel, j: int, *, probes: int = PROBES, seed: int = 0) -> Report:
    """Return what the features and opinions of strategy ``name`` leak on lane ``j``."""
    return check_columns(rows_of(name, setup.params), lane_columns(panel, j), fixed=PLACES, probes=probes, seed=seed)


def check_desk(
    name: str, setup: Setup, panel: Panel, *, capital: float, charges: Schedule, compiled: bool = False,
    probes: int = PROBES, seed: int = 0,
) -> Report:  # fmt: skip
    """Return the signals, orders, fills and trades of a whole run that change with what comes after some moments.

    Half of the moments are random, half are such at which the strategy spoke: a peek of one bar shows only there.
    """

    def events(over: Panel) -> Array:
        out = simulate(name, setup, over, capital=capital, charges=charges, compiled=compiled)
        return out.events.reshape(-1, WIDTH)

    whole = events(panel)
    cuts = _cuts(panel, whole, probes, seed)
    found: dict[tuple[str, str], Leak] = {}
    for cut in cuts:
        for test, over in _futures(panel, int(cut)):
            leak = _first(_until(whole, cut), _until(events(over), cut), test, float(cut))
            if leak:
                found.setdefault((leak.name, test), leak)
    return Report(tuple(WORDS.values()), tuple(float(cut) for cut in cuts), tuple(found.values()))


def _cuts(panel: Panel, events: Array, probes: int, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    moments = np.unique(panel.ts)[1:-1]
    spoken = np.intersect1d(np.unique(events[events[:, 0] == SIGNAL][:, 3]).astype(np.int64), moments)
    some = rng.choice(spoken, size=min((probes + 1) // 2, len(spoken)), replace=False)
    rest = np.setdiff1d(moments, some)
    return np.union1d(some, rng.choice(rest, size=min(probes - len(some), len(rest)), replace=False))


def _futures(panel: Panel, cut: int) -> Iterator[tuple[str, Panel]]:
    yield TRUNCATION, until(panel, cut)
    known = panel.ts <= cut
    for poison in POISONS[:1]:  # the desk refuses prices that are none; the features have seen them
        changed = {name: np.where(known, getattr(panel, name), getattr(panel, name) * poison) for name in PRICES[:-1]}
        for name in OPTIONAL:
            column = getattr(panel, name)
            changed[name] = np.where(known, column, -column) if column.size else column
        yield POISON, dataclasses.replace(panel, **changed)


def until(panel: Panel, cut: int) -> Panel:
    """Return the panel's bars that start at ``cut`` (seconds UTC) or before; the lanes stay the same."""
    known = panel.ts <= cut
    counts = np.array([int(known[a:b].sum()) for a, b in zip(panel.starts, panel.stops, strict=True)], np.int64)
    stops = np.cumsum(counts)
    columns: dict[str, Any] = {
        name: np.ascontiguousarray(getattr(panel, name)[known]) for name in (*PRICES[:-1], *PLACES)
    }
    for name in OPTIONAL:
        column = getattr(panel, name)
        columns[name] = column[known] if column.size else column
    return dataclasses.replace(panel, starts=stops - counts, stops=stops, **columns)


def _until(events: Array, cut: float) -> Array:
    kinds = events[:, 0]
    return events[(events[:, 3] <= cut) & ~np.isin(kinds, LATER)]


def _first(a: Array, b: Array, test: str, cut: float) -> Leak | None:
    """Return the first event at which the two differ, as the number that differs; None when they are one."""
    n = min(len(a), len(b))
    wrong = np.flatnonzero(~(np.isclose(a[:n], b[:n], rtol=0.0, atol=0.0, equal_nan=True)).all(axis=1))
    if not wrong.size and len(a) == len(b):
        return None
    k = int(wrong[0]) if wrong.size else n
    row, other = (a[k] if k < len(a) else None), (b[k] if k < len(b) else None)
    kind = int((row if row is not None else other)[0])  # type: ignore[index]
    word = WORDS.get(kind, str(kind))
    if row is None or other is None:
        return Leak(word, test, cut, k, float(row is not None), float(other is not None))
    j = int(np.flatnonzero(~np.isclose(row, other, rtol=0.0, atol=0.0, equal_nan=True))[0])
    field = EVENT_FIELDS[kind][j - 4] if 4 <= j < 4 + len(EVENT_FIELDS[kind]) else "place"
    return Leak(f"{word} ({field})", test, cut, k, float(row[j]), float(other[j]))


__all__ = ["check_desk", "check_strategy", "lane_columns", "rows_of", "until"]
