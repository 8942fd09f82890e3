"""What a fill does to the lane and the account: cash, charges, position, closed trade; and the turn of the day.

A fill is booked at intraday rates; what is still held when the session changes is carried to delivery rates, and a
later sale pays as delivery. So a trade's charges follow its dates, whatever the strategy meant. The day's STT is
rounded once: each fill pays what the rounded total grew by.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from trading.core.charges import Rates, dp_charge, levies, stt_rounded, stt_scaled
from trading.core.features import Bar
from trading.core.risk import halt_level
from trading.core.rules import Setup
from trading.core.state import (
    AVG,
    BARS,
    BREAKER,
    BROKE,
    CARRIED,
    CARRY,
    CASH,
    CHARGES_DAY,
    COOL_UNTIL,
    COST,
    DAY_END,
    DAY_START,
    DP_SESSION,
    DRAWDOWN,
    ENTRY,
    ENTRY_I,
    ENTRY_PAISE,
    ENTRY_SESSION,
    ENTRY_TS,
    EQUITY,
    EXIT_WHY,
    EXPOSURE,
    FILLED,
    HALT_AT,
    HELD,
    LANE,
    LAST,
    LOSSES,
    LOST,
    NOTHING,
    OPEN,
    ORDER,
    ORDER_PAID,
    ORDER_PAISE,
    OUT_QTY,
    OUT_VALUE,
    PEAK,
    PEND,
    PEND_QTY,
    PEND_REF,
    QTY,
    RATE_ROW,
    REALISED_DAY,
    RESERVED,
    SESSION,
    SHARES,
    SIDE,
    STOP,
    STREAK,
    STT_PAID,
    STT_SCALED,
    TARGET,
    TOTAL_QTY,
    TRADE_COST,
    TRADED,
    TRADES_DAY,
    TROUGH,
    WAITING,
    WINS,
    WON,
    Floats,
    Ints,
    emit,
)

RateTable = Sequence[Sequence[int]]


def rates_at(table: RateTable, row: int) -> Rates:
    """Return a row of the rate table (shape rows × 16) as Rates."""
    r = table[row]
    return Rates(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14], r[15])


def paise(rupees: float) -> int:
    """Return rupees in whole paise, half up."""
    return math.floor(rupees * 100.0 + 0.5)


def leg_cost(value: float, way: int, purpose: int, session: int, K: Ints, N: Ints, s: Setup, table: RateTable) -> float:
    """Return what this fill costs in rupees; an order filled in parts costs what it would have cost in one."""
    if s.costs.flat >= 0.0:
        return s.costs.flat * value
    rates = rates_at(table, N[RATE_ROW])
    amount = paise(value)
    buy = 1 if way > 0 else 0
    closing = 0 if purpose == ENTRY else 1
    delivery = 1 if closing == 1 and K[ENTRY_SESSION] != session else 0
    K[ORDER_PAISE] += amount
    fee, transaction, sebi, stamp, gst = levies(K[ORDER_PAISE], buy, delivery, closing - delivery, rates)
    total = fee + transaction + sebi + stamp + gst
    cost = total - K[ORDER_PAID] + stt_due(stt_scaled(amount, buy, delivery, rates), N, rates)
    K[ORDER_PAID] = total
    if delivery == 1 and buy == 0 and K[DP_SESSION] != session:
        K[DP_SESSION] = session
        cost += dp_charge(rates)
    return cost / 100.0


def stt_due(scaled: int, N: Ints, rates: Rates) -> int:
    """Add a leg's STT to the day's and return by how many paise the rounded total grew."""
    N[STT_SCALED] += scaled
    due = stt_rounded(N[STT_SCALED], rates)
    grown = due - N[STT_PAID]
    N[STT_PAID] = due
    return grown


def book(
    bar: Bar, way: int, qty: int, price: float, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup, table: RateTable,
    ev: Floats,
) -> None:  # fmt: skip
    """Book one fill of the lane's working order: ``way`` +1 bought, −1 sold, ``qty`` shares at ``price`` rupees."""
    purpose = K[PEND]
    value = qty * price
    cost = leg_cost(value, way, purpose, bar.session, K, N, s, table)
    if K[SIDE] == 0:
        L[LAST] = price
    A[CASH] -= way * value + cost
    A[EQUITY] += way * qty * (L[LAST] - price) - cost
    A[EXPOSURE] += (qty if purpose == ENTRY else -qty) * L[LAST]
    A[CHARGES_DAY] += cost
    L[TRADE_COST] += cost
    K[PEND_QTY] -= qty
    row = (float(K[ORDER]), float(way), float(qty), price, cost, float(purpose), float(K[PEND_QTY]), 0.0, 0.0, 0.0)
    emit(N, ev, FILLED, K[LANE], K[BARS], bar.ts, row)
    if purpose == ENTRY:
        _enter(bar, way, qty, price, L, K, A, N, s)
    else:
        _leave(bar, qty, price, L, K, A, N, s, ev)
    if K[PEND_QTY] == 0:
        K[PEND] = NOTHING


