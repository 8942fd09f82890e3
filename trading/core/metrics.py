"""Measures of a run, from its closed trades and its daily equity.

Definitions: Sharpe = mean / standard deviation (n − 1) of daily equity returns × √252; Sortino the same over the
downside deviation √(mean of min(r, 0)²); win rate = share of trades with net P&L above 0; hit ratio = share with gross
P&L above 0; profit factor = sum of gains / sum of losses. Where a measure has no meaning it is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from trading.core.state import DAY_END, TRADED, WIDTH

DAYS = 252.0  # trading days in a year
LARGEST_GROWTH = 16.0  # its 252nd power is still a float; a run that grows more has no meaningful year


class Measures(NamedTuple):
    """Rupees, fractions (0.01 = 1 %), minutes and counts, as named."""

    trades: int
    total_pnl: float
    total_return: float
    cagr: float
    sharpe_ratio: float
    sortino_ratio: float
    calmar_ratio: float
    volatility: float
    max_drawdown: float
    win_rate: float
    hit_ratio: float
    profit_factor: float
    expectancy: float
    average_win: float
    average_loss: float
    payoff_ratio: float
    best_trade: float
    worst_trade: float
    longest_win_streak: int
    longest_loss_streak: int
    avg_hold_minutes: float
    avg_hold_bars: float
    exposure: float
    turnover: float
    charges: float
    days: int


def ratio(a: float, b: float) -> float:
    """Return a / b, NaN when b is 0."""
    return a / b if b != 0.0 else math.nan


def measure(ev: Any, events: int, capital: float, final: float, drawdown: float, bars: int, bars_in: int) -> Measures:
    """Return all measures of a run whose events are the first ``events`` rows of the flat buffer ``ev``.

    ``capital`` and ``final`` are the equity in rupees before and after, ``drawdown`` the deepest fall from a peak as a
    fraction, ``bars`` and ``bars_in`` how many lane-bars there were and in how many a position was held.
    """
    t = tally(ev, events)
    days, mean, deviation, downside = daily(ev, events, capital)
    n, wins = t.trades, t.wins
    growth = final / capital
    cagr = growth ** (DAYS / days) - 1.0 if days > 0 and 0.0 < growth < LARGEST_GROWTH else math.nan
    average_win, average_loss = ratio(t.won, wins), ratio(-t.lost, n - wins)
    return Measures(
        float(n), t.won - t.lost,  # type: ignore[arg-type]  # all of one kind: compiled code loops over them
        growth - 1.0, cagr, ratio(mean, deviation) * math.sqrt(DAYS),
        ratio(mean, downside) * math.sqrt(DAYS), ratio(cagr, drawdown), deviation * math.sqrt(DAYS), drawdown,
        ratio(wins, n), ratio(t.hits, n), ratio(t.won, t.lost), ratio(t.won - t.lost, n), average_win, average_loss,
        ratio(average_win, -average_loss), t.best if n > 0 else math.nan, t.worst if n > 0 else math.nan,
        float(t.best_streak), float(t.worst_streak),  # type: ignore[arg-type]
        ratio(t.minutes, n), ratio(t.bars, n), ratio(bars_in, bars), ratio(t.turnover, capital), t.charges,
        float(days),  # type: ignore[arg-type]
    )  # fmt: skip


class Tally(NamedTuple):
    """Sums over closed trades; money in rupees."""

    trades: int
    wins: int
    hits: int
    won: float
    lost: float
    charges: float
    turnover: float
    bars: float
    minutes: float
    best: float
    worst: float
    best_streak: int
    worst_streak: int


def tally(ev: Any, events: int) -> Tally:
    """Return the sums over the trades among the first ``events`` rows of ``ev``."""
    n = wins = hits = streak = best_streak = worst_streak = 0
    won = lost = charges = turnover = held = minutes = 0.0
    best, worst = -math.inf, math.inf
    for e in range(events):
        at = e * WIDTH
        if ev[at] != TRADED:
            continue
        net = ev[at + 11]
        n += 1
        charges += ev[at + 10]
        turnover += ev[at + 5] * (ev[at + 6] + ev[at + 7])
        held += ev[at + 2] - ev[at + 8] + 1.0
        minutes += (ev[at + 3] - ev[at + 9]) / 60.0
        best, worst = max(best, net), min(worst, net)
        hits += 1 if ev[at + 13] > 0.0 else 0
        if net > 0.0:
            wins += 1
            won += net
            streak = max(streak, 0) + 1
            best_streak = max(best_streak, streak)
        else:
            lost -= net
            streak = min(streak, 0) - 1
            worst_streak = max(worst_streak, -streak)
    return Tally(n, wins, hits, won, lost, charges, turnover, held, minutes, best, worst, best_streak, worst_streak)


COUNTS = ("trades", "longest_win_streak", "longest_loss_streak", "days")


def tidy(values: Sequence[float]) -> Measures:
    """Return measures from numbers in their order, counts as whole numbers."""
    named = dict(zip(Measures._fields, values, strict=True))
    counts = {name: int(named[name]) for name in COUNTS}
    return Measures(**{**named, **counts})  # type: ignore[arg-type]


def write(found: Measures, out: Any) -> None:
    """Write the measures into ``out``, a sequence of as many floats, in their order."""
    for j, value in enumerate(found):
        out[j] = value


def daily(ev: Any, events: int, capital: float) -> tuple[int, float, float, float]:
    """Return the number of sessions and the mean, deviation (n − 1) and downside deviation of their equity returns."""
    days = 0
    total = 0.0
    before = capital
    for e in range(events):
        if ev[e * WIDTH] == DAY_END:
            days += 1
            total += ratio(ev[e * WIDTH + 5], before) - 1.0
            before = ev[e * WIDTH + 5]
    if days < 2:
        return days, math.nan, math.nan, math.nan
    mean = total / days
    squares = below = 0.0
    before = capital
    for e in range(events):
        if ev[e * WIDTH] == DAY_END:
            r = ratio(ev[e * WIDTH + 5], before) - 1.0
            before = ev[e * WIDTH + 5]
            squares += (r - mean) * (r - mean)
            below += min(r, 0.0) * min(r, 0.0)
    return days, mean, math.sqrt(squares / (days - 1)), math.sqrt(below / days)
