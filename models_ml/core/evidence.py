"""What the honesty gate looks at, from the daily returns of every configuration that was tried."""

from __future__ import annotations

import math
from typing import NamedTuple

from models_ml.core import overfitting as statistics
from models_ml.core.overfitting import Floats
from models_ml.core.verdicts import Findings


class Context(NamedTuple):
    """What returns do not tell: configurations ever tried on these days, the best one's trades and so on."""

    ever: int
    feasible: bool
    trades: int
    isolated: bool = False
    beats_baseline: bool | None = None
    test: float | None = None  # the best one's annual Sharpe on the test days, None when nobody looked


class Evidence(NamedTuple):
    """The findings, and the statistics behind them; Sharpe ratios per year."""

    findings: Findings
    tried: int
    alike: float
    hurdle: float
    sharpe: float
    cscv: statistics.Overfit


def examine(matrix: Floats, best: int, train: int, known: Context, seed: int) -> Evidence:
    """Return the evidence for column ``best`` of a returns matrix whose first ``train`` days chose it.

    The other days confirmed it; what looks at luck and at overfitting uses both, for all configurations saw both.
    """
    returns = matrix[:, best]
    tried, ever = matrix.shape[1], max(matrix.shape[1], known.ever)
    each = statistics.sharpes(matrix)
    hurdle = statistics.expected_maximum(statistics.luck_variance(each, returns.size), ever)
    cscv = statistics.overfit(matrix)
    chosen, confirm = returns[:train], returns[train:]
    findings = Findings(
        trials=ever,
        feasible=known.feasible,
        trades=known.trades,
        days=int(returns.size),
        deflated=statistics.probabilistic(returns, hurdle),
        pbo=cscv.pbo,
        luck=statistics.beyond(statistics.reality_check(matrix, best, seed=seed), tried, ever),
        least_days=statistics.least_track(returns),
        train=statistics.annual(statistics.sharpe(chosen)),
        validation=statistics.annual(statistics.sharpe(confirm)),
        fell=_fell(chosen, confirm),
        isolated=known.isolated,
        beats_baseline=known.beats_baseline,
        test=known.test,
    )
    sharpe = statistics.annual(statistics.sharpe(returns))
    return Evidence(findings, tried, statistics.correlation(matrix), statistics.annual(hurdle), sharpe, cscv)


def _fell(chosen: Floats, confirm: Floats) -> float:
    """Return by how many standard errors the daily Sharpe ratio fell from one part to the next."""
    a, b = statistics.sharpe(chosen), statistics.sharpe(confirm)
    error = math.sqrt((1.0 + a * a / 2.0) / max(1, chosen.size) + (1.0 + b * b / 2.0) / max(1, confirm.size))
    return (a - b) / error
