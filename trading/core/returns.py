"""Measures of daily returns, alone and against a benchmark; every function works along the last axis.

``r`` are returns of sessions as fractions (0.01 = 1 %), shape (…, n); a year has 252 sessions and no risk-free rate is
taken off. Formulas are those of empyrical-reloaded, which the tests compare them with, unless it has none. What has no
meaning is NaN. Drawdowns are positive fractions of the highest equity before, the start counting as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from trading.core.metrics import DAYS

Floats = npt.NDArray[np.float64]
NAMES = ("omega_ratio", "tail_ratio", "var_95", "cvar_95", "ulcer_index", "longest_drawdown")  # of ``described``
TAIL = 0.05  # the worst share of sessions that VaR and CVaR look at


def _over(a: Any, b: Any) -> Floats:
    """Return a / b, NaN where b is 0."""
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    found: Floats = np.divide(a, b, out=np.full(a.shape, np.nan), where=b != 0.0)
    return found


def annual_return(r: Floats) -> Floats:
    """Return (∏(1 + r))^(252 / n) − 1."""
    n = r.shape[-1]
    whole = np.prod(1.0 + r, axis=-1)
    return np.where(whole > 0.0, np.abs(whole) ** (DAYS / n) - 1.0, np.nan) if n else np.full(r.shape[:-1], np.nan)


def volatility(r: Floats) -> Floats:
    """Return the standard deviation (n − 1) × √252."""
    return np.std(r, axis=-1, ddof=1) * np.sqrt(DAYS) if r.shape[-1] > 1 else np.full(r.shape[:-1], np.nan)


def sharpe(r: Floats) -> Floats:
    """Return mean / standard deviation (n − 1) × √252."""
    return _over(np.mean(r, axis=-1) * DAYS, volatility(r)) if r.shape[-1] > 1 else np.full(r.shape[:-1], np.nan)


def sortino(r: Floats) -> Floats:
    """Return mean / √(mean of min(r, 0)²) × √252."""
    if r.shape[-1] < 2:
        return np.full(r.shape[:-1], np.nan)
    return _over(np.mean(r, axis=-1) * np.sqrt(DAYS), np.sqrt(np.mean(np.minimum(r, 0.0) ** 2, axis=-1)))


def drawdowns(r: Floats) -> Floats:
    """Return at each session how far equity lies below its highest so far, 0 … 1."""
    equity = np.cumprod(1.0 + r, axis=-1)
    return 1.0 - equity / np.maximum(np.maximum.accumulate(equity, axis=-1), 1.0)


def max_drawdown(r: Floats) -> Floats:
    """Return the deepest drawdown by the session's end."""
    deepest: Floats = np.max(drawdowns(r), axis=-1, initial=0.0)
    return deepest


def calmar(r: Floats) -> Floats:
    """Return the annual return over the deepest drawdown."""
    return _over(annual_return(r), max_drawdown(r))


def omega(r: Floats) -> Floats:
    """Return the sum of gains over the sum of losses."""
    return _over(np.maximum(r, 0.0).sum(-1), -np.minimum(r, 0.0).sum(-1))


def tail_ratio(r: Floats) -> Floats:
    """Return |95th percentile| / |5th percentile|."""
    if not r.shape[-1]:
        return np.full(r.shape[:-1], np.nan)
    return _over(np.abs(np.percentile(r, 95, axis=-1)), np.abs(np.percentile(r, 5, axis=-1)))


def value_at_risk(r: Floats) -> Floats:
    """Return the 5th percentile of returns: one session in twenty is worse."""
    return np.percentile(r, 100 * TAIL, axis=-1) if r.shape[-1] else np.full(r.shape[:-1], np.nan)


def conditional_value_at_risk(r: Floats) -> Floats:
    """Return the mean of the worst ⌊(n − 1) × 5 %⌋ + 1 returns."""
    n = r.shape[-1]
    if not n:
        return np.full(r.shape[:-1], np.nan)
    worst = int((n - 1) * TAIL)
    found: Floats = np.mean(np.partition(r, worst, axis=-1)[..., : worst + 1], axis=-1)
    return found