def _enter(bar: Bar, way: int, qty: int, price: float, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup) -> None:
    A[RESERVED] -= qty * L[PEND_REF]
    if K[PEND_QTY] == 0:
        N[WAITING] -= 1
    K[QTY] += qty
    K[TOTAL_QTY] += qty
    L[SHARES] += way * qty
    K[ENTRY_PAISE] += paise(qty * price)
    L[COST] += qty * price
    if K[SIDE] == 0:
        K[SIDE], K[ENTRY_I], K[ENTRY_TS], K[ENTRY_SESSION], K[HELD] = way, K[BARS], bar.ts, bar.session, 1
        L[AVG] = price
        N[OPEN] += 1
    else:
        L[AVG] = L[COST] / K[TOTAL_QTY]
    L[STOP] = L[AVG] * (1.0 - way * s.rules.stop_loss) if s.rules.stop_loss > 0.0 else 0.0
    L[TARGET] = L[AVG] * (1.0 + way * s.rules.take_profit) if s.rules.take_profit > 0.0 else 0.0


def _leave(bar: Bar, qty: int, price: float, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup, ev: Floats) -> None:
    K[QTY] -= qty
    K[OUT_QTY] += qty
    L[SHARES] -= K[SIDE] * qty
    L[OUT_VALUE] += qty * price
    if K[QTY] > 0:
        return
    exit_price = price if K[OUT_QTY] == qty else L[OUT_VALUE] / K[OUT_QTY]
    gross = K[SIDE] * K[TOTAL_QTY] * (exit_price - L[AVG])
    if s.costs.flat < 0.0:
        gross = math.floor(gross * 100.0 + 0.5) / 100.0
    net = gross - L[TRADE_COST]
    row = (
        float(K[SIDE]), float(K[TOTAL_QTY]), L[AVG], exit_price, float(K[ENTRY_I]), float(K[ENTRY_TS]),
        L[TRADE_COST], net, float(K[EXIT_WHY]), gross,
    )  # fmt: skip
    emit(N, ev, TRADED, K[LANE], K[BARS], bar.ts, row)
    A[REALISED_DAY] += net
    N[OPEN] -= 1
    if net > 0.0:
        K[WINS] += 1
        L[WON] += net
        N[STREAK] = 0
    else:
        K[LOSSES] += 1
        L[LOST] -= net
        N[STREAK] += 1
        if 0 < s.limits.loss_streak <= N[STREAK]:
            N[COOL_UNTIL], N[STREAK] = bar.ts + 60 * s.limits.cool_down, 0
    _clear(L, K)


def _clear(L: Floats, K: Ints) -> None:
    L[AVG] = L[COST] = L[STOP] = L[TARGET] = L[OUT_VALUE] = L[TRADE_COST] = 0.0
    K[SIDE] = K[QTY] = K[TOTAL_QTY] = K[OUT_QTY] = K[HELD] = K[ENTRY_PAISE] = K[CARRIED] = 0


