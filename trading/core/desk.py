"""One bar through the desk: settle what waits, watch stop and target, then look, decide, size, object or order.

``settle`` is the paper market's half, ``react`` the desk's. Backtest, replay, dry-run and live all call these lines;
``kernel.py`` binds them to a strategy and, where wanted, compiles them.
"""

from __future__ import annotations

import math
from typing import Any

from trading.core.booking import RateTable, book, keep_drawdown, trip
from trading.core.features import Bar
from trading.core.fills import capacity, on_tick, protection, slipped
from trading.core.indicators import Memory
from trading.core.risk import (
    CARRY_ORDER,
    COOLING,
    OVER_CASH,
    SENTIMENT,
    SHORTS_FORBIDDEN,
    STUDENT_DOUBTS,
    TOO_LATE,
    UNSURE,
    objections,
)
from trading.core.rules import Setup
from trading.core.signals import FLAT, LONG, SHORT, STAY, Opinion, boosted, suppressed
from trading.core.sizing import available, shares, stake
from trading.core.state import (
    BARS,
    BARS_IN,
    BLOCK,
    BREAKER,
    COOL_UNTIL,
    ENTRY,
    ENTRY_I,
    EQUITY,
    EXIT,
    EXIT_WHY,
    EXPIRED,
    EXPOSURE,
    HALT_AT,
    HELD,
    LANE,
    LAST,
    LOT,
    MAX_HOLD,
    NOTHING,
    ORDER,
    ORDER_PAID,
    ORDER_PAISE,
    ORDERED,
    ORDERS,
    PEND,
    PEND_QTY,
    PEND_REF,
    PEND_SESSION,
    PEND_WAY,
    PEND_WHY,
    QTY,
    QUIET,
    RESERVED,
    SEEN,
    SHARES,
    SIDE,
    SIGNAL,
    SIGNAL_FLAT,
    SIGNAL_REVERSAL,
    SQUARE_OFF,
    STOP,
    TAKE_PROFIT,
    TARGET,
    TICK,
    TRADES_DAY,
    WAITING,
    Floats,
    Ints,
    emit,
    note,
)
from trading.core.strategies.crossover import (  # kernel.py binds each strategy's own
    advance,
    decide,
    keep,
    recall,
    volatility,
)


def settle(bar: Bar, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup, table: RateTable, ev: Floats) -> None:
    """Let the paper market act on this bar: fill what waits at its open, watch stop and target, mark to its close."""
    traded = 0
    if K[PEND] != NOTHING:
        traded = _fill_waiting(bar, L, K, A, N, s, table, ev)
    elif K[SIDE] == 0:
        return
    if K[SIDE] != 0:
        if K[SEEN] != bar.session:
            K[SEEN] = bar.session
            K[HELD] += 1
        if K[BARS] > K[ENTRY_I] or s.rules.arm_on_fill_bar == 1:
            why, level = protection(K[SIDE], bar.open, bar.high, bar.low, L[STOP], L[TARGET])
            if why != NOTHING:
                _protect(bar, why, level, traded, L, K, A, N, s, table, ev)
    mark(bar, L, K, A, N, s, ev)


def mark(bar: Bar, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup, ev: Floats) -> None:
    """Value the lane's position at this bar's close; keep the drawdown; open the breaker at the day's loss limit."""
    if K[SIDE] != 0:
        move = bar.close - L[LAST]
        A[EQUITY] += L[SHARES] * move
        A[EXPOSURE] += abs(L[SHARES]) * move
        L[LAST] = bar.close
        N[BARS_IN] += 1
    keep_drawdown(A)
    if A[EQUITY] <= A[HALT_AT] and N[BREAKER] == 0:
        trip(bar, A, N, ev)


