"""A walk-forward carried out: one search a window, what it chose traded on the days that follow, all of it stitched.

A window's search is an optimisation of its own whose bars end with its training days, so nothing of the days that are
traded later can reach it. The unseen days are traded once, after all searches, on one account from window to window.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from models_ml.core import walk_forward
from models_ml.core.part_measures import Curve, curve
from models_ml.core.walk_evidence import joined
from models_ml.core.walk_forward import Window
from models_ml.models.optimizations import OptimizationRun
from models_ml.services import asking, trials
from sensequant.lib.clock import ist
from trading.core.bars import ordinals
from trading.core.panel import LaneBars
from trading.core.rolls import rest, rolled
from trading.core.signals import DIRECTIONS
from trading.core.simulation import Outcome
from trading.core.state import EXIT_REASONS, OPERATOR, TRADED
from trading.core.strategies import strategy
from trading.core.stretches import stretch
from trading.core.traces import threshold
from trading.services import markets, runs
from trading.services.recording import moment

WINDOW_END = "window_end"  # why a position is left that the end of a window finds open


class Walk(NamedTuple):
    """The unseen days of all windows on one account."""

    curve: Curve
    trades: list[dict[str, Any]]
    equity: list[list[Any]]  # (day, rupees) of every session traded
    curves: list[Curve]  # of each window


def windows(run: OptimizationRun, lanes: Sequence[LaneBars]) -> tuple[Window, ...]:
    """Return the windows of a walk-forward over the sessions there are bars of; Invalid when there is no room."""
    plan = walk_forward.plan(run.spec["walk_forward"])
    return walk_forward.windows(sessions(lanes), plan, run.spec["purge"])


def sessions(lanes: Sequence[LaneBars]) -> list[int]:
    """Return the sessions (ordinals, rising) that any lane has bars of."""
    days: set[int] = set()
    for each in lanes:
        days.update(np.unique(ordinals(each.bars.ts)).tolist())
        rest(each.bars)
    return sorted(days)


def search_of(run: OptimizationRun, window: Window) -> asking.Asked:
    """Return the search of a window: the run's own, on the window's training days and no other."""
    spec = asking.Spec(**{**run.spec, "split": tuple(run.spec["split"])})
    folder = spec.telemetry_dir
    inner = replace(
        spec, walk_forward="", split=asking.inner(spec), export_report=False,
        telemetry_dir=str(Path(folder) / name(window)) if folder else "",
    )  # fmt: skip
    first, last = (dt.date.fromordinal(day) for day in window.train[:2])
    return asking.Asked(replace(trials.wanted_of(run), start=first, end=last), trials.order_of(run), inner)


def name(window: Window) -> str:
    """Return the name of a window in files and folders."""
    return f"window_{window.number:02d}"


def trade(run: OptimizationRun, windows: Sequence[Window], chosen: Sequence[dict[str, Any]]) -> Walk:
    """Trade each window's unseen days with its own parameters; what one window leaves is the next one's capital."""
    capital = float(run.capital)
    curves: list[Curve] = []
    walked: list[dict[str, Any]] = []
    for window, params in zip(windows, chosen, strict=True):
        outcome, symbols = _stretch(run, window, params, capital)
        curves.append(curve(outcome.events, capital))
        walked += _trades(outcome, symbols, window)
        capital = outcome.equity
    whole = joined(curves)
    money, equity = float(run.capital), []
    for day, change in zip(whole.session.tolist(), whole.returns.tolist(), strict=True):
        money *= 1.0 + change
        equity.append([dt.date.fromordinal(day).isoformat(), round(money, 2)])
    return Walk(whole, walked, equity, curves)


def _stretch(run: OptimizationRun, window: Window, params: dict[str, Any], capital: float) -> tuple[Outcome, list[str]]:
    """Return a window's unseen days as one stretch; its training days and the purge only warm the indicators."""
    first, last = dt.date.fromordinal(window.train.first), dt.date.fromordinal(window.test.last)
    wanted = replace(trials.wanted_of(run), start=first, end=last)
    lanes = markets.lanes(wanted, at=run.created_at)
    order = runs.Ordered(run.strategy, {**run.params, **params}, capital)
    joint = rolled(lanes)
    compiled = runs.worth_compiling(run.strategy, len(joint)) and "numba" in sys.modules
    outcome = stretch(
        run.strategy, runs.setup_of(order, wanted), joint, window.test.first, capital=capital,
        charges=runs.charges_of(order, wanted, lanes), compiled=compiled or len(joint) > runs.BARS_WORTH_COMPILING,
    )  # fmt: skip
    return outcome, [each.spec.symbol for each in lanes]


def _trades(outcome: Outcome, symbols: Sequence[str], window: Window) -> list[dict[str, Any]]:
    found = []
    for each in outcome.happenings():
        if each.kind != TRADED:
            continue
        v = each.values
        why = int(v["why"])
        found.append({
            "window": window.number, "symbol": symbols[each.lane], "side": DIRECTIONS[int(v["side"])],
            "quantity": int(v["quantity"]), "entry_time": ist(moment(v["entry_ts"])).isoformat(),
            "entry_price": round(v["entry_price"], 4), "exit_time": ist(moment(each.ts)).isoformat(),
            "exit_price": round(v["exit_price"], 4),
            "exit_reason": WINDOW_END if why == OPERATOR else EXIT_REASONS[why],
            "gross_pnl": round(v["gross"], 2), "charges": round(v["charges"], 2), "net_pnl": round(v["net"], 2),
        })  # fmt: skip
    return found


def limit(run: OptimizationRun) -> float:
    """Return the per cent beyond which a move is a direction."""
    return threshold(run.strategy, strategy(run.strategy).KIND)
