"""Markets whose truth is known, to see what the honesty gate says of them: noise, and one skill among noise."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from models_ml.core import overfitting as statistics
from models_ml.core.evidence import Context, examine
from models_ml.core.overfitting import Floats
from models_ml.core.periods import USUAL, split
from models_ml.core.verdicts import FEW_TRADES, verdict

DAILY = 0.01  # deviation of a configuration's daily returns; no statistic depends on it
TAILS = 5.0  # degrees of freedom of Student's t: days as wild as a market's


class Truth(NamedTuple):
    """A kind of market: days in all, configurations, the mean correlation of two, and the first one's true Sharpe."""

    days: int = 756
    configs: int = 100
    alike: float = 0.5
    sharpe: float = 0.0


def returns(truth: Truth, seed: int) -> Floats:
    """Return daily returns (days × configurations) of a market; equal seeds give equal markets."""
    rng = np.random.default_rng(seed)
    scale = DAILY / math.sqrt(TAILS / (TAILS - 2.0))
    own = rng.standard_t(TAILS, (truth.days, truth.configs)) * scale
    common = rng.standard_t(TAILS, (truth.days, 1)) * scale
    matrix = math.sqrt(1.0 - truth.alike) * own + math.sqrt(truth.alike) * common
    matrix[:, 0] += truth.sharpe / math.sqrt(statistics.DAYS) * DAILY
    found: Floats = matrix
    return found


def judged(matrix: Floats, seed: int) -> tuple[str, int]:
    """Return the verdict on a market's best configuration, and which it is: chosen, confirmed and tested as usual."""
    parts = split(range(len(matrix)), USUAL, 1)
    seen = np.concatenate((matrix[: parts.train.last + 1], matrix[parts.validation.first : parts.validation.last + 1]))
    best = int(statistics.sharpes(seen[: parts.train.sessions]).argmax())
    unseen = matrix[parts.validation.last + 2 :, best]  # after a purge of one day
    test = statistics.annual(statistics.sharpe(unseen))
    known = Context(ever=matrix.shape[1], feasible=True, trades=FEW_TRADES, test=test)
    word, _ = verdict(examine(seen, best, parts.train.sessions, known, seed).findings)
    return word, best