def _fill_waiting(bar: Bar, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup, table: RateTable, ev: Floats) -> int:
    """Fill what waits at the bar's open as far as it goes and return how many shares that were."""
    way = K[PEND_WAY]
    if K[PEND] == ENTRY and s.rules.intraday == 1 and _too_late(bar, K, s):
        expire(bar, L, K, A, N, ev)
        return 0
    qty = obtainable(bar, 0, K, s)
    price = slipped(bar.open, way, s.venue.slippage, L[TICK])
    if K[PEND] == ENTRY:
        free = available(A) + K[PEND_QTY] * L[PEND_REF]
        if qty * price > free:
            qty = min(qty, shares(free, price, K[LOT]))
            if qty == 0:
                expire(bar, L, K, A, N, ev)
                return 0
    if qty > 0:
        if K[SIDE] == 0:
            K[SEEN] = bar.session
        book(bar, way, qty, price, L, K, A, N, s, table, ev)
    return qty


def _too_late(bar: Bar, K: Ints, s: Setup) -> bool:
    """Say whether what is entered now could not be left in its own session: an exit takes the open of a later bar."""
    return K[PEND_SESSION] != bar.session or bar.left < s.rules.square_off


def obtainable(bar: Bar, traded: int, K: Ints, s: Setup) -> int:
    """Return how many of the waiting shares this bar gives, whole lots, after ``traded`` of its volume were ours."""
    lots = (capacity(bar.volume, s.venue.participation) - traded) // K[LOT]
    return min(K[PEND_QTY], lots * K[LOT])


def _protect(
    bar: Bar, why: int, level: float, traded: int, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup, table: RateTable,
    ev: Floats,
) -> None:  # fmt: skip
    """Leave at a stop or target inside the bar, with what its volume still gives."""
    if K[PEND] == ENTRY:
        expire(bar, L, K, A, N, ev)
    way = -K[SIDE]
    if K[PEND] == NOTHING:
        order(bar, EXIT, way, K[QTY], level, why, L, K, A, N, ev)
    price = on_tick(level, way, L[TICK]) if why == TAKE_PROFIT else slipped(level, way, s.venue.slippage, L[TICK])
    qty = obtainable(bar, traded, K, s)
    if qty > 0:
        book(bar, way, qty, price, L, K, A, N, s, table, ev)


def order(
    bar: Bar, purpose: int, way: int, qty: int, price: float, why: int, L: Floats, K: Ints, A: Floats, N: Ints,
    ev: Floats,
) -> None:  # fmt: skip
    """Let an order wait for the next fill: ``qty`` shares, ``way`` +1 buy or −1 sell, sized at ``price``."""
    N[ORDERS] += 1
    K[ORDER], K[PEND], K[PEND_WAY], K[PEND_QTY], K[PEND_WHY] = N[ORDERS], purpose, way, qty, why
    K[PEND_SESSION] = bar.session
    K[ORDER_PAISE] = K[ORDER_PAID] = 0
    L[PEND_REF] = price
    if purpose == ENTRY:
        A[RESERVED] += qty * price
        N[WAITING] += 1
        N[TRADES_DAY] += 1
    else:
        K[EXIT_WHY] = why
    row = (float(N[ORDERS]), float(way), float(qty), price, float(purpose), float(why), 0.0, 0.0, 0.0, 0.0)
    emit(N, ev, ORDERED, K[LANE], K[BARS], bar.ts, row)


