"""One bar in, one feature row out: the only definition of features, for training and for trading.

``advance`` is the O(1) step. Its memory ``m`` is one flat sequence per lane (a list in the engine, a float64 array when
compiled), so a lane can be saved and restored number by number.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, NamedTuple

from trading.core.bounds import Bound
from trading.core.indicators import (
    MASK,
    RING,
    Memory,
    adx,
    deviation,
    ema,
    macd,
    rsi,
    sma,
    true_range,
    units,
    volume_ratio,
    vwap,
    wilder,
    wilder_moves,
)


class Bar(NamedTuple):
    """One bar as the core sees it: rupees, shares (NaN = unknown), and where in its session it stands."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    sentiment: float  # −1 … +1, NaN when nothing is known
    session: int  # ordinal of the session's date
    minute: int  # minutes from the session's open to the bar's start
    left: int  # minutes from the bar's end to the end of continuous trading
    ts: int  # its start, seconds since the epoch, UTC
    student: float = math.nan  # the student's word: +chance of LONG, −chance of SHORT, 0 neither; NaN = not asked


class Windows(NamedTuple):
    """How many bars each indicator looks back."""

    sma: Annotated[int, Bound(2, 400, "bars", "simple moving average")] = 20
    ema: Annotated[int, Bound(2, 400, "bars", "exponential moving average, the slower trend")] = 50
    rsi: Annotated[int, Bound(2, 100, "bars", "Wilder's relative strength index")] = 14
    atr: Annotated[int, Bound(2, 100, "bars", "Wilder's average true range")] = 14
    adx: Annotated[int, Bound(2, 100, "bars", "Wilder's average directional index")] = 14
    bollinger: Annotated[int, Bound(2, 400, "bars", "Bollinger band")] = 20
    volume: Annotated[int, Bound(2, 400, "bars", "mean volume the bar's volume is compared with")] = 20


class Features(NamedTuple):
    """One feature row. Prices are rupees; NaN while an indicator warms up or its input is unknown."""

    close: float
    sma: float
    ema: float
    rsi: float  # 0 … 100
    vwap: float
    atr: float
    bollinger_upper: float
    bollinger_lower: float
    macd: float
    macd_signal: float
    adx: float  # 0 … 100
    volume_ratio: float
    return_1: float  # fraction over one bar
    close_before: float
    sma_before: float
    rsi_before: float


# where each indicator keeps its numbers in the lane's memory
SMA_AT, EMA_AT, RSI_AT, ATR_AT, BOLL_AT, MACD_AT, ADX_AT, VWAP_AT, VOL_AT, CLOSE_AT, SMA_WAS, RSI_WAS, SESSION_AT = (
    0, 1, 2, 5, 6, 9, 12, 20, 22, 24, 25, 26, 27,
)  # fmt: skip
BOLL_SUM_AT = 28
PRICE_RING = 32
VOLUME_RING = PRICE_RING + RING
FEATURES_MEMORY = VOLUME_RING + RING


def advance_features(m: Memory, i: int, bar: Bar, w: Windows) -> Features:
    """Return the feature row of ``bar``, the i-th this memory sees (from 0), and remember it."""
    u = units(bar.close)
    before, sma_before, rsi_before = m[CLOSE_AT], m[SMA_WAS], m[RSI_WAS]
    if i == 0:
        before = sma_before = rsi_before = math.nan
    m[SMA_AT], average = sma(m[SMA_AT], m, PRICE_RING, i, w.sma, u)
    m[BOLL_SUM_AT], middle = sma(m[BOLL_SUM_AT], m, PRICE_RING, i, w.bollinger, u)
    band = 2.0 * deviation(m, BOLL_AT, PRICE_RING, i, w.bollinger, u)
    m[RSI_AT], m[RSI_AT + 1] = wilder_moves(m[RSI_AT], m[RSI_AT + 1], before, i, w.rsi, bar.close)
    strength = rsi(m[RSI_AT], m[RSI_AT + 1]) if i >= w.rsi else math.nan
    line, signal = macd(m, MACD_AT, i, bar.close)
    row = Features(
        bar.close,
        average,
        ema(m, EMA_AT, i, w.ema, bar.close),
        strength,
        vwap(m, VWAP_AT, bar.session != m[SESSION_AT], (bar.high + bar.low + bar.close) / 3.0, bar.volume),
        wilder(m, ATR_AT, i, w.atr, true_range(bar.high, bar.low, before)),
        middle + band,
        middle - band,
        line,
        signal,
        adx(m, ADX_AT, i, w.adx, bar.high, bar.low, bar.close),
        volume_ratio(m, VOL_AT, VOLUME_RING, i, w.volume, bar.volume),
        bar.close / before - 1.0 if before > 0.0 else math.nan,
        before,
        sma_before,
        rsi_before,
    )
    m[PRICE_RING + (i & MASK)] = u
    m[CLOSE_AT], m[SMA_WAS], m[RSI_WAS], m[SESSION_AT] = bar.close, average, strength, float(bar.session)
    return row


# ---- what strategies that look at the whole row use as their own steps -----------------------------------------------


def recall_nothing(m: Memory) -> float:
    """Return nothing of note: all that is remembered stays in the lane's memory."""
    return m[0]


def keep_nothing(state: float, m: Memory) -> None:
    """Keep nothing more."""


def advance_row(state: float, m: Memory, i: int, bar: Bar, p: Any) -> tuple[float, Features]:
    """Return the feature row of ``bar``, the i-th this memory sees, by the parameters ``sma``, ``ema`` and ``rsi``."""
    return state, advance_features(m, i, bar, Windows(p.sma, p.ema, p.rsi, 14, 14, 20, 20))


def row_volatility(f: Features) -> float:
    """Return the average true range in rupees; NaN while it warms up."""
    return f.atr


def describe_row(f: Features) -> dict[str, float]:
    """Return the features as people read them."""
    return f._asdict()
