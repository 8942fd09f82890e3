"""Is one model better than another on the same days? A paired test of daily net returns that respects their memory.

Days are dependent, so the mean's error is Newey and West's (Econometrica 55, 1987) and the Sharpe difference's interval
comes from a circular block bootstrap (Politis and Romano, 1992). Both must leave nothing out of the interval above 0.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

YEAR: Final = 252  # sessions
LEVEL: Final = 0.95  # of the two-sided intervals
DRAWS: Final = 2_000
FEWEST: Final = 20  # days; below this nothing is significant
SMALL: Final = 1e-12


class Paired(NamedTuple):
    """What the days say: returns are fractions a day, Sharpe ratios a year; NaN where there are too few days."""

    days: int
    mean: float  # of candidate minus baseline
    mean_low: float
    mean_high: float
    p_value: float  # that a candidate no better would look at least this much better
    sharpe_low: float
    sharpe_high: float
    significant: bool


def compare(candidate: Floats, baseline: Floats, *, seed: int, draws: int = DRAWS, level: float = LEVEL) -> Paired:
    """Return the comparison of two series of daily net returns over the same days, oldest first."""
    d = np.asarray(candidate, np.float64) - np.asarray(baseline, np.float64)
    nothing = math.nan
    if d.size < FEWEST or not np.isfinite(d).all():
        return Paired(int(d.size), nothing, nothing, nothing, 1.0, nothing, nothing, False)
    mean, error = float(d.mean()), newey_west(d)
    if error < SMALL:  # the same model twice
        return Paired(int(d.size), mean, mean, mean, 1.0, 0.0, 0.0, False)
    reach = student_quantile(0.5 + level / 2.0, d.size - 1) * error
    low, high = sharpe_interval(candidate, baseline, seed=seed, draws=draws, level=level)
    p = 1.0 - NormalDist().cdf(mean / error)
    significant = mean - reach > 0.0 and low > 0.0
    return Paired(int(d.size), mean, mean - reach, mean + reach, p, low, high, significant)


def newey_west(d: Floats) -> float:
    """Return the standard error of the mean of ``d``, its autocorrelation up to 4·(n/100)^(2/9) days counted."""
    n = d.size
    centred = d - d.mean()
    total = float(centred @ centred) / n
    lags = min(n - 1, int(4.0 * (n / 100.0) ** (2.0 / 9.0)))
    for lag in range(1, lags + 1):
        total += 2.0 * (1.0 - lag / (lags + 1.0)) * float(centred[lag:] @ centred[:-lag]) / n
    return math.sqrt(max(total, 0.0) / (n - 1))


def student_quantile(share: float, freedom: int) -> float:
    """Return Student's t quantile by its expansion in 1/freedom (good to 1e-2 from 8 degrees on)."""
    z = NormalDist().inv_cdf(share)
    first = (z**3 + z) / 4.0
    second = (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0
    return z + first / freedom + second / freedom**2


def sharpe(daily: Floats) -> float:
    """Return the yearly Sharpe ratio of daily returns; 0 when they never move."""
    spread = float(daily.std(ddof=1)) if daily.size > 1 else 0.0
    return float(daily.mean()) / spread * math.sqrt(YEAR) if spread > SMALL else 0.0


def blocks(n: int, draws: int, length: int, seed: int) -> npt.NDArray[np.int64]:
    """Return (draws, n) places: circular blocks of ``length`` neighbouring days, drawn with replacement."""
    count = -(-n // length)
    starts = np.random.default_rng(seed).integers(0, n, (draws, count))
    places = (starts[:, :, None] + np.arange(length)) % n
    found: npt.NDArray[np.int64] = places.reshape(draws, -1)[:, :n]
    return found


def sharpe_interval(
    candidate: Floats, baseline: Floats, *, seed: int, draws: int = DRAWS, level: float = LEVEL
) -> tuple[float, float]:
    """Return the bootstrap interval of the difference of yearly Sharpe ratios; the days are drawn together."""
    n = len(candidate)
    places = blocks(n, draws, max(2, round(n ** (1.0 / 3.0))), seed)
    difference = _sharpes(candidate[places]) - _sharpes(baseline[places])
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(difference, [tail, 1.0 - tail])
    return float(low), float(high)


def _sharpes(rows: Floats) -> Floats:
    spread = rows.std(axis=1, ddof=1)
    found: Floats = np.where(spread > SMALL, rows.mean(axis=1) / np.maximum(spread, SMALL), 0.0) * math.sqrt(YEAR)
    return found