def expire(bar: Bar, L: Floats, K: Ints, A: Floats, N: Ints, ev: Floats) -> None:
    """Take back what is left of the lane's waiting entry; exits are never taken back."""
    A[RESERVED] -= K[PEND_QTY] * L[PEND_REF]
    N[WAITING] -= 1
    row = (float(K[ORDER]), float(K[PEND_WAY]), float(K[PEND_QTY]), float(K[PEND]), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    emit(N, ev, EXPIRED, K[LANE], K[BARS], bar.ts, row)
    K[PEND], K[PEND_QTY] = NOTHING, 0


def react(bar: Bar, m: Memory, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup, ev: Floats) -> Any:
    """Advance the features by this bar and act on the strategy's opinion; return the feature row."""
    f = look(bar, m, K, s)
    act(decide(f, K[SIDE], s.params), f, bar, L, K, A, N, s, ev)
    K[BARS] += 1
    return f


def look(bar: Bar, m: Memory, K: Ints, s: Setup) -> Any:
    """Show the lane's indicators this bar and return its feature row; ``K[BARS]`` is not counted on."""
    state, f = advance(recall(m), m, K[BARS], bar, s.params)
    keep(state, m)
    return f


def act(opinion: Opinion, f: Any, bar: Bar, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup, ev: Floats) -> None:
    """Order, object or leave it at that; without a position, only LONG and SHORT lead to anything."""
    if K[SIDE] != 0:
        why = leaving(opinion.direction, bar, K, s)
        if why != NOTHING and K[PEND] != EXIT:
            _leave(bar, opinion, why, L, K, A, N, ev)
    elif opinion.direction == LONG or opinion.direction == SHORT:
        _consider(bar, opinion, f, L, K, A, N, s, ev)


def leaving(direction: int, bar: Bar, K: Ints, s: Setup) -> int:
    """Return why the lane's position should be left at this bar's close, or NOTHING.

    The order fills at the next bar's open. A position that missed its last chance, because the symbol had no bars
    then, leaves on the first bar there is.
    """
    after_next = bar.left - s.minutes  # minutes of the session still to come when the next bar ends
    if s.rules.intraday == 1 and (after_next < s.rules.square_off or K[HELD] > 1):
        return SQUARE_OFF
    if 0 < s.rules.max_hold <= K[HELD] and (after_next < 1 or K[HELD] > s.rules.max_hold):
        return MAX_HOLD
    if direction == STAY or direction == K[SIDE] or K[HELD] < s.rules.min_hold:
        return NOTHING
    return SIGNAL_FLAT if direction == FLAT else SIGNAL_REVERSAL


def _leave(bar: Bar, opinion: Opinion, why: int, L: Floats, K: Ints, A: Floats, N: Ints, ev: Floats) -> None:
    if opinion.direction != STAY:
        _say(bar, opinion, opinion.confidence, 0, K, N, ev)
    if K[PEND] == ENTRY:
        expire(bar, L, K, A, N, ev)
    order(bar, EXIT, -K[SIDE], K[QTY], bar.close, why, L, K, A, N, ev)


def _consider(bar: Bar, opinion: Opinion, f: Any, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup, ev: Floats) -> None:
    sure = boosted(opinion.direction, opinion.confidence, bar.sentiment, s.sentiment)
    mask = _forbidden(bar, opinion.direction, sure, K, s)
    value = stake(bar.close, volatility(f), L, K, A, s.sizing) * (sure if s.sizing.by_confidence == 1 else 1.0)
    qty = shares(min(value, available(A)), bar.close, K[LOT])
    mask |= objections(qty * bar.close, qty, A, N, s.limits)
    if bar.ts < N[COOL_UNTIL]:
        mask |= COOLING
    if qty == 0 and value >= K[LOT] * bar.close:
        mask |= OVER_CASH  # it is not the size that comes to nothing
    _say(bar, opinion, sure, mask, K, N, ev)
    if mask == 0:
        order(bar, ENTRY, opinion.direction, qty, bar.close, 0, L, K, A, N, ev)
        if N[QUIET] == 0:
            note(N, ev, K[LANE], K[BARS], bar.ts, f)


def _forbidden(bar: Bar, direction: int, sure: float, K: Ints, s: Setup) -> int:
    mask = K[BLOCK]  # what stands outside speaks against, set by the engine's driver
    if suppressed(direction, bar.sentiment, s.sentiment):
        mask |= SENTIMENT
    if sure < s.rules.min_confidence:
        mask |= UNSURE
    if direction * bar.student < s.rules.min_student:  # never when there is no student: NaN
        mask |= STUDENT_DOUBTS
    if direction == SHORT and s.rules.allow_short == 0:
        mask |= SHORTS_FORBIDDEN
    if s.rules.intraday == 1 and bar.left < s.rules.entry_cutoff:
        mask |= TOO_LATE
    if K[PEND] != NOTHING:
        mask |= CARRY_ORDER
    return mask


def _say(bar: Bar, opinion: Opinion, sure: float, mask: int, K: Ints, N: Ints, ev: Floats) -> None:
    row = (
        float(opinion.direction), sure, float(opinion.reason), bar.sentiment, float(mask), bar.close, float(K[SIDE]),
        bar.student if K[SIDE] == 0 else math.nan, 0.0, 0.0,
    )  # fmt: skip
    emit(N, ev, SIGNAL, K[LANE], K[BARS], bar.ts, row)
