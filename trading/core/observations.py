"""What a model sees of a bar: numbers without a scale, made of the bar and its feature row.

Training and the engine both call ``observe`` (or one of ``OBSERVATIONS``), so a model is served what it was taught.
No number depends on the level of prices or volumes: a split or a bonus, adjusted away or not yet known, changes none.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from trading.core import features, indicators
from trading.core.errors import Invalid
from trading.core.features import Bar, Features
from trading.core.rules import Setup
from trading.core.strategies import strategy

FULL_SESSION: Final = 375.0  # minutes


def _over(value: float, base: float) -> float:
    """Return by which fraction ``value`` lies over ``base``; NaN when either is unknown or the base is not above 0."""
    return value / base - 1.0 if base > 0.0 else math.nan


def _share(value: float, base: float) -> float:
    return value / base if base > 0.0 else math.nan


def _place(value: float, low: float, high: float) -> float:
    """Return where ``value`` lies from ``low`` (−1) to ``high`` (+1); 0 when the two are one."""
    width = high - low
    if width > 0.0:
        return 2.0 * (value - low) / width - 1.0
    return 0.0 if width == 0.0 else math.nan


OBSERVATIONS: Final[Mapping[str, Callable[[Bar, Features], float]]] = {
    "return_1": lambda bar, f: f.return_1,
    "body": lambda bar, f: _over(bar.close, bar.open),
    "range": lambda bar, f: _share(bar.high - bar.low, bar.close),
    "close_place": lambda bar, f: _place(bar.close, bar.low, bar.high),
    "gap": lambda bar, f: _over(bar.open, f.close_before),
    "over_sma": lambda bar, f: _over(f.close, f.sma),
    "over_ema": lambda bar, f: _over(f.close, f.ema),
    "over_vwap": lambda bar, f: _over(f.close, f.vwap),
    "sma_slope": lambda bar, f: _over(f.sma, f.sma_before),
    "rsi": lambda bar, f: f.rsi,
    "rsi_change": lambda bar, f: f.rsi - f.rsi_before,
    "atr_share": lambda bar, f: _share(f.atr, f.close),
    "bollinger_place": lambda bar, f: _place(f.close, f.bollinger_lower, f.bollinger_upper),
    "bollinger_width": lambda bar, f: _share(f.bollinger_upper - f.bollinger_lower, f.close),
    "macd_share": lambda bar, f: _share(f.macd, f.close),
    "macd_lead": lambda bar, f: _share(f.macd - f.macd_signal, f.close),
    "adx": lambda bar, f: f.adx,
    "volume_ratio": lambda bar, f: f.volume_ratio,
    "session_minute": lambda bar, f: bar.minute / FULL_SESSION,
    "sentiment": lambda bar, f: bar.sentiment,
}
"""Each observation by its name; a name that a feature or the bar has too means the same number. NaN = unknown.

Fractions of a price, places from −1 to 1, RSI and ADX from 0 to 100, volume as a ratio to its mean.
"""

NAMES: Final[tuple[str, ...]] = tuple(OBSERVATIONS)


def observe(bar: Bar, f: Features) -> tuple[float, ...]:
    """Return what a model sees of ``bar``, in the order of ``NAMES``; NaN where something is unknown."""
    return tuple([look(bar, f) for look in OBSERVATIONS.values()])


def suited(name: str) -> None:
    """Raise Invalid when strategy ``name`` makes no full feature row, so that a model could not be served beside it."""
    if getattr(strategy(name), "Features", Features) is not Features:
        raise Invalid(f"{name} keeps too few features for a model: use intraday (minute bars) or swing (daily bars)")


def made_by(name: str, setup: Setup) -> str:
    """Return the SHA-256 of all that the observations of a lane follow from: code, strategy, windows, bar length."""
    windows: dict[str, Any] = {window: getattr(setup.params, window) for window in strategy(name).WINDOWS}
    told = f"{name} {sorted(windows.items())} {setup.minutes} {NAMES} {_text(name)}"
    return hashlib.sha256(told.encode()).hexdigest()


@cache
def _text(name: str) -> str:
    files = [str(module.__file__) for module in (indicators, features, strategy(name))] + [__file__]
    return hashlib.sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()