def carry(L: Floats, K: Ints, A: Floats, N: Ints, s: Setup, table: RateTable, ev: Floats) -> None:
    """Move what was bought in this session and is held past its end to delivery rates; a short pays no more."""
    fresh = K[ENTRY_PAISE] - K[CARRIED]
    K[CARRIED] = K[ENTRY_PAISE]
    if fresh == 0 or s.costs.flat >= 0.0 or K[SIDE] < 0:
        return
    rates = rates_at(table, N[RATE_ROW])
    held = fresh * K[QTY] // K[TOTAL_QTY]
    a0, b0, c0, d0, e0 = levies(held, 1, 0, 0, rates)
    a1, b1, c1, d1, e1 = levies(held, 1, 1, 0, rates)
    more = a1 + b1 + c1 + d1 + e1 - a0 - b0 - c0 - d0 - e0
    cost = (more + stt_due(stt_scaled(held, 1, 1, rates), N, rates)) / 100.0
    A[CASH] -= cost
    A[EQUITY] -= cost
    A[CHARGES_DAY] += cost
    L[TRADE_COST] += cost
    emit(N, ev, CARRY, K[LANE], K[BARS], K[ENTRY_TS], (cost, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))


def keep_drawdown(A: Floats) -> None:
    """Move the account's peak, or the deepest fall below it, to where the equity stands now."""
    if A[EQUITY] > A[PEAK]:
        A[PEAK] = A[EQUITY]
        A[TROUGH] = A[PEAK] * (1.0 - A[DRAWDOWN])
    elif A[EQUITY] < A[TROUGH]:
        A[TROUGH] = A[EQUITY]
        A[DRAWDOWN] = 1.0 - A[EQUITY] / A[PEAK]


def turn_day(
    session: int, ts: int, lanes_L: Sequence[Floats], lanes_K: Sequence[Ints], A: Floats, N: Ints, s: Setup,
    table: RateTable, changes: Sequence[int], ev: Floats,
) -> None:  # fmt: skip
    """Close the account's session, if one is open, and begin ``session`` (an ordinal) with fresh daily counts.

    ``changes`` are the first sessions (ordinals, ascending) of the rate table's rows.
    """
    if N[SESSION] >= 0:
        for j in range(len(lanes_K)):
            carry(lanes_L[j], lanes_K[j], A, N, s, table, ev)
        keep_drawdown(A)  # the night's charges count, even when no bar comes before the account recovers
        day, entries = float(N[SESSION]), float(N[TRADES_DAY])
        row = (day, A[EQUITY], A[CASH], A[EXPOSURE], A[CHARGES_DAY], entries, 0.0, 0.0, 0.0, 0.0)
        emit(N, ev, DAY_END, -1, 0, ts, row)
    N[SESSION] = session
    N[TRADES_DAY] = N[STT_SCALED] = N[STT_PAID] = 0
    A[CHARGES_DAY] = A[REALISED_DAY] = 0.0
    A[DAY_START] = A[EQUITY]
    A[HALT_AT] = halt_level(A, s.limits)
    if s.limits.latched == 0:
        N[BREAKER] = 0
    while N[RATE_ROW] + 1 < len(changes) and changes[N[RATE_ROW] + 1] <= session:
        N[RATE_ROW] += 1
    for j in range(len(lanes_K)):
        lanes_K[j][ORDER_PAISE] = 0
        lanes_K[j][ORDER_PAID] = 0


def trip(bar: Bar, A: Floats, N: Ints, ev: Floats) -> None:
    """Open the daily-loss breaker: entries stop until it is reset."""
    N[BREAKER] = 1
    emit(N, ev, BROKE, -1, 0, bar.ts, (A[EQUITY], A[DAY_START], 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
