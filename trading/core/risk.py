"""What speaks against an entry: every objection is found, not only the first."""

from __future__ import annotations

from trading.core.rules import Limits
from trading.core.sizing import available
from trading.core.state import (
    BREAKER,
    DAY_START,
    ELSEWHERE,
    EXPOSURE,
    NEVER,
    OPEN,
    PAUSED,
    RESERVED,
    TRADES_DAY,
    WAITING,
    Floats,
    Ints,
)

NO_QUANTITY = 1
OVER_CASH = 2
OVER_EXPOSURE = 4
OVER_SYMBOL = 8
TOO_MANY_POSITIONS = 16
TOO_MANY_TRADES = 32
BREAKER_OPEN = 64
PAUSED_BY_OPERATOR = 128
SENTIMENT = 256
UNSURE = 512
SHORTS_FORBIDDEN = 1024
TOO_LATE = 2048
CARRY_ORDER = 4096
FEED_STALE = 8192
HALTED = 16384
NO_BROKER = 32768
BAR_LATE = 65536
BUDGET_LOW = 131072
NOT_RECONCILED = 262144
NOT_CONTINUOUS = 524288
NOT_ARMED = 1048576
COOLING = 2097152
KILLED = 4194304
STUDENT_DOUBTS = 8388608
NOT_RELEASED = 16777216

OBJECTIONS: dict[int, str] = {
    NO_QUANTITY: "the size comes to less than one lot",
    OVER_CASH: "not enough free cash",
    OVER_EXPOSURE: "the desk's exposure limit would be exceeded",
    OVER_SYMBOL: "the symbol's exposure limit would be exceeded",
    TOO_MANY_POSITIONS: "as many positions as allowed are open or waiting",
    TOO_MANY_TRADES: "as many entries as allowed were made today",
    BREAKER_OPEN: "the daily-loss breaker is open",
    PAUSED_BY_OPERATOR: "an operator paused entries",
    SENTIMENT: "sentiment is below the gate",
    UNSURE: "confidence is below the minimum",
    SHORTS_FORBIDDEN: "short selling is not allowed here",
    TOO_LATE: "too little of the session is left",
    CARRY_ORDER: "an order in this symbol is still working",
    FEED_STALE: "the symbol's feed is stale",
    HALTED: "the symbol is halted or at its price band",
    NO_BROKER: "there is no session at the broker",
    BAR_LATE: "the bar came too late to act on",
    BUDGET_LOW: "the broker's call budget is nearly spent",
    NOT_RECONCILED: "the broker's book does not agree with ours yet",
    NOT_CONTINUOUS: "the exchange is not in continuous trading",
    NOT_ARMED: "live trading is not armed for today",
    COOLING: "the desk cools down after losses in a row",
    KILLED: "the kill switch is on",
    STUDENT_DOUBTS: "the student model is not sure enough",
    NOT_RELEASED: "the deployed release stops entries",
}


def reasons(mask: int) -> list[str]:
    """Return the objections in ``mask`` as sentences."""
    return [text for bit, text in OBJECTIONS.items() if mask & bit]


def objections(value: float, quantity: int, A: Floats, N: Ints, limits: Limits) -> int:
    """Return every objection to an entry worth ``value`` rupees as a mask of bits; 0 is none."""
    mask = 0
    if quantity <= 0:
        mask |= NO_QUANTITY
    if value > available(A):
        mask |= OVER_CASH
    if N[BREAKER] == 1:
        mask |= BREAKER_OPEN
    if N[PAUSED] == 1:
        mask |= PAUSED_BY_OPERATOR
    return mask | _over_limits(value, A, N, limits)


def _over_limits(value: float, A: Floats, N: Ints, limits: Limits) -> int:
    mask = 0
    if 0.0 < limits.max_exposure < A[EXPOSURE] + A[RESERVED] + A[ELSEWHERE] + value:
        mask |= OVER_EXPOSURE
    if 0.0 < limits.max_symbol_exposure < value:
        mask |= OVER_SYMBOL
    if 0 < limits.max_positions <= N[OPEN] + N[WAITING]:
        mask |= TOO_MANY_POSITIONS
    if 0 < limits.max_trades_day <= N[TRADES_DAY]:
        mask |= TOO_MANY_TRADES
    return mask


def halt_level(A: Floats, limits: Limits) -> float:
    """Return the equity in rupees at which the session's loss, open positions included, opens the breaker."""
    level = NEVER
    if limits.daily_loss > 0.0:
        level = A[DAY_START] - limits.daily_loss
    if limits.daily_loss_pct > 0.0:
        level = max(level, A[DAY_START] * (1.0 - limits.daily_loss_pct / 100.0))
    return level
