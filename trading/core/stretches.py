"""A stretch of days traded by itself: the indicators know the bars before it, the account does not.

It begins flat, as an engine does that was warmed on the days before, and ends flat: what is still held is sold at its
last close. So stretches follow each other on one account without a position that two of them count.
"""

from __future__ import annotations

from typing import Any

from trading.core.bars import IST_OFFSET
from trading.core.booking import book as book_fill
from trading.core.desk import expire, mark, order
from trading.core.drivers import bar_at
from trading.core.fills import slipped
from trading.core.panel import Panel
from trading.core.rolls import Roll
from trading.core.rules import Setup
from trading.core.simulation import (
    DAY_SECONDS,
    EPOCH,
    FOREVER,
    ROOM,
    ROOMY,
    Book,
    Desk,
    Outcome,
    Run,
    Schedule,
    close_book,
    full,
    open_book,
)
from trading.core.state import (
    BARS,
    ENTRY,
    EXIT,
    NOTHING,
    OPERATOR,
    PEND,
    PEND_QTY,
    PEND_WAY,
    QTY,
    SESSION,
    SIDE,
    TICK,
    WIDTH,
)


def stretch(
    name: str,
    setup: Setup,
    panel: Panel | Roll,
    since: int,
    *,
    capital: float,
    charges: Schedule,
    compiled: bool = True,
) -> Outcome:
    """Trade the panel's bars from the session ``since`` (an ordinal) on; those before only show the indicators prices.

    Raises ImportError when ``compiled`` without numba. What is sold at the end leaves with the reason ``operator``.
    """
    run = Run([Desk(name, setup, panel)], charges, compiled)
    room = min(ROOMY, max(ROOM, len(panel) // 8))
    while True:
        book = _warmed(run, capital, room, (since - EPOCH) * DAY_SECONDS - IST_OFFSET)
        if not full(book):
            run.advance(book, FOREVER)
            _sell_out(run, book)
        if not full(book):
            return close_book(run, book, capital)
        room = 4 * max(room, len(book.ev) // WIDTH)


def _warmed(run: Run, capital: float, room: int, until: int) -> Book:
    """Return a fresh book whose indicators have seen the bars before ``until`` (seconds since the epoch).

    When those bars alone fill the room the full book is returned as it is: not all of them were seen.
    """
    past = open_book(run.desks, capital, room, compiled=run.compiled)
    run.advance(past, until)
    if full(past):
        return past
    book = open_book(run.desks, capital, room, compiled=run.compiled)
    book.m, book.cursors = past.m, past.cursors
    for fresh, old in zip(book.K, past.K, strict=True):
        fresh[BARS] = old[BARS]
    return book


def _sell_out(run: Run, book: Book) -> None:
    """Leave every position at its last close, slipped and charged as any other exit."""
    desk, A, N, ev = run.desks[0], book.A, book.N, book.ev
    for j, (L, K) in enumerate(zip(book.L, book.K, strict=True)):
        if K[SIDE] == 0:
            continue
        columns: Any = desk.panel.last(j) if run.compiled else [x.tolist() for x in desk.panel.last(j)]
        ts, o, h, l, c, v, news, words, session, minute, left = columns
        bar = bar_at(ts, o, h, l, c, v, news, words, session, minute, left, 0)._replace(session=N[SESSION])
        if K[PEND] == ENTRY:
            expire(bar, L, K, A, N, ev)
        if K[PEND] == NOTHING:
            order(bar, EXIT, -K[SIDE], K[QTY], bar.close, OPERATOR, L, K, A, N, ev)
        price = slipped(bar.close, K[PEND_WAY], desk.setup.venue.slippage, L[TICK])
        book_fill(bar, K[PEND_WAY], K[PEND_QTY], price, L, K, A, N, desk.setup, run.rates, ev)
        mark(bar, L, K, A, N, desk.setup, ev)
