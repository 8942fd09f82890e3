"""Trade with the session's trend: enter when price retakes its average beside EMA and VWAP, leave when it loses it."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from trading.core.bounds import Bound
from trading.core.errors import Invalid
from trading.core.features import (
    FEATURES_MEMORY,
    Features,
    advance_row,
    describe_row,
    keep_nothing,
    recall_nothing,
    row_volatility,
)
from trading.core.signals import FLAT, LONG, SHORT, STAY, Opinion

WINDOWS = ("sma", "ema", "rsi")  # the parameters its features depend on
KIND = "intraday"
MEMORY = FEATURES_MEMORY


class Params(NamedTuple):
    """The intraday strategy's parameters."""

    sma: Annotated[int, Bound(2, 400, "bars", "simple moving average price must retake")] = 20
    ema: Annotated[int, Bound(2, 400, "bars", "exponential moving average that tells the trend")] = 50
    rsi: Annotated[int, Bound(2, 100, "bars", "Wilder's relative strength index")] = 14
    rsi_low: Annotated[float, Bound(0, 100, "RSI", "a LONG needs at least this; a SHORT at most 100 − this")] = 50.0
    rsi_high: Annotated[float, Bound(0, 100, "RSI", "a LONG needs at most this; a SHORT at least 100 − this")] = 70.0
    adx_min: Annotated[float, Bound(0, 100, "ADX", "least strength of trend for an entry")] = 20.0
    volume_min: Annotated[float, Bound(0, 20, "ratio", "least volume against its mean; unknown volume passes")] = 1.0


recall, advance, keep = recall_nothing, advance_row, keep_nothing
volatility, described = row_volatility, describe_row

REASONS = {
    0: "no setup",
    1: "close {close:.2f} retook SMA {sma:.2f} above EMA {ema:.2f} and VWAP {vwap:.2f}, RSI {rsi:.1f}, ADX {adx:.1f}",
    2: "close {close:.2f} lost SMA {sma:.2f} below EMA {ema:.2f} and VWAP {vwap:.2f}, RSI {rsi:.1f}, ADX {adx:.1f}",
    3: "close {close:.2f} fell back under SMA {sma:.2f}",
    4: "close {close:.2f} rose back over SMA {sma:.2f}",
    5: "trend too weak: ADX {adx:.1f}",
    6: "volume too thin: {volume_ratio:.2f} of its mean",
    7: "RSI {rsi:.1f} outside its band",
    8: "against EMA {ema:.2f} or VWAP {vwap:.2f}",
}


def decide(f: Features, side: int, p: Params) -> Opinion:
    """Return LONG or SHORT on a crossing with the trend, FLAT when a held side loses its average, else STAY."""
    up = f.close > f.sma and f.close_before <= f.sma_before
    down = f.close < f.sma and f.close_before >= f.sma_before
    if side > 0 and down:
        return Opinion(FLAT, 1.0, 3)
    if side < 0 and up:
        return Opinion(FLAT, 1.0, 4)
    if not (up or down):
        return Opinion(STAY, 0.0, 0)
    return _entry(f, 1 if up else -1, p)


def _entry(f: Features, way: int, p: Params) -> Opinion:
    if (f.close - f.ema) * way <= 0.0 or (f.close - f.vwap) * way <= 0.0 or f.ema != f.ema:
        return Opinion(STAY, 0.0, 8)
    strength = f.rsi if way > 0 else 100.0 - f.rsi
    if not p.rsi_low <= strength <= p.rsi_high:
        return Opinion(STAY, 0.0, 7)
    if not f.adx >= p.adx_min:
        return Opinion(STAY, 0.0, 5)
    if f.volume_ratio < p.volume_min:
        return Opinion(STAY, 0.0, 6)
    sure = 0.5 + 0.25 * min(1.0, f.adx / 50.0) + 0.25 * min(1.0, abs(strength - 50.0) / 25.0)
    return Opinion(LONG if way > 0 else SHORT, sure, 1 if way > 0 else 2)


def check(p: Params) -> None:
    """Raise Invalid when the parameters contradict each other."""
    if p.rsi_low >= p.rsi_high:
        raise Invalid(f"rsi_low={p.rsi_low:g} must be less than rsi_high={p.rsi_high:g}")
