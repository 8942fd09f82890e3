"""How many shares a signal is worth: fixed, by Kelly's stake, or by what one ATR would cost."""

from __future__ import annotations

from trading.core.rules import FIXED_QUANTITY, KELLY, NOTIONAL, Sizing
from trading.core.state import EQUITY, EXPOSURE, FIXED, LOSSES, LOST, RESERVED, WINS, WON, Floats, Ints

KELLY_TRADES = 20  # trades before the lane's own record is believed


def available(A: Floats) -> float:
    """Return the rupees not tied up in positions or waiting entries; every position is fully funded."""
    return A[EQUITY] - A[EXPOSURE] - A[RESERVED]


def kelly_stake(wins: int, losses: int, won: float, lost: float) -> float:
    """Return Kelly's fraction p − (1 − p) / b of equity, at least 0; 1 when nothing was ever lost.

    ``won`` and ``lost`` are the sums of net gains and losses in rupees. Source: J. L. Kelly (1956).
    """
    if wins == 0:
        return 0.0
    if losses == 0 or lost <= 0.0:
        return 1.0
    p = wins / (wins + losses)
    payoff = (won / wins) / (lost / losses)
    return max(0.0, p - (1.0 - p) / payoff) if payoff > 0.0 else 0.0


def stake(price: float, atr: float, L: Floats, K: Ints, A: Floats, z: Sizing) -> float:
    """Return the value in rupees the rule asks for, before confidence and limits; 0 when it cannot say."""
    if z.mode == FIXED_QUANTITY:
        return K[FIXED] * price
    if z.mode == NOTIONAL:
        return z.notional
    if z.mode == KELLY:
        if K[WINS] + K[LOSSES] < KELLY_TRADES:
            return z.kelly_cap * A[EQUITY]
        share = z.kelly_fraction * kelly_stake(K[WINS], K[LOSSES], L[WON], L[LOST])
        return min(share, z.kelly_cap) * A[EQUITY]
    if atr > 0.0:
        return A[EQUITY] * z.risk / (z.atr_multiple * atr) * price
    return 0.0


def shares(value: float, price: float, lot: int) -> int:
    """Return how many shares ``value`` rupees buy, whole lots only, never below 0."""
    if price <= 0.0 or value <= 0.0:
        return 0
    return int(value / price + 1e-9) // lot * lot
