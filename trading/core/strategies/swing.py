"""Buy the end of a pull-back in a daily up-trend, hold two to ten sessions, leave when trend or move is spent."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from trading.core.bounds import Bound
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
KIND = "swing"
MEMORY = FEATURES_MEMORY
RULES = {"intraday": 0, "min_hold": 2, "max_hold": 10, "stop_loss": 0.05, "take_profit": 0.10}


class Params(NamedTuple):
    """The swing strategy's parameters."""

    sma: Annotated[int, Bound(2, 400, "bars", "simple moving average, the shorter trend")] = 20
    ema: Annotated[int, Bound(2, 400, "bars", "exponential moving average, the longer trend")] = 50
    rsi: Annotated[int, Bound(2, 100, "bars", "Wilder's relative strength index")] = 14
    rsi_entry: Annotated[float, Bound(1, 99, "RSI", "a LONG as RSI rises through this; a SHORT mirrored")] = 45.0
    rsi_exit: Annotated[float, Bound(50, 100, "RSI", "a LONG is spent above this; a SHORT below 100 − it")] = 72.0


recall, advance, keep = recall_nothing, advance_row, keep_nothing
volatility, described = row_volatility, describe_row

REASONS = {
    0: "no setup",
    1: "pull-back over: RSI rose to {rsi:.1f} from {rsi_before:.1f} above EMA {ema:.2f}",
    2: "rally over: RSI fell to {rsi:.1f} from {rsi_before:.1f} below EMA {ema:.2f}",
    3: "close {close:.2f} fell below EMA {ema:.2f}",
    4: "close {close:.2f} rose above EMA {ema:.2f}",
    5: "move spent: RSI {rsi:.1f}",
}


def decide(f: Features, side: int, p: Params) -> Opinion:
    """Return LONG at the end of a pull-back in an up-trend (SHORT mirrored), FLAT when trend or move is spent."""
    if side != 0:
        return _leave(f, side, p)
    if f.close > f.ema and f.rsi_before < p.rsi_entry <= f.rsi:
        return Opinion(LONG, _sure(f.rsi, p.rsi_entry), 1)
    if f.close < f.ema and f.rsi_before > 100.0 - p.rsi_entry >= f.rsi:
        return Opinion(SHORT, _sure(100.0 - f.rsi, p.rsi_entry), 2)
    return Opinion(STAY, 0.0, 0)


def _leave(f: Features, side: int, p: Params) -> Opinion:
    if (f.close - f.ema) * side < 0.0:
        return Opinion(FLAT, 1.0, 3 if side > 0 else 4)
    if (f.rsi if side > 0 else 100.0 - f.rsi) > p.rsi_exit:
        return Opinion(FLAT, 1.0, 5)
    return Opinion(STAY, 0.0, 0)


def _sure(strength: float, entry: float) -> float:
    return 0.6 + 0.4 * min(1.0, (strength - entry) / 10.0)
