"""How much of a best result is luck: statistics of a choice among many tried configurations.

Sources: Bailey and López de Prado, "The Sharpe Ratio Efficient Frontier" (2012: PSR, MinTRL) and "The Deflated Sharpe
Ratio" (2014: DSR, expected maximum); Bailey, Borwein, López de Prado and Zhu, "The Probability of Backtest
Overfitting" (2016: PBO by CSCV) and "Pseudo-Mathematics" (2014: minimum backtest length); White, "A Reality Check for
Data Snooping" (2000), with the stationary bootstrap of Politis and Romano (1994).

A *returns matrix* is (days × configurations), daily returns as fractions. Sharpe ratios are per day unless a name says
annual; NaN where a statistic has no meaning.
"""

from __future__ import annotations

import math
from itertools import combinations
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NORMAL = NormalDist()
EULER = 0.5772156649015329
DAYS = 252.0
BLOCKS = 12  # CSCV splits the days into so many parts: 924 ways to take half of them
LEAST_DAYS = 24  # two days a part: below that CSCV has nothing to say
DRAWS = 1_000  # resamples of the days for the reality check
NOTHING = 1e-14  # a deviation below this is a curve that never moved


class Overfit(NamedTuple):
    """What CSCV found: the share of splits whose best half-sample choice was below the median on the other half.

    ``slope`` is the regression of the other half's annual Sharpe on the chosen half's, ``loss`` the share of choices
    that lost money on the other half, ``logits`` the logit of each choice's relative rank there.
    """

    pbo: float
    slope: float
    loss: float
    logits: Floats


def sharpe(returns: Floats) -> float:
    """Return mean / deviation (n − 1) of the returns; NaN for fewer than two or when they never move."""
    if returns.size < 2:
        return math.nan
    deviation = float(returns.std(ddof=1))
    return float(returns.mean()) / deviation if deviation > NOTHING else math.nan


def sharpes(matrix: Floats) -> Floats:
    """Return the Sharpe ratio of every column of a returns matrix; 0 for one that never moves."""
    deviation = matrix.std(axis=0, ddof=1)
    found: Floats = np.divide(matrix.mean(axis=0), deviation, out=np.zeros(matrix.shape[1]), where=deviation > NOTHING)
    return found


def shape(returns: Floats) -> tuple[float, float]:
    """Return skewness and kurtosis (3 for a normal distribution) of the returns; (0, 3) when they never move."""
    spread = returns - returns.mean()
    deviation = float(np.sqrt((spread**2).mean()))
    if deviation <= NOTHING:
        return 0.0, 3.0
    return float((spread**3).mean()) / deviation**3, float((spread**4).mean()) / deviation**4


def probabilistic(returns: Floats, benchmark: float = 0.0) -> float:
    """Return the probability that the true Sharpe ratio lies above ``benchmark`` (PSR)."""
    found = sharpe(returns)
    skew, kurtosis = shape(returns)
    spread = 1.0 - skew * found + (kurtosis - 1.0) / 4.0 * found**2
    if not spread > 0.0:
        return math.nan
    return NORMAL.cdf((found - benchmark) * math.sqrt(returns.size - 1) / math.sqrt(spread))


def expected_maximum(variance: float, trials: float) -> float:
    """Return the Sharpe ratio the luckiest of ``trials`` without any skill shows, given its variance among trials."""
    if trials <= 1.0 or not variance > 0.0:
        return 0.0
    first = NORMAL.inv_cdf(1.0 - 1.0 / trials)
    second = NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return math.sqrt(variance) * ((1.0 - EULER) * first + EULER * second)


def luck_variance(trial_sharpes: Floats, days: int) -> float:
    """Return how much Sharpe ratios vary by luck alone: as they do among the trials, but no more than over ``days``.

    The variance of a Sharpe ratio of 0 is 1 / (days − 1). Trials that vary more do so by their skill or their costs,
    and the luckiest of those without skill would not profit from it.
    """
    if trial_sharpes.size < 2 or days < 2:
        return 0.0
    return min(float(trial_sharpes.var(ddof=1)), 1.0 / (days - 1))


def deflated(returns: Floats, variance: float, trials: float) -> float:
    """Return the probability that the best trial's Sharpe ratio is more than luck among ``trials`` (DSR)."""
    return probabilistic(returns, expected_maximum(variance, trials))


def least_track(returns: Floats, benchmark: float = 0.0, confidence: float = 0.95) -> float:
    """Return how many days it takes to be sure that the Sharpe ratio is above ``benchmark`` (MinTRL); inf if never."""
    found = sharpe(returns)
    if not found > benchmark:
        return math.inf
    skew, kurtosis = shape(returns)
    spread = 1.0 - skew * found + (kurtosis - 1.0) / 4.0 * found**2
    return 1.0 + spread * (NORMAL.inv_cdf(confidence) / (found - benchmark)) ** 2


def least_years(trials: float, annual: float = 1.0) -> float:
    """Return the years below which the luckiest of ``trials`` is expected to show an ``annual`` Sharpe (minBTL)."""
    return float((expected_maximum(1.0, trials) / annual) ** 2)


