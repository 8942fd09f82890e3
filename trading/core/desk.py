"""One bar through the desk: settle what waits, watch stop and target, then look, decide, size, object or order.

``settle`` is the paper market's half, ``react`` the desk's. Backtest, replay, dry-run and live all call these lines;
``kernel.py`` binds them to a strategy and, where wanted, compiles them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trading.core.booking import RateTable, book, trip, turn_day
from trading.core.features import Bar
from trading.core.fills import capacity, on_tick, protection, slipped
from trading.core.indicators import Memory
from trading.core.metrics import measure, write
from trading.core.risk import (
    CARRY_ORDER,
    SENTIMENT,
    SHORTS_FORBIDDEN,
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
    BREAKER,
    CAPITAL,
    DRAWDOWN,
    ENTRY,
    ENTRY_I,
    EQUITY,
    EVENTS,
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
    PEAK,
    PEND,
    PEND_QTY,
    PEND_REF,
    PEND_SESSION,
    PEND_WAY,
    PEND_WHY,
    QTY,
    RESERVED,
    SEEN,
    SESSION,
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
    TROUGH,
    TRADES_DAY,
    WAITING,
    Floats,
    Ints,
    emit,
)
from trading.core.strategies.crossover import advance, decide, keep, recall, volatility  # kernel.py binds each strategy's own


def settle(
    bar: Bar, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup, table: RateTable, ev: Floats
) -> None:
    """Let the paper market act on this bar: fill what waits at its open, then stop and target, then mark to its close."""
    if K[PEND] != NOTHING:
        _fill_waiting(bar, L, K, A, N, s, table, ev)
    if K[SIDE] == 0:
        return
    if K[SEEN] != bar.session:
        K[SEEN] = bar.session
        K[HELD] += 1
    if K[BARS] > K[ENTRY_I] or s.rules.arm_on_fill_bar == 1:
        why, level = protection(K[SIDE], bar.open, bar.high, bar.low, L[STOP], L[TARGET])
        if why != NOTHING:
            _protect(bar, why, level, L, K, A, N, s, table, ev)
    mark(bar, L, K, A, N, s, ev)


def mark(bar: Bar, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup, ev: Floats) -> None:
    """Value the lane's position at this bar's close; keep the drawdown; open the breaker if the day's loss is reached."""
    if K[SIDE] != 0:
        move = bar.close - L[LAST]
        A[EQUITY] += L[SHARES] * move
        A[EXPOSURE] += abs(L[SHARES]) * move
        L[LAST] = bar.close
        N[BARS_IN] += 1
    if A[EQUITY] > A[PEAK]:
        A[PEAK] = A[EQUITY]
        A[TROUGH] = A[PEAK] * (1.0 - A[DRAWDOWN])
    elif A[EQUITY] < A[TROUGH]:
        A[TROUGH] = A[EQUITY]
        A[DRAWDOWN] = 1.0 - A[EQUITY] / A[PEAK]
    if A[EQUITY] <= A[HALT_AT] and N[BREAKER] == 0:
        trip(bar, A, N, ev)


def _fill_waiting(
    bar: Bar, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup, table: RateTable, ev: Floats
) -> None:
    way = K[PEND_WAY]
    if K[PEND] == ENTRY and s.rules.intraday == 1 and K[PEND_SESSION] != bar.session:
        expire(bar, L, K, A, N, ev)
        return
    qty = min(K[PEND_QTY], capacity(bar.volume, s.venue.participation))
    price = slipped(bar.open, way, s.venue.slippage, L[TICK])
    if K[PEND] == ENTRY:
        free = available(A) + K[PEND_QTY] * L[PEND_REF]
        if qty * price > free:
            qty = min(qty, shares(free, price, K[LOT]))
            if qty == 0:
                expire(bar, L, K, A, N, ev)
                return
    if qty > 0:
        if K[SIDE] == 0:
            K[SEEN] = bar.session
        book(bar, way, qty, price, L, K, A, N, s, table, ev)


def _protect(
    bar: Bar, why: int, level: float, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup, table: RateTable, ev: Floats
) -> None:
    if K[PEND] == ENTRY:
        expire(bar, L, K, A, N, ev)
    way = -K[SIDE]
    if K[PEND] == NOTHING:
        order(bar, EXIT, way, K[QTY], level, why, L, K, A, N, ev)
    price = on_tick(level, way, L[TICK]) if why == TAKE_PROFIT else slipped(level, way, s.venue.slippage, L[TICK])
    qty = min(K[PEND_QTY], capacity(bar.volume, s.venue.participation))
    if qty > 0:
        book(bar, way, qty, price, L, K, A, N, s, table, ev)


