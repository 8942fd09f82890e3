"""Whether a release works at all: days of the demo market through the desk, and the student's answers to known rows."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from django.conf import settings

from sensequant.lib.errors import Failed
from trading.core import demo
from trading.core.strategies import strategy
from trading.services import markets, parity, release_gate, release_state, runs, students

SYMBOLS: Final = tuple(sorted(demo.INSTRUMENTS))[:2]
DAYS: Final = {  # interval and dates: enough for the strategy to decide on something
    "intraday": ("5minute", dt.date(2026, 10, 27), dt.date(2026, 10, 28)),
    "swing": ("1day", dt.date(2026, 3, 2), dt.date(2026, 10, 30)),
}
ROWS: Final = (0.0, 25.0, 50.0, 75.0, 100.0)
PLACES: Final = 9


def run(
    strategies: Mapping[str, Mapping[str, Any]], student: tuple[str, str] | None, *, at: dt.datetime
) -> dict[str, Any]:
    """Return what a session came to, strategy by strategy; Failed when engine and backtester do not agree."""
    seats = [students.load(Path(student[0]), student[1])] if student else []
    names = list(strategies) or [settings.DESK.engine_strategy]
    return {
        "strategies": {name: _session(name, strategies.get(name, {}).get("params", {}), at) for name in names},
        "student": answers(seats[0]) if seats else None,
    }


def _session(name: str, params: Mapping[str, Any], at: dt.datetime) -> dict[str, Any]:
    interval, start, end = DAYS[strategy(name).KIND]
    wanted = markets.Wanted(markets.DEMO, SYMBOLS, interval, start, end)
    order = runs.Ordered(name, params, settings.DESK.starting_capital_inr)
    lanes = markets.lanes(wanted, at=at)
    found = parity.compare(
        name, runs.setup_of(order, wanted), lanes, capital=order.capital, charges=runs.charges_of(order, wanted, lanes),
        compiled=False,
    )  # fmt: skip
    if not found["identical"]:
        raise Failed(f"{name}: engine and backtest differ over the demo market: {found['first_difference']}")
    return {key: found[key] for key in ("bars", "signals", "orders", "fills", "trades", "net_pnl")}


def answers(seat: students.Seat) -> dict[str, Any]:
    """Return what a student answers to known rows, and the digest of it."""
    width = len(seat.scorer.names)
    chances = seat.scorer.chances(np.array([[value] * width for value in ROWS]))
    told = [[round(float(each), PLACES) for each in row] for row in chances]
    return {"version": seat.scorer.version, "digest": hashlib.sha256(repr(told).encode()).hexdigest()}


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return where a release answers otherwise than it did when it was deployed."""
    told = []
    if before.get("student") != now.get("student"):
        told.append("the student answers otherwise than when it was deployed")
    for name, each in before.get("strategies", {}).items():
        if now["strategies"].get(name) != each:
            told.append(f"{name} trades the demo market otherwise than when it was deployed")
    return told


def standing(against: Sequence[str]) -> None:
    """Raise Failed naming what is not as it was released."""
    if against:
        raise Failed(f"what is here is not what was released: {'; '.join(against)}", fix=release_gate.FIX)


STUDENT = release_state.STUDENT
