"""Where a lane and an account keep their numbers: slots of flat sequences, lists in the engine, arrays when compiled.

A *lane* is one symbol traded by one strategy. ``L`` are its floats, ``K`` its whole numbers, ``m`` its indicators'
memory; ``A`` are the account's floats, ``N`` its whole numbers; ``ev`` is a flat buffer of event rows.
Money in ``L`` and ``A`` is rupees; whole numbers of money in ``K`` and ``N`` are paise.
"""

from __future__ import annotations

import math
from collections.abc import MutableSequence
from typing import Any, NamedTuple

Floats = MutableSequence[float]
Ints = MutableSequence[int]

# L: floats of a lane
LAST, AVG, COST, STOP, TARGET, OUT_VALUE, TRADE_COST, PEND_REF, TICK, WON, LOST, SHARES = range(12)
LANE_FLOATS = 12

# K: whole numbers of a lane
(
    BARS, SIDE, QTY, TOTAL_QTY, OUT_QTY, ENTRY_I, ENTRY_TS, ENTRY_SESSION, HELD, PEND, PEND_WAY, PEND_QTY, PEND_WHY,
    PEND_SESSION, ORDER, ORDER_PAISE, ORDER_PAID, ENTRY_PAISE, CARRIED, DP_SESSION, WINS, LOSSES, LANE, LOT, FIXED,
    SEEN, EXIT_WHY, BLOCK,
) = range(28)  # fmt: skip
LANE_INTS = 28

# A: floats of an account
(
    CASH, EQUITY, EXPOSURE, RESERVED, DAY_START, PEAK, DRAWDOWN, CHARGES_DAY, REALISED_DAY, CAPITAL, TROUGH, HALT_AT,
    ELSEWHERE,
) = range(13)  # fmt: skip
ACCOUNT_FLOATS = 13

# N: whole numbers of an account
(
    SESSION, OPEN, WAITING, TRADES_DAY, BREAKER, STT_SCALED, STT_PAID, RATE_ROW, STREAK, ORDERS, EVENTS, OVERFLOW,
    BARS_IN, PAUSED, QUIET, COOL_UNTIL,
) = range(16)  # fmt: skip
ACCOUNT_INTS = 16

NEVER = -1e300  # a level no equity falls to; finite, because JSON knows no infinity

# K[PEND]: what waits to be filled
NOTHING, ENTRY, EXIT = 0, 1, 2

# why a position is left
STOP_LOSS, TAKE_PROFIT, SIGNAL_FLAT, SIGNAL_REVERSAL, SQUARE_OFF, MAX_HOLD, OPERATOR = 1, 2, 3, 4, 5, 6, 7
EXIT_REASONS = {
    STOP_LOSS: "stop_loss",
    TAKE_PROFIT: "take_profit",
    SIGNAL_FLAT: "signal_flat",
    SIGNAL_REVERSAL: "signal_reversal",
    SQUARE_OFF: "square_off",
    MAX_HOLD: "max_hold",
    OPERATOR: "operator",
}

# event rows: kind, lane, bar number, bar start, then ten numbers each kind names below
WIDTH = 14
SIGNAL, ORDERED, FILLED, EXPIRED, TRADED, DAY_END, CARRY, BROKE, NOTED = range(1, 10)
NOTES = 9  # numbers of a feature row that one event holds
EVENT_FIELDS: dict[int, tuple[str, ...]] = {
    SIGNAL: ("direction", "confidence", "reason", "sentiment", "objections", "price", "side", "student"),
    ORDERED: ("order", "way", "quantity", "price", "purpose", "why"),
    FILLED: ("order", "way", "quantity", "price", "charge", "purpose", "remaining"),
    EXPIRED: ("order", "way", "quantity", "purpose"),
    TRADED: (
        *("side", "quantity", "entry_price", "exit_price", "entry_bar", "entry_ts"),
        *("charges", "net", "why", "gross"),
    ),
    DAY_END: ("session", "equity", "cash", "exposure", "charges", "trades"),
    CARRY: ("charge",),
    BROKE: ("equity", "day_start"),
    NOTED: ("first", *(f"note_{j}" for j in range(NOTES))),
}


class Happening(NamedTuple):
    """One event row, unpacked."""

    kind: int
    lane: int
    bar: int
    ts: int
    values: dict[str, float]


def new_lane(lane: int, *, tick: float, lot: int, fixed: int = 0) -> tuple[list[float], list[int]]:
    """Return the floats and whole numbers of a lane that has seen nothing."""
    floats = [0.0] * LANE_FLOATS
    ints = [0] * LANE_INTS
    floats[TICK] = tick
    ints[LANE], ints[LOT], ints[FIXED] = lane, max(1, lot), fixed
    ints[DP_SESSION] = -1
    return floats, ints


def new_account(capital: float) -> tuple[list[float], list[int]]:
    """Return the floats and whole numbers of an account that holds ``capital`` rupees and nothing else."""
    floats = [0.0] * ACCOUNT_FLOATS
    ints = [0] * ACCOUNT_INTS
    floats[CASH] = floats[EQUITY] = floats[DAY_START] = floats[PEAK] = floats[CAPITAL] = floats[TROUGH] = capital
    floats[HALT_AT] = NEVER
    ints[SESSION] = -1
    return floats, ints


def emit(
    N: Ints,
    ev: Floats,
    kind: int,
    lane: int,
    bar: int,
    ts: int,
    values: tuple[float, float, float, float, float, float, float, float, float, float],
) -> None:
    """Append an event row; when the buffer is full only count it, so the caller can see and give a larger one.

    A quiet account keeps closed trades and ends of days only.
    """
    if N[QUIET] == 1 and kind != TRADED and kind != DAY_END:
        return
    at = N[EVENTS] * WIDTH
    if at + WIDTH > len(ev):
        N[OVERFLOW] += 1
        return
    ev[at] = kind
    ev[at + 1] = lane
    ev[at + 2] = bar
    ev[at + 3] = ts
    for j in range(10):
        ev[at + 4 + j] = values[j]
    N[EVENTS] += 1


def note(N: Ints, ev: Floats, lane: int, bar: int, ts: int, f: Any) -> None:
    """Append the feature row ``f`` (a tuple of floats) that an entry was decided on, nine numbers an event."""
    for first in range(0, len(f), NOTES):
        row = (
            float(first), part(f, first), part(f, first + 1), part(f, first + 2), part(f, first + 3),
            part(f, first + 4), part(f, first + 5), part(f, first + 6), part(f, first + 7), part(f, first + 8),
        )  # fmt: skip
        emit(N, ev, NOTED, lane, bar, ts, row)


def part(f: Any, j: int) -> float:
    """Return number ``j`` of the tuple ``f``, NaN beyond its end."""
    return f[j] if j < len(f) else math.nan


def happenings(N: Ints, ev: Floats) -> list[Happening]:
    """Return the events in the buffer, oldest first."""
    rows = []
    for at in range(0, N[EVENTS] * WIDTH, WIDTH):
        kind = int(ev[at])
        values = {name: float(ev[at + 4 + j]) for j, name in enumerate(EVENT_FIELDS[kind])}
        rows.append(Happening(kind, int(ev[at + 1]), int(ev[at + 2]), int(ev[at + 3]), values))
    return rows