def order(
    bar: Bar, purpose: int, way: int, qty: int, price: float, why: int, L: Floats, K: Ints, A: Floats, N: Ints,
    ev: Floats,
) -> None:  # fmt: skip
    """Let an order wait for the next fill: ``qty`` shares, ``way`` +1 buy or −1 sell, ``price`` what it was sized at."""
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
    """Take back what is left of the lane's waiting order."""
    if K[PEND] == ENTRY:
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


def act(
    opinion: Opinion, f: Any, bar: Bar, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup, ev: Floats
) -> None:
    """Order, object or leave it at that; without a position, only LONG and SHORT lead to anything."""
    if K[SIDE] != 0:
        why = leaving(opinion.direction, bar, K, s)
        if why != NOTHING and K[PEND] != EXIT:
            _leave(bar, opinion, why, L, K, A, N, ev)
    elif opinion.direction == LONG or opinion.direction == SHORT:
        _consider(bar, opinion, volatility(f), L, K, A, N, s, ev)


def leaving(direction: int, bar: Bar, K: Ints, s: Setup) -> int:
    """Return why the lane's position should be left at this bar's close, or NOTHING."""
    if s.rules.intraday == 1 and bar.left - s.minutes < s.rules.square_off:
        return SQUARE_OFF
    if 0 < s.rules.max_hold <= K[HELD]:
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


def _consider(
    bar: Bar, opinion: Opinion, atr: float, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup, ev: Floats
) -> None:
    sure = boosted(opinion.direction, opinion.confidence, bar.sentiment, s.sentiment)
    mask = _forbidden(bar, opinion.direction, sure, K, s)
    value = stake(bar.close, atr, L, K, A, s.sizing) * (sure if s.sizing.by_confidence == 1 else 1.0)
    qty = shares(min(value, available(A)), bar.close, K[LOT])
    mask |= objections(qty * bar.close, qty, A, N, s.limits)
    _say(bar, opinion, sure, mask, K, N, ev)
    if mask == 0:
        order(bar, ENTRY, opinion.direction, qty, bar.close, 0, L, K, A, N, ev)


def _forbidden(bar: Bar, direction: int, sure: float, K: Ints, s: Setup) -> int:
    mask = 0
    if suppressed(direction, bar.sentiment, s.sentiment):
        mask |= SENTIMENT
    if sure < s.rules.min_confidence:
        mask |= UNSURE
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
        0.0, 0.0, 0.0,
    )  # fmt: skip
    emit(N, ev, SIGNAL, K[LANE], K[BARS], bar.ts, row)


# ---- drivers: loops over the functions above, and nothing else --------------------------------------------------------


def bar_at(
    ts: Any, o: Any, h: Any, l: Any, c: Any, v: Any, sentiment: Any, session: Any, minute: Any, left: Any, i: int
) -> Bar:
    """Return bar ``i`` of the columns; sentiment may be empty."""
    score = sentiment[i] if len(sentiment) > 0 else NAN
    return Bar(o[i], h[i], l[i], c[i], v[i], score, session[i], minute[i], left[i], ts[i])


def run_alone(
    ts: Any, o: Any, h: Any, l: Any, c: Any, v: Any, sentiment: Any, session: Any, minute: Any, left: Any,
    starts: Any, stops: Any, m: Any, L: Any, K: Any, A: Any, N: Any, s: Setup, table: RateTable,
    changes: Sequence[int], ev: Any, out: Any,
) -> None:  # fmt: skip
    """Drive every lane through its bars with an account of its own and write its measures into ``out``.

    Bars of all lanes lie one lane after another; row j of ``L`` (lanes × 1 × floats), ``K``, ``A``, ``N``, ``ev`` and
    ``out`` is lane j's. ``m`` is one lane's memory, cleared for each.
    """
    for j in range(len(stops)):
        a, b = starts[j], stops[j]
        scores = sentiment[a:b] if len(sentiment) > 0 else sentiment
        m[:] = 0.0
        _lane(
            ts[a:b], o[a:b], h[a:b], l[a:b], c[a:b], v[a:b], scores, session[a:b], minute[a:b], left[a:b],
            m, L[j], K[j], A[j], N[j], s, table, changes, ev[j],
        )  # fmt: skip
        close_account(ts[b - 1], b - a, L[j], K[j], A[j], N[j], s, table, ev[j], out[j])


