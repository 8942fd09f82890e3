"""Loops over the desk's lines and nothing else: lanes on accounts of their own, one lane under many setups, a panel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from trading.core.booking import RateTable, turn_day
from trading.core.desk import act, react, settle
from trading.core.features import Bar
from trading.core.indicators import Memory
from trading.core.metrics import measure, write
from trading.core.rules import Setup
from trading.core.signals import LONG, SHORT
from trading.core.state import (
    BARS,
    BARS_IN,
    CAPITAL,
    DRAWDOWN,
    EQUITY,
    EVENTS,
    NOTHING,
    PEND,
    SESSION,
    SIDE,
    Floats,
    Ints,
)
from trading.core.strategies.crossover import advance, decide, recall  # kernel.py binds each strategy's own


def bar_at(
    ts: Any, o: Any, h: Any, l: Any, c: Any, v: Any, sentiment: Any, student: Any, session: Any, minute: Any,
    left: Any, i: int,
) -> Bar:  # fmt: skip
    """Return bar ``i`` of the columns; sentiment and the student's words may be empty."""
    score = sentiment[i] if len(sentiment) > 0 else math.nan
    word = student[i] if len(student) > 0 else math.nan
    return Bar(o[i], h[i], l[i], c[i], v[i], score, session[i], minute[i], left[i], ts[i], word)


def run_alone(
    ts: Any, o: Any, h: Any, l: Any, c: Any, v: Any, sentiment: Any, student: Any, session: Any, minute: Any,
    left: Any, starts: Any, stops: Any, m: Any, L: Any, K: Any, A: Any, N: Any, s: Setup, table: RateTable,
    changes: Sequence[int], ev: Any, out: Any,
) -> None:  # fmt: skip
    """Drive every lane through its bars with an account of its own and write its measures into ``out``.

    Bars of all lanes lie one lane after another; row j of ``L`` (lanes × 1 × floats), ``K``, ``A``, ``N``, ``ev`` and
    ``out`` is lane j's. ``m`` is one lane's memory, cleared for each.
    """
    for j in range(len(stops)):
        a, b = starts[j], stops[j]
        scores = sentiment[a:b] if len(sentiment) > 0 else sentiment
        words = student[a:b] if len(student) > 0 else student
        m[:] = 0.0
        _lane(
            ts[a:b], o[a:b], h[a:b], l[a:b], c[a:b], v[a:b], scores, words, session[a:b], minute[a:b], left[a:b],
            m, L[j], K[j], A[j], N[j], s, table, changes, ev[j],
        )  # fmt: skip
        close_account(ts[b - 1], b - a, L[j], K[j], A[j], N[j], s, table, ev[j], out[j])


def _lane(
    ts: Any, o: Any, h: Any, l: Any, c: Any, v: Any, sentiment: Any, student: Any, session: Any, minute: Any,
    left: Any, m: Memory, L: Any, K: Any, A: Floats, N: Ints, s: Setup, table: RateTable, changes: Sequence[int],
    ev: Floats,
) -> None:  # fmt: skip
    L0, K0 = L[0], K[0]
    state = recall(m)  # stays in registers while the lane is driven
    i, count = 0, len(o)
    while 0 <= i < count:  # the compiler need not ask again whether i is negative
        if K0[PEND] == NOTHING and K0[SIDE] == 0:
            today = N[SESSION]
            while 0 <= i < count and session[i] == today:  # a flat lane only looks, until the strategy speaks
                bar = bar_at(ts, o, h, l, c, v, sentiment, student, session, minute, left, i)
                state, f = advance(state, m, i, bar, s.params)
                opinion = decide(f, 0, s.params)
                i += 1
                if opinion.direction == LONG or opinion.direction == SHORT:
                    K0[BARS] = i - 1
                    act(opinion, f, bar, L0, K0, A, N, s, ev)
                    break
        if 0 <= i < count:
            bar = bar_at(ts, o, h, l, c, v, sentiment, student, session, minute, left, i)
            if bar.session != N[SESSION]:
                turn_day(bar.session, bar.ts, L, K, A, N, s, table, changes, ev)
            K0[BARS] = i
            settle(bar, L0, K0, A, N, s, table, ev)
            state, f = advance(state, m, i, bar, s.params)
            act(decide(f, K0[SIDE], s.params), f, bar, L0, K0, A, N, s, ev)
            i += 1
    K0[BARS] = count


def run_sweep(
    ts: Any, o: Any, h: Any, l: Any, c: Any, v: Any, sentiment: Any, student: Any, session: Any, minute: Any,
    left: Any, m: Memory, L: Any, K: Any, A: Any, N: Any, setups: Any, table: RateTable, changes: Sequence[int],
    ev: Any, out: Any,
) -> None:  # fmt: skip
    """Drive one lane's bars under many setups that share their feature windows, each with its own account.

    Row g of ``L`` (setups × 1 × floats), ``K``, ``A``, ``N``, ``ev`` and ``out`` belongs to ``setups[g]``.
    """
    state = recall(m)
    for i in range(len(o)):
        bar = bar_at(ts, o, h, l, c, v, sentiment, student, session, minute, left, i)
        if bar.session != N[0][SESSION]:
            for g in range(len(setups)):
                turn_day(bar.session, bar.ts, L[g], K[g], A[g], N[g], setups[g], table, changes, ev[g])
        state, f = advance(state, m, i, bar, setups[0].params)
        for g in range(len(setups)):
            K0 = K[g][0]
            if K0[PEND] == NOTHING and K0[SIDE] == 0:  # a flat account only looks, until the strategy speaks
                opinion = decide(f, 0, setups[g].params)
                if opinion.direction == LONG or opinion.direction == SHORT:
                    K0[BARS] = i
                    act(opinion, f, bar, L[g][0], K0, A[g], N[g], setups[g], ev[g])
            else:
                K0[BARS] = i
                settle(bar, L[g][0], K0, A[g], N[g], setups[g], table, ev[g])
                act(decide(f, K0[SIDE], setups[g].params), f, bar, L[g][0], K0, A[g], N[g], setups[g], ev[g])
    for g in range(len(setups)):
        K[g][0][BARS] = len(o)
        close_account(ts[-1], len(o), L[g], K[g], A[g], N[g], setups[g], table, ev[g], out[g])


def close_account(
    ts: int, bars: int, L: Any, K: Any, A: Floats, N: Ints, s: Setup, table: RateTable, ev: Floats, out: Floats
) -> None:
    """End the account's last session and write its measures into ``out``, in the order of Measures."""
    turn_day(N[SESSION] + 1, ts, L[:0], K[:0], A, N, s, table, table[0][:0], ev)
    found = measure(ev, N[EVENTS], A[CAPITAL], A[EQUITY], A[DRAWDOWN], bars, N[BARS_IN])
    write(found, out)


def run_panel(
    ts: Any, o: Any, h: Any, l: Any, c: Any, v: Any, sentiment: Any, student: Any, session: Any, minute: Any,
    left: Any, stops: Any, cursors: Any, until: int, m: Any, L: Any, K: Any, A: Floats, N: Ints, s: Setup,
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
                bar = bar_at(ts, o, h, l, c, v, sentiment, student, session, minute, left, i)
                if bar.session != N[SESSION]:
                    turn_day(bar.session, now, L, K, A, N, s, table, changes, ev)
                settle(bar, L[j], K[j], A, N, s, table, ev)
                react(bar, m[j], L[j], K[j], A, N, s, ev)
                i += 1
                cursors[j] = i
            if i < stops[j]:
                soon = min(soon, ts[i])
        now = soon