def correlation(matrix: Floats) -> float:
    """Return the mean correlation between different columns that move, 0 to 1; 0 when fewer than two do."""
    deviation = matrix.std(axis=0)
    moving = matrix[:, deviation > NOTHING]
    count = moving.shape[1]
    if count < 2:
        return 0.0
    standard = (moving - moving.mean(axis=0)) / moving.std(axis=0)
    total = float((standard.sum(axis=1) ** 2).mean())  # the sum over all pairs, without making them
    return float(min(1.0, max(0.0, (total - count) / (count * (count - 1)))))


def effective(trials: float, mean_correlation: float) -> float:
    """Return how many independent trials ``trials`` with this mean correlation amount to: ρ + (1 − ρ)·N."""
    return mean_correlation + (1.0 - mean_correlation) * trials


def overfit(matrix: Floats, blocks: int = BLOCKS) -> Overfit:
    """Return what combinatorially symmetric cross-validation says of choosing the best column by Sharpe ratio.

    The days are cut into ``blocks`` parts (even); every half of them is once where the choice is made and once where
    it is judged. NaN and no logits with fewer than two columns or than two days a part.
    """
    days, count = matrix.shape
    if count < 2 or days < 2 * blocks:
        return Overfit(math.nan, math.nan, math.nan, np.zeros(0))
    parts = np.array_split(matrix, blocks)
    n = np.array([len(part) for part in parts], np.float64)
    total = np.array([part.sum(axis=0) for part in parts])
    squares = np.array([(part**2).sum(axis=0) for part in parts])
    chosen = np.zeros((math.comb(blocks, blocks // 2), blocks))
    for row, half in enumerate(combinations(range(blocks), blocks // 2)):
        chosen[row, list(half)] = 1.0
    within = _sharpes_of(chosen, n, total, squares)
    outside = _sharpes_of(1.0 - chosen, n, total, squares)
    best = within.argmax(axis=1)
    rows = np.arange(len(best))
    here, there = within[rows, best], outside[rows, best]
    below = (outside < there[:, None]).sum(axis=1) + ((outside == there[:, None]).sum(axis=1) - 1) / 2.0
    rank = (below + 1.0) / (count + 1.0)
    logits = np.log(rank / (1.0 - rank))
    return Overfit(float((logits <= 0.0).mean()), _slope(here, there), float((there < 0.0).mean()), logits)


def _sharpes_of(chosen: Floats, n: Floats, total: Floats, squares: Floats) -> Floats:
    """Return each column's Sharpe ratio over each choice of parts, from the parts' sums."""
    size = (chosen @ n)[:, None]
    mean = chosen @ total / size
    variance = (chosen @ squares - size * mean**2) / (size - 1.0)
    deviation = np.sqrt(np.maximum(variance, 0.0))
    found: Floats = np.divide(mean, deviation, out=np.zeros_like(mean), where=deviation > NOTHING)
    return found


def _slope(x: Floats, y: Floats) -> float:
    spread = x - x.mean()
    size = float((spread**2).sum())
    return float((spread * y).sum()) / size if size > NOTHING else math.nan


def reality_check(matrix: Floats, column: int, *, seed: int = 7, draws: int = DRAWS, block: float = 0.0) -> float:
    """Return the p-value of a chosen column's Sharpe ratio against the hypothesis that no column has any skill.

    It is the share of resamples in which the luckiest column, each about its own mean, does at least as well. Days
    are resampled in blocks of random length (mean ``block`` days; 0: the cube root of the number of days), all columns
    together, so what they share counts once; the statistic is the largest mean over its deviation.
    """
    days, _ = matrix.shape
    deviation = matrix.std(axis=0, ddof=1) if days > 1 else np.zeros(matrix.shape[1])
    standard = matrix[:, deviation > NOTHING] / deviation[deviation > NOTHING]
    if days < LEAST_DAYS or not deviation[column] > NOTHING:
        return math.nan
    found = float(matrix[:, column].mean() / deviation[column])
    mean = standard.mean(axis=0)
    drawn = weights(days, draws, block or days ** (1.0 / 3.0), np.random.default_rng(seed))
    luckiest = (drawn @ standard - mean).max(axis=1)
    return float((1 + (luckiest >= found).sum()) / (1 + draws))


def weights(days: int, draws: int, block: float, rng: np.random.Generator) -> Floats:
    """Return each stationary-bootstrap resample as weights of the days: (draws × days), rows sum to 1."""
    starts = rng.integers(0, days, (draws, days))
    fresh = rng.random((draws, days)) < 1.0 / max(1.0, block)
    fresh[:, 0] = True
    position = np.arange(days)
    begun = np.maximum.accumulate(np.where(fresh, position, 0), axis=1)
    index = (np.take_along_axis(starts, begun, axis=1) + position - begun) % days
    places = (index + np.arange(draws)[:, None] * days).ravel()
    return np.bincount(places, minlength=draws * days).reshape(draws, days) / days


def beyond(p: float, tried_here: int, tried_ever: int) -> float:
    """Return the p-value ``p`` of the best of ``tried_here`` when ``tried_ever`` were on the same days (Šidák)."""
    if not tried_ever > tried_here > 0:
        return p
    return float(1.0 - (1.0 - p) ** (tried_ever / tried_here))


def annual(per_day: float) -> float:
    """Return a daily Sharpe ratio per year of 252 days."""
    return per_day * math.sqrt(DAYS)