def ulcer(r: Floats) -> Floats:
    """Return √(mean of squared drawdowns) (P. Martin, 1987)."""
    return np.sqrt(np.mean(drawdowns(r) ** 2, axis=-1)) if r.shape[-1] else np.full(r.shape[:-1], np.nan)


def longest_drawdown(r: Floats) -> int:
    """Return the most sessions in a row that ended below an earlier high; ``r`` of one dimension."""
    longest = now = 0
    for below in (drawdowns(r) > 0.0).tolist():
        now = now + 1 if below else 0
        longest = max(longest, now)
    return longest


def beta(r: Floats, b: Floats) -> Floats:
    """Return covariance(r, b) / variance(b)."""
    if r.shape[-1] < 2:
        return np.full(r.shape[:-1], np.nan)
    away = b - np.mean(b, axis=-1, keepdims=True)
    return _over(np.mean(away * r, axis=-1), np.mean(away * away, axis=-1))


def alpha(r: Floats, b: Floats) -> Floats:
    """Return Jensen's alpha by the year: (1 + mean of r − beta × b)^252 − 1."""
    if r.shape[-1] < 2:
        return np.full(r.shape[:-1], np.nan)
    found: Floats = (1.0 + np.mean(r - beta(r, b)[..., None] * b, axis=-1)) ** DAYS - 1.0
    return found


def tracking_error(r: Floats, b: Floats) -> Floats:
    """Return the standard deviation (n − 1) of r − b × √252."""
    return volatility(r - b)


def information_ratio(r: Floats, b: Floats) -> Floats:
    """Return mean of r − b over its standard deviation × √252."""
    return sharpe(r - b)


def capture(r: Floats, b: Floats, *, up: bool) -> float:
    """Return the annual return over the benchmark's on sessions in which it rose (or fell); one dimension."""
    chosen = b > 0.0 if up else b < 0.0
    if not chosen.any():
        return float("nan")
    return float(_over(annual_return(r[chosen]), annual_return(b[chosen])))


def from_equity(equity: Sequence[float], capital: float) -> Floats:
    """Return the sessions' returns of an equity curve that began with ``capital``."""
    values = np.array([capital, *equity], np.float64)
    return _over(values[1:], values[:-1]) - 1.0


def described(r: Floats) -> dict[str, float]:
    """Return the measures of one series that ``Measures`` has not."""
    return {
        "omega_ratio": float(omega(r)),
        "tail_ratio": float(tail_ratio(r)),
        "var_95": float(value_at_risk(r)),
        "cvar_95": float(conditional_value_at_risk(r)),
        "ulcer_index": float(ulcer(r)),
        "longest_drawdown": longest_drawdown(r),
    }


def against(r: Floats, b: Floats) -> dict[str, float]:
    """Return one series beside a benchmark's of the same sessions."""
    whole, other = float(np.prod(1.0 + r)) - 1.0, float(np.prod(1.0 + b)) - 1.0
    return {
        "sessions": len(r),
        "total_return": other,
        "annual_return": float(annual_return(b)),
        "sharpe_ratio": float(sharpe(b)),
        "volatility": float(volatility(b)),
        "max_drawdown": float(max_drawdown(b)),
        "excess_return": whole - other,
        "alpha": float(alpha(r, b)),
        "beta": float(beta(r, b)),
        "tracking_error": float(tracking_error(r, b)),
        "information_ratio": float(information_ratio(r, b)),
        "up_capture": capture(r, b, up=True),
        "down_capture": capture(r, b, up=False),
    }


def monthly(days: Sequence[date], r: Floats) -> list[tuple[int, int, float]]:
    """Return (year, month, compounded return) of every month that has a session."""
    found: dict[tuple[int, int], float] = {}
    for day, x in zip(days, r.tolist(), strict=True):
        key = (day.year, day.month)
        found[key] = found.get(key, 1.0) * (1.0 + x)
    return [(year, month, whole - 1.0) for (year, month), whole in found.items()]
