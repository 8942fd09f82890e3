"""Technical indicators, each one O(1) step over a bar: the same lines serve batch, training and live.

Most take ``m``, the lane's memory (a list of floats in the engine, a float64 array when compiled), and the first slot
``k`` they may use there; the two that the fastest loops need take and return their numbers instead. ``i`` is the number
of bars seen before this one. While warming up the answer is NaN. Prices are rupees, volumes shares; an unknown volume
is NaN and makes what depends on it NaN too.

Sums of prices are kept in whole units of 1e-4 rupee, so a rolling sum is exact and never drifts: two averages that
are equal on paper are equal here, whatever came before them.
"""

from __future__ import annotations

import math
from collections.abc import MutableSequence

Memory = MutableSequence[float]

UNITS = 10_000.0  # units of 1e-4 rupee in a rupee
WHOLE = 6_755_399_441_055_744.0
MASK = 511  # rings hold 512 values; windows may be as long as that
RING = 512


def units(x: float) -> float:
    """Return a price in whole units of 1e-4 rupee; adding and taking away 1.5 × 2^52 rounds to a whole number."""
    return (x * UNITS + WHOLE) - WHOLE


def sma(total: float, m: Memory, ring: int, i: int, n: int, u: float) -> tuple[float, float]:
    """Return the new sum and the simple moving average of the last ``n`` prices; ``u`` is this one in units.

    Call it before ``u`` is written to the ring.
    """
    total += u
    if i >= n:
        total -= m[ring + ((i - n) & MASK)]
    return total, (total / (n * UNITS) if i >= n - 1 else math.nan)


def ema(m: Memory, k: int, i: int, n: int, x: float) -> float:
    """Return the exponential moving average with alpha = 2 / (n + 1), seeded by the mean of the first n. 1 slot."""
    if i < n:
        m[k] += x
        if i < n - 1:
            return math.nan
        m[k] /= n
        return m[k]
    m[k] += (x - m[k]) * (2.0 / (n + 1.0))
    return m[k]


def wilder_moves(gain: float, loss: float, before: float, i: int, n: int, x: float) -> tuple[float, float]:
    """Return Wilder's average gain and loss over ``n`` changes, seeded by the mean of the first n.

    ``before`` is the price one bar ago. ``rsi`` makes the index of them, where somebody wants it.
    """
    if i == 0:
        return 0.0, 0.0
    change = x - before
    share = 1.0 / n
    keep = 1.0 - share if i > n else 1.0
    up = max(change, 0.0)
    return gain * keep + up * share, loss * keep + (up - change) * share


def rsi(gain: float, loss: float) -> float:
    """Return Wilder's relative strength index, 0 … 100, of an average gain and loss; no loss at all gives 100.

    Source: J. W. Wilder, New Concepts in Technical Trading Systems (1978).
    """
    return 100.0 * gain / (gain + loss) if loss > 0.0 else 100.0


def true_range(h: float, l: float, before: float) -> float:
    """Return the greatest of high − low and the distances of both from the close before."""
    reach = h - l
    up = abs(h - before)
    down = abs(l - before)
    reach = max(reach, up)
    return max(reach, down)


def wilder(m: Memory, k: int, i: int, n: int, x: float) -> float:
    """Return Wilder's average of ``x`` over bars 1…, seeded by the mean of its first n values. 1 slot.

    With true ranges this is the average true range (ATR).
    """
    if i == 0:
        return math.nan
    if i <= n:
        m[k] += x
        if i < n:
            return math.nan
        m[k] /= n
        return m[k]
    m[k] = (m[k] * (n - 1) + x) / n
    return m[k]


def deviation(m: Memory, k: int, ring: int, i: int, n: int, u: float) -> float:
    """Return the population standard deviation of the last ``n`` prices, in rupees. 3 slots.

    Bollinger's bands are the average ± 2 of these. Sums of deviations from an anchor are rolled, and begun afresh
    from the ring every n bars, so rounding can never pile up. Call it before ``u`` is written to the ring.
    """
    if i % n == 0:
        m[k + 2] = u
        m[k] = 0.0
        m[k + 1] = 0.0
        for j in range(1, min(n, i + 1)):
            d = m[ring + ((i - j) & MASK)] - u
            m[k] += d
            m[k + 1] += d * d
    else:
        d = u - m[k + 2]
        m[k] += d
        m[k + 1] += d * d
        if i >= n:
            d = m[ring + ((i - n) & MASK)] - m[k + 2]
            m[k] -= d
            m[k + 1] -= d * d
    if i < n - 1:
        return math.nan
    variance = (m[k + 1] - m[k] * m[k] / n) / n
    return math.sqrt(variance) / UNITS if variance > 0.0 else 0.0


