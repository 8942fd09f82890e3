"""The benchmark's synthetic market: seeded, NSE-shaped, the same on every machine.

Ten symbols of minute bars over 250 business days and fifty of daily bars over 2,500. Prices carry four decimals so
that two averages are never equal and trade lists of different engines can be compared one to one.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt

from trading.core.bars import Bars

SEED = 7
DAYS, BARS_A_DAY, SYMBOLS, STEPS = 250, 375, 10, 6
DAILY_DAYS, DAILY_SYMBOLS, DAILY_STEPS = 2_500, 50, 8
IST = 19_800
OPEN = 555 * 60
Floats = npt.NDArray[np.float64]


def business_days(first: dt.date, count: int) -> npt.NDArray[np.int64]:
    """Return the first ``count`` weekdays from ``first`` on, as epoch days."""
    start = np.datetime64(first, "D")
    return np.busday_offset(start, np.arange(count), roll="forward").astype(np.int64)


def market() -> tuple[dict[str, Bars], dict[str, Bars]]:
    """Return the minute bars (S00 … S09) and the daily bars (D00 … D49) by symbol."""
    rng = np.random.default_rng(SEED)
    days = business_days(dt.date(2024, 1, 1), DAYS)
    minutes = np.arange(BARS_A_DAY) * 60 + OPEN - IST
    ts = (np.repeat(days * 86_400, BARS_A_DAY) + np.tile(minutes, DAYS)).astype(np.int64)
    fine = {f"S{s:02d}": _minutes(rng, ts, 200.0 * 1.35**s, 0.032 + 0.001 * s) for s in range(SYMBOLS)}
    dates = business_days(dt.date(2015, 1, 1), DAILY_DAYS) * 86_400 - IST
    coarse = {f"D{s:02d}": _daily(rng, dates, 100.0 * 1.07**s, 0.013 + 0.0003 * s) for s in range(DAILY_SYMBOLS)}
    return fine, coarse


def _minutes(rng: np.random.Generator, ts: npt.NDArray[np.int64], price: float, volatility: float) -> Bars:
    n = DAYS * BARS_A_DAY
    place = np.tile(np.arange(BARS_A_DAY), DAYS)
    activity = 1.0 + 0.9 * np.exp(-place / 25.0) + 0.5 * np.exp(-(BARS_A_DAY - 1 - place) / 20.0)
    sigma = volatility / np.sqrt(BARS_A_DAY) * activity / np.sqrt(np.mean(activity**2))
    shocks = rng.standard_t(4, size=(n, STEPS)) / np.sqrt(2.0)  # fat tails, unit variance
    drift = np.repeat(rng.normal(0, volatility * 0.35, DAYS), BARS_A_DAY) / BARS_A_DAY
    returns = shocks * (sigma / np.sqrt(STEPS))[:, None] + (drift / STEPS)[:, None]
    returns[::BARS_A_DAY, 0] += rng.normal(0, volatility * 0.45, DAYS)  # overnight gap
    path = np.cumsum(returns.ravel())
    path = path - 0.6 * np.linspace(0, path[-1], path.size)  # pulled back to a sane price range
    prices = price * np.exp(path).reshape(n, STEPS)
    volume = np.maximum(1, (rng.lognormal(8.0, 0.7, n) * activity)).astype(np.int64)
    return _bars(ts, prices, volume)


def _daily(rng: np.random.Generator, ts: npt.NDArray[np.int64], price: float, volatility: float) -> Bars:
    shocks = rng.standard_t(4, size=(DAILY_DAYS, DAILY_STEPS)) / np.sqrt(2.0)
    returns = shocks * volatility / np.sqrt(DAILY_STEPS) + 0.0003 / DAILY_STEPS
    returns[:, 0] += rng.normal(0, volatility * 0.4, DAILY_DAYS)
    path = np.cumsum(returns.ravel())
    path = path - 0.5 * np.linspace(0, path[-1], path.size)
    prices = price * np.exp(path).reshape(DAILY_DAYS, DAILY_STEPS)
    volume = np.maximum(1, rng.lognormal(12, 0.6, DAILY_DAYS)).astype(np.int64)
    return _bars(ts, prices, volume)


def _bars(ts: npt.NDArray[np.int64], prices: Floats, volume: npt.NDArray[np.int64]) -> Bars:
    p = np.round(prices, 4)
    o, h, l, c = (np.ascontiguousarray(column) for column in (p[:, 0], p.max(1), p.min(1), p[:, -1]))
    return Bars(ts, o, h, l, c, volume.astype(np.float64))