def _lane(
    ts: Any, o: Any, h: Any, l: Any, c: Any, v: Any, sentiment: Any, session: Any, minute: Any, left: Any,
    m: Memory, L: Any, K: Any, A: Floats, N: Ints, s: Setup, table: RateTable, changes: Sequence[int], ev: Floats,
) -> None:  # fmt: skip
    L0, K0 = L[0], K[0]
    state = recall(m)  # stays in registers while the lane is driven
    i, count = 0, len(o)
    while 0 <= i < count:  # the compiler need not ask again whether i is negative
        if K0[PEND] == NOTHING and K0[SIDE] == 0:
            today = N[SESSION]
            while 0 <= i < count and session[i] == today:  # a flat lane only looks, until the strategy speaks
                bar = bar_at(ts, o, h, l, c, v, sentiment, session, minute, left, i)
                state, f = advance(state, m, i, bar, s.params)
                opinion = decide(f, 0, s.params)
                i += 1
                if opinion.direction == LONG or opinion.direction == SHORT:
                    K0[BARS] = i - 1
                    act(opinion, f, bar, L0, K0, A, N, s, ev)
                    break
        if 0 <= i < count:
            bar = bar_at(ts, o, h, l, c, v, sentiment, session, minute, left, i)
            if bar.session != N[SESSION]:
                turn_day(bar.session, bar.ts, L, K, A, N, s, table, changes, ev)
            K0[BARS] = i
            settle(bar, L0, K0, A, N, s, table, ev)
            state, f = advance(state, m, i, bar, s.params)
            act(decide(f, K0[SIDE], s.params), f, bar, L0, K0, A, N, s, ev)
            i += 1
    K0[BARS] = count


def run_sweep(
    ts: Any, o: Any, h: Any, l: Any, c: Any, v: Any, sentiment: Any, session: Any, minute: Any, left: Any,
    m: Memory, L: Any, K: Any, A: Any, N: Any, setups: Any, table: RateTable, changes: Sequence[int], ev: Any, out: Any,
) -> None:  # fmt: skip
    """Drive one lane's bars under many setups that share their feature windows, each with its own account.

    Row g of ``L`` (setups × 1 × floats), ``K``, ``A``, ``N``, ``ev`` and ``out`` belongs to ``setups[g]``.
    """
    state = recall(m)
    for i in range(len(o)):
        bar = bar_at(ts, o, h, l, c, v, sentiment, session, minute, left, i)
        state, f = advance(state, m, i, bar, setups[0].params)
        for g in range(len(setups)):
            s, K0 = setups[g], K[g][0]
            if bar.session != N[g][SESSION]:
                turn_day(bar.session, bar.ts, L[g], K[g], A[g], N[g], s, table, changes, ev[g])
            if K0[PEND] != NOTHING or K0[SIDE] != 0:
                settle(bar, L[g][0], K0, A[g], N[g], s, table, ev[g])
            opinion = decide(f, K0[SIDE], s.params)
            if K0[SIDE] != 0 or opinion.direction != STAY:
                act(opinion, f, bar, L[g][0], K0, A[g], N[g], s, ev[g])
            K0[BARS] = i + 1
    for g in range(len(setups)):
        close_account(ts[-1], len(o), L[g], K[g], A[g], N[g], setups[g], table, ev[g], out[g])


def close_account(
    ts: int, bars: int, L: Any, K: Any, A: Floats, N: Ints, s: Setup, table: RateTable, ev: Floats, out: Floats
) -> None:
    """End the account's last session and write its measures into ``out``, in the order of Measures."""
    turn_day(N[SESSION] + 1, ts, L[:0], K[:0], A, N, s, table, table[:0, 0], ev)
    found = measure(ev, N[EVENTS], A[CAPITAL], A[EQUITY], A[DRAWDOWN], bars, N[BARS_IN])
    write(found, out)


def run_panel(
    ts: Any, o: Any, h: Any, l: Any, c: Any, v: Any, sentiment: Any, session: Any, minute: Any, left: Any,
    stops: Any, cursors: Any, until: int, m: Any, L: Any, K: Any, A: Floats, N: Ints, s: Setup,
    table: RateTable, changes: Sequence[int], ev: Floats,
) -> None:  # fmt: skip
    """Drive many lanes on one account in the order of time, lanes in their own order within a moment.

    Bars of all lanes lie one lane after another in the columns; lane j has been driven up to ``cursors[j]`` and ends
    before ``stops[j]``. Stops before the first moment at or after ``until`` (seconds since the epoch).
    """
    lanes = len(stops)
    now = until
    for j in range(lanes):
        if cursors[j] < stops[j]:
            now = min(now, ts[cursors[j]])
    while now < until:
        soon = until
        for j in range(lanes):
            i = cursors[j]
            if i < stops[j] and ts[i] == now:
                bar = bar_at(ts, o, h, l, c, v, sentiment, session, minute, left, i)
                if bar.session != N[SESSION]:
                    turn_day(bar.session, now, L, K, A, N, s, table, changes, ev)
                settle(bar, L[j], K[j], A, N, s, table, ev)
                react(bar, m[j], L[j], K[j], A, N, s, ev)
                i += 1
                cursors[j] = i
            if i < stops[j]:
                soon = min(soon, ts[i])
        now = soon


NAN = float("nan")
