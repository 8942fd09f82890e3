"""Whether two sets of returns differ by more than chance: Welch's t-test, the size of the effect, how many are needed.

The t distribution is the regularised incomplete beta function, by Lentz's continued fraction (Press et al., Numerical
Recipes, 3rd ed., §6.4), so that neither the engine nor the web needs scipy.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

from trading.core.trace_table import Floats

LEVEL = 0.05
POWER = 0.80
TINY = 1e-300
FEW = 30  # below this many in either set a test says little


class Welch(NamedTuple):
    """A two-sided Welch test of means: ``effect`` is Cohen's d over the pooled deviation, ``needed`` traces a side."""

    t: float
    df: float
    p: float
    effect: float
    needed: float
    significant: bool
    enough: bool


def welch(a: Floats, b: Floats) -> Welch:
    """Return the test of the means of ``a`` and ``b``; NaN where either has fewer than two, or neither varies."""
    if min(a.size, b.size) < 2:
        return Welch(math.nan, math.nan, math.nan, math.nan, math.nan, significant=False, enough=False)
    va, vb = float(a.var(ddof=1)) / a.size, float(b.var(ddof=1)) / b.size
    difference = float(a.mean() - b.mean())
    if va + vb == 0.0:
        return Welch(math.nan, math.nan, math.nan, math.nan, math.nan, significant=False, enough=False)
    t = difference / math.sqrt(va + vb)
    df = (va + vb) ** 2 / (va**2 / (a.size - 1) + vb**2 / (b.size - 1))
    pooled = math.sqrt(((a.size - 1) * va * a.size + (b.size - 1) * vb * b.size) / (a.size + b.size - 2))
    effect = difference / pooled
    p = two_sided(t, df)
    needed = sample(effect)
    enough = min(a.size, b.size) >= max(FEW, needed)
    return Welch(t, df, p, effect, needed, significant=p < LEVEL, enough=enough)


def sample(effect: float) -> float:
    """Return how many a side are needed to find an effect of this size (80 % power, 5 % two-sided); NaN for none."""
    if effect == 0.0 or effect != effect:
        return math.nan
    z = NormalDist().inv_cdf(1.0 - LEVEL / 2.0) + NormalDist().inv_cdf(POWER)
    return float(math.ceil(2.0 * (z / effect) ** 2))


def two_sided(t: float, df: float) -> float:
    """Return how likely a t at least this far from 0 is by chance."""
    return incomplete_beta(df / 2.0, 0.5, df / (df + t * t))


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b)."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    log = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x < (a + 1.0) / (a + b + 2.0):
        return math.exp(log) * _fraction(a, b, x) / a
    return 1.0 - math.exp(log) * _fraction(b, a, 1.0 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1.0 / _off_zero(1.0 - (a + b) * x / (a + 1.0))
    h = d
    for m in range(1, 500):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0)),
        ):
            d = 1.0 / _off_zero(1.0 + term * d)
            c = _off_zero(1.0 + term / c)
            h *= d * c
        if abs(d * c - 1.0) < 1e-16:
            break
    return h


def _off_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