MACD_FAST = 12
MACD_SLOW = 26
MACD_SIGNAL = 9


def macd(m: Memory, k: int, i: int, x: float) -> tuple[float, float]:
    """Return MACD(12, 26) and its 9-bar signal line. 3 slots.

    The fast average is seeded where the slow one is (bar 25, by its last 12 closes), as TA-Lib does.
    """
    if i < MACD_SLOW:
        m[k + 1] += x
        if i >= MACD_SLOW - MACD_FAST:
            m[k] += x
        if i < MACD_SLOW - 1:
            return math.nan, math.nan
        m[k] /= MACD_FAST
        m[k + 1] /= MACD_SLOW
    else:
        m[k] += (x - m[k]) * (2.0 / (MACD_FAST + 1.0))
        m[k + 1] += (x - m[k + 1]) * (2.0 / (MACD_SLOW + 1.0))
    line = m[k] - m[k + 1]
    return line, ema(m, k + 2, i - MACD_SLOW + 1, MACD_SIGNAL, line)


def adx(m: Memory, k: int, i: int, n: int, h: float, l: float, c: float) -> float:
    """Return Wilder's average directional index. 8 slots (three sums, ADX, high, low, close, sum of DX).

    First sums run over n − 1 bars and the first ADX is the mean of n DX values, as TA-Lib does.
    """
    up = h - m[k + 4]
    down = m[k + 5] - l
    reach = true_range(h, l, m[k + 6])
    m[k + 4] = h
    m[k + 5] = l
    m[k + 6] = c
    if i == 0:
        return math.nan
    plus = up if up > 0.0 and up > down else 0.0
    minus = down if down > 0.0 and down > up else 0.0
    keep = 1.0 if i < n else 1.0 - 1.0 / n
    m[k] = m[k] * keep + plus
    m[k + 1] = m[k + 1] * keep + minus
    m[k + 2] = m[k + 2] * keep + reach
    if i < n:
        return math.nan
    return _smooth_dx(m, k, i, n)


def _smooth_dx(m: Memory, k: int, i: int, n: int) -> float:
    both = m[k] + m[k + 1]
    known = m[k + 2] > 0.0 and both > 0.0
    dx = 100.0 * abs(m[k] - m[k + 1]) / both if known else 0.0
    if i < 2 * n:
        m[k + 7] += dx
        if i < 2 * n - 1:
            return math.nan
        m[k + 3] = m[k + 7] / n
    elif known:
        m[k + 3] = (m[k + 3] * (n - 1) + dx) / n
    return m[k + 3]


def vwap(m: Memory, k: int, new_session: bool, typical: float, v: float) -> float:
    """Return the session's volume-weighted average of the typical price (h + l + c) / 3. 2 slots.

    NaN until shares have traded, and for the rest of the session once a bar's volume is unknown.
    """
    if new_session:
        m[k] = 0.0
        m[k + 1] = 0.0
    m[k] += typical * v
    m[k + 1] += v
    return m[k] / m[k + 1] if m[k + 1] > 0.0 else math.nan


def volume_ratio(m: Memory, k: int, ring: int, i: int, n: int, v: float) -> float:
    """Return this bar's volume over the mean volume of the last ``n`` bars, this one included. 2 slots and a ring.

    NaN while any of those volumes is unknown or all are zero. Writes ``v`` to its ring itself.
    """
    slot = ring + (i & MASK)
    if i >= n:
        old = m[ring + ((i - n) & MASK)]
        if old >= 0.0:
            m[k] -= old
        else:
            m[k + 1] -= 1.0
    if v >= 0.0:
        m[k] += v
        m[slot] = v
    else:
        m[k + 1] += 1.0
        m[slot] = -1.0
    if i < n - 1 or m[k + 1] > 0.0 or m[k] <= 0.0:
        return math.nan
    return v * n / m[k]
