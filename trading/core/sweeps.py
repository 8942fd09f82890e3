"""Backtests that share nothing but bars: each symbol on an account of its own, or one symbol under many setups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trading.core.kernel import kernel
from trading.core.metrics import Measures, tidy
from trading.core.panel import LaneSpec, Panel
from trading.core.rules import Setup
from trading.core.setups import records
from trading.core.simulation import Schedule
from trading.core.state import EVENTS, OVERFLOW, QUIET, WIDTH, new_account, new_lane
from trading.core.strategies import strategy


class Single(NamedTuple):
    """One account's result: its measures, and its closed trades and days as event rows (flat, WIDTH numbers a row)."""

    measures: Measures
    events: npt.NDArray[np.float64]


ROOM = 4096  # events an account has room for at first; more are found by running again with more


def alone(name: str, setup: Setup, panel: Panel, *, capital: float, charges: Schedule) -> list[Single]:
    """Run every lane of ``panel`` on an account of its own with ``capital`` rupees; compiled."""
    core, lanes = kernel(name, compiled=True), len(panel.specs)
    m, room = np.zeros(strategy(name).MEMORY), ROOM
    row = records([setup])[0]  # handed on by reference, which a tuple of fifty numbers is not
    while True:
        L, K, A, N, ev, out = _numbers(panel.specs, capital, room)
        core.run_alone(
            *panel.columns(), panel.starts, panel.stops, m, L, K, A, N, row, charges.rates, charges.changes, ev, out
        )
        if not N[:, OVERFLOW].any():
            return [_single(N[j], ev[j], out[j]) for j in range(lanes)]
        room *= 4


def sweep(
    name: str, setups: Sequence[Setup], panel: Panel, j: int, *, capital: float, charges: Schedule
) -> list[Single]:
    """Run lane ``j`` under ``setups`` that agree in the strategy's ``WINDOWS``; the features are computed once."""
    core, rows = kernel(name, compiled=True), records(setups)
    columns, specs = _columns(panel, j), [panel.specs[j]] * len(setups)
    room = ROOM
    while True:
        L, K, A, N, ev, out = _numbers(specs, capital, room)
        m = np.zeros(strategy(name).MEMORY)
        core.run_sweep(*columns, m, L, K, A, N, rows, charges.rates, charges.changes, ev, out)
        if not N[:, OVERFLOW].any():
            return [_single(N[g], ev[g], out[g]) for g in range(len(setups))]
        room *= 4


def by_windows(name: str, setups: Sequence[Setup]) -> list[list[int]]:
    """Return the positions of setups that share their feature windows, group by group, in order of first appearance."""
    windows: tuple[str, ...] = strategy(name).WINDOWS
    groups: dict[tuple[Any, ...], list[int]] = {}
    for position, setup in enumerate(setups):
        groups.setdefault(tuple(getattr(setup.params, word) for word in windows), []).append(position)
    return list(groups.values())


def _columns(panel: Panel, j: int) -> tuple[Any, ...]:
    a, b = int(panel.starts[j]), int(panel.stops[j])
    return tuple(column[a:b] if column.size else column for column in panel.columns())


def _numbers(specs: Sequence[LaneSpec], capital: float, room: int) -> tuple[Any, ...]:
    """Return fresh numbers and event buffers of one quiet account per spec."""
    lanes = [new_lane(0, tick=spec.tick, lot=spec.lot, fixed=spec.fixed) for spec in specs]
    account, counts = new_account(capital)
    counts[QUIET] = 1
    count = len(lanes)
    return (
        np.array([[floats] for floats, _ in lanes]), np.array([[ints] for _, ints in lanes], np.int64),
        np.array([account] * count), np.array([counts] * count, np.int64),
        np.empty((count, room * WIDTH)), np.empty((count, len(Measures._fields))),
    )  # fmt: skip


def _single(N: Any, ev: Any, out: Any) -> Single:
    return Single(tidy(out.tolist()), ev[: int(N[EVENTS]) * WIDTH])
