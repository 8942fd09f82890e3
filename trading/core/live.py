"""What the market's own word does to a lane: deals as a broker reports them, orders that came to nothing, protection
on every tick.

The paper market's ``settle`` decides what is filled; here somebody else did, and these lines only book it. They share
``book``, ``order`` and ``expire`` with it, so a position, its charges and its trade come out the same.
"""

from __future__ import annotations

from trading.core.booking import RateTable, book
from trading.core.desk import expire, mark, order
from trading.core.features import Bar
from trading.core.fills import protection
from trading.core.rules import Setup
from trading.core.state import (
    BARS,
    ENTRY,
    EXIT,
    EXPIRED,
    HELD,
    LANE,
    NOTHING,
    ORDER,
    ORDER_PAID,
    ORDER_PAISE,
    PEND,
    PEND_QTY,
    PEND_REF,
    PEND_SESSION,
    PEND_WAY,
    PEND_WHY,
    QTY,
    SEEN,
    SIDE,
    STOP,
    TARGET,
    WAITING,
    Floats,
    Ints,
    emit,
)

NAN = float("nan")
WAITS = (PEND, PEND_WAY, PEND_QTY, PEND_WHY, PEND_SESSION, ORDER, ORDER_PAISE, ORDER_PAID)


def at(price: float, session: int, ts: int) -> Bar:
    """Return a moment inside a bar as the booking lines take one: ``session`` is the date's ordinal, ``ts`` seconds."""
    return Bar(price, price, price, price, NAN, NAN, session, 0, 0, ts)


def look_on(bar: Bar, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup, ev: Floats) -> None:
    """Count the session a position is held in and value it at the bar's close; nothing is filled here."""
    if K[SIDE] == 0:
        return
    if K[SEEN] != bar.session:
        K[SEEN] = bar.session
        K[HELD] += 1
    mark(bar, L, K, A, N, s, ev)


def deal(now: Bar, qty: int, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup, table: RateTable, ev: Floats) -> None:
    """Book ``qty`` shares of the lane's waiting order at the price of ``now``.

    What is held over night and was entered in the last minutes of the session it was decided in has that session not
    counted as one it was held in: from open to open and from close to close, two sessions are two.
    """
    opens, decided = K[SIDE] == 0, K[PEND_SESSION]
    if opens:
        K[SEEN] = now.session
    book(now, K[PEND_WAY], qty, now.close, L, K, A, N, s, table, ev)
    if opens and s.rules.intraday == 0 and decided == now.session:
        K[HELD] = 0


def late_deal(
    now: Bar, number: int, purpose: int, way: int, qty: int, L: Floats, K: Ints, A: Floats, N: Ints, s: Setup,
    table: RateTable, ev: Floats,
) -> None:  # fmt: skip
    """Book a deal of an order the lane no longer waits for, and leave what it waits for now as it is."""
    waits = [K[slot] for slot in WAITS]
    reference = L[PEND_REF]
    K[PEND], K[PEND_WAY], K[PEND_QTY], K[ORDER] = purpose, way, qty, number
    K[ORDER_PAISE] = K[ORDER_PAID] = 0
    L[PEND_REF] = 0.0
    if purpose == ENTRY:
        N[WAITING] += 1  # the booking takes it off again
    deal(now, qty, L, K, A, N, s, table, ev)
    for slot, value in zip(WAITS, waits, strict=True):
        K[slot] = value
    L[PEND_REF] = reference


def give_up(now: Bar, L: Floats, K: Ints, A: Floats, N: Ints, ev: Floats) -> None:
    """Let the lane wait no longer: the broker said that what is left of its order will not be filled."""
    if K[PEND] == ENTRY:
        expire(now, L, K, A, N, ev)
    elif K[PEND] == EXIT:
        row = (float(K[ORDER]), float(K[PEND_WAY]), float(K[PEND_QTY]), float(EXIT), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        emit(N, ev, EXPIRED, K[LANE], K[BARS], now.ts, row)
        K[PEND], K[PEND_QTY] = NOTHING, 0


def leave(now: Bar, why: int, L: Floats, K: Ints, A: Floats, N: Ints, ev: Floats) -> None:
    """Order the whole position out, unless it is flat or something is waiting already."""
    if K[SIDE] != 0 and K[PEND] == NOTHING:
        order(now, EXIT, -K[SIDE], K[QTY], now.close, why, L, K, A, N, ev)


def threatened(price: float, L: Floats, K: Ints) -> int:
    """Return why a position must be left at this price (STOP_LOSS, TAKE_PROFIT), or NOTHING."""
    if K[SIDE] == 0 or K[PEND] == EXIT:
        return NOTHING
    why, _ = protection(K[SIDE], price, price, price, L[STOP], L[TARGET])
    return why
