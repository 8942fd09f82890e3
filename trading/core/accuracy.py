"""How good predictions were: the classes they named, the money they made, and whether that is getting worse.

Rows of the confusion matrix are what happened, columns what was predicted, both in the order LONG, SHORT, NOOP, as
scikit-learn lays it out. Returns are per trade: Sharpe = mean / standard deviation (n − 1) × √252, drawdown the deepest
fall of the compounded returns in the order the positions were closed. What has no meaning is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trading.core.trace_table import Floats, Ints, Table
from trading.core.traces import LABELS

YEAR = 252.0
WEIGHTS = {"sharpe": 0.4, "precision": 0.3, "win_rate": 0.3}  # §14.11.2, of two strategies
OPTIMISER_WEIGHTS = {"sharpe": 0.4, "precision": 0.3, "hit_ratio": 0.2, "win_rate": 0.1}  # §15.3
FULL_SHARPE = 3.0  # a Sharpe that counts as 1 (§15.7)
DROPS = {"precision_drop": 0.10, "win_rate_drop": 0.10, "sharpe_drop": 0.50}  # §14.16.2
WORSE = 0.9  # a win rate below this share of the all-time one is degrading (§14.12.6)
VALIDATED, ROLLED_BACK = 0.8, 0.85  # §15.10: shares of an improvement, and of the threshold that it sets


class Accuracy(NamedTuple):
    """Measures of traces: shares 0 … 1 by class, returns in per cent, drawdown a negative fraction, minutes."""

    total_trades: int
    accuracy: float
    precision: dict[str, float]
    recall: dict[str, float]
    f1_score: dict[str, float]
    support: dict[str, int]
    confusion_matrix: list[list[int]]
    hit_ratio: float
    win_rate: float
    avg_return: float
    total_return: float
    sharpe_ratio: float
    max_drawdown: float
    profit_factor: float
    avg_holding_minutes: float


def measure(table: Table) -> Accuracy:
    """Return the measures of a table's traces.

    The win rate is of what was left after charges, where the traces say so; the hit ratio is of what was made before.
    """
    table = table.in_order()
    matrix = confusion(table.actual, table.predicted)
    precision, recall, f1 = by_class(matrix)
    returns, net = table.returns / 100.0, np.where(np.isnan(table.net), table.returns, table.net)
    n = len(table)
    return Accuracy(
        n, _share(int(np.trace(matrix)), n), precision, recall, f1,
        {label: int(matrix[k].sum()) for k, label in enumerate(LABELS)}, matrix.tolist(),
        _share(int((returns > 0.0).sum()), n), _share(int((net > 0.0).sum()), n),
        float(table.returns.mean()) if n else math.nan, compounded(returns) * 100.0 if n else math.nan,
        sharpe(returns), max_drawdown(returns), profit_factor(returns),
        float(table.holding.mean()) if n else math.nan,
    )  # fmt: skip


def confusion(actual: Ints, predicted: Ints) -> Ints:
    """Return the 3×3 counts: rows what happened, columns what was predicted."""
    return np.bincount(actual * 3 + predicted, minlength=9).reshape(3, 3).astype(np.int64)


def by_class(matrix: Ints) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """Return precision, recall and F1 of each class; NaN for one that was never predicted, or never happened."""
    right, said, was = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    return (
        {label: _share(int(right[k]), int(said[k])) for k, label in enumerate(LABELS)},
        {label: _share(int(right[k]), int(was[k])) for k, label in enumerate(LABELS)},
        {label: _share(2 * int(right[k]), int(said[k] + was[k])) for k, label in enumerate(LABELS)},
    )


def sharpe(returns: Floats) -> float:
    """Return mean / deviation (n − 1) × √252 of returns as fractions; NaN below two or without any deviation."""
    if returns.size < 2:
        return math.nan
    deviation = float(returns.std(ddof=1))
    return float(returns.mean()) / deviation * math.sqrt(YEAR) if deviation > 0.0 else math.nan


def compounded(returns: Floats) -> float:
    """Return what the returns come to one after the other, as a fraction."""
    return float(np.prod(1.0 + returns)) - 1.0


def wealth(returns: Floats) -> Floats:
    """Return what one rupee had become before the first and after each return."""
    path: Floats = np.multiply.accumulate(np.concatenate((np.ones(1), 1.0 + returns)))
    return path


def max_drawdown(returns: Floats) -> float:
    """Return the deepest fall from a peak as a negative fraction; NaN without returns."""
    if not returns.size:
        return math.nan
    path = wealth(returns)
    return float((path / np.maximum.accumulate(path) - 1.0).min())


def profit_factor(returns: Floats) -> float:
    """Return the sum of gains over the sum of losses; NaN without a loss."""
    lost = float(-returns[returns < 0.0].sum())
    return float(returns[returns > 0.0].sum()) / lost if lost > 0.0 else math.nan


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def composite(values: Mapping[str, float], weights: Mapping[str, float] = WEIGHTS) -> float:
    """Return the weighted score in 0 … 1: Sharpe over 3, capped to 0 … 1; what has no meaning counts nothing."""
    total = 0.0
    for name, weight in weights.items():
        value = values[name] / FULL_SHARPE if name == "sharpe" else values[name]
        total += weight * min(max(value, 0.0), 1.0) if value == value else 0.0
    return total


def scores(found: Accuracy) -> dict[str, float]:
    """Return the numbers that composite scores weigh."""
    return {
        "sharpe": found.sharpe_ratio, "precision": found.precision["LONG"], "hit_ratio": found.hit_ratio,
        "win_rate": found.win_rate,
    }  # fmt: skip


def thresholds(baseline: float, improved: float, places: int = 2) -> tuple[float, float]:
    """Return what live trading must reach, and below what it is rolled back (§15.10), each to so many decimal places.

    The first is the baseline and 80 % of the improvement; the second 85 % of the first: 1.45 → 1.92 gives 1.83, 1.56.
    """
    needed = round(baseline + VALIDATED * (improved - baseline), places)
    return needed, round(needed * ROLLED_BACK, places)


class Rolling(NamedTuple):
    """The newest traces against all of them; ``alerts`` says what has fallen by more than it may."""

    window: int
    rolling: Accuracy
    all_time: Accuracy
    deltas: dict[str, float]
    is_degrading: bool
    alerts: list[str]


def rolling(table: Table, window: int = 100, drops: Mapping[str, float] = DROPS) -> Rolling:
    """Return the newest ``window`` traces, by time of entry, measured against all."""
    newest = table.take(np.argsort(table.ts, kind="stable")[-window:])
    recent, ever = measure(newest), measure(table)
    pairs = {
        "precision": (recent.precision["LONG"], ever.precision["LONG"]),
        "win_rate": (recent.win_rate, ever.win_rate),
        "sharpe": (recent.sharpe_ratio, ever.sharpe_ratio),
    }
    deltas = {name: now - before for name, (now, before) in pairs.items()}
    degrading = bool(recent.win_rate < WORSE * ever.win_rate)
    return Rolling(window, recent, ever, deltas, degrading, list(_alerts(pairs, drops)))


def _alerts(pairs: Mapping[str, tuple[float, float]], drops: Mapping[str, float]) -> list[str]:
    told = []
    for name, words, form in (
        ("precision", "Precision", "{:.2%}"), ("win_rate", "Win rate", "{:.2%}"), ("sharpe", "Sharpe", "{:.2f}"),
    ):  # fmt: skip
        now, before = pairs[name]
        if before - now > drops[f"{name}_drop"] and (name == "sharpe" or before > 0.0):
            told.append(f"{words} drop: {form.format(now)} (rolling) vs {form.format(before)} (all-time)")
    return told


def cumulative(table: Table) -> tuple[npt.NDArray[np.float64], Floats]:
    """Return when each position was closed (seconds UTC) and the compounded return by then, in per cent."""
    table = table.in_order()
    return table.ts + table.holding * 60.0, (wealth(table.returns / 100.0)[1:] - 1.0) * 100.0
