"""One student on trial: the desk's own backtest with its word in every entry, and what its chances were worth.

Candidate and baseline are tried on the same bars, charges and capital; nothing but the student differs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models_ml.core.promotion import Skill, skill
from trading.core.panel import LaneBars
from trading.core.rolls import rolled
from trading.core.rules import Setup
from trading.core.signals import LONG
from trading.core.simulation import Outcome, Schedule, simulate
from trading.core.state import DAY_END, SIGNAL, TRADED, Happening
from trading.services import runs, scoring
from trading.services.students import Seat

Floats = npt.NDArray[np.float64]
EVERY_WORD = -2.0  # a threshold no word lies below


@dataclass(frozen=True, slots=True)
class Court:
    """What every student is tried on."""

    strategy: str
    setup: Setup
    lanes: Sequence[LaneBars]
    charges: Schedule
    capital: float

    @property
    def compiled(self) -> bool:
        """Say whether the compiled core pays."""
        return runs.worth_compiling(self.strategy, sum(len(lane.bars) for lane in self.lanes))


@dataclass(frozen=True, slots=True)
class Trial:
    """The document's metrics (fractions, a yearly Sharpe; NaN where there is none), and each session's net return."""

    metrics: dict[str, float]
    daily: Floats


def trial(court: Court, seat: Seat | None) -> Trial:
    """Return how the desk would have done with the student in ``seat``, or without any."""
    lanes = scoring.told(court.strategy, court.setup, court.lanes, [seat] if seat else [])
    outcome = _run(court, lanes, court.setup)
    found = outcome.happenings()
    longs = [x.values["net"] > 0.0 for x in found if x.kind == TRADED and x.values["side"] == LONG]
    metrics = {
        "precision_long": sum(longs) / len(longs) if longs else math.nan,
        "hit_ratio": outcome.measures.hit_ratio,
        "sharpe_ratio": outcome.measures.sharpe_ratio,
        "win_rate": outcome.measures.win_rate,
        "net_pnl": outcome.measures.total_pnl,
        "max_drawdown": outcome.measures.max_drawdown,
        "charges": outcome.measures.charges,
        "trades": float(outcome.measures.trades),
    }
    return Trial(metrics, daily(found, court.capital))


def daily(found: Sequence[Happening], capital: float) -> Floats:
    """Return each session's net return on the equity it began with, oldest first."""
    equity = np.array([capital, *(x.values["equity"] for x in found if x.kind == DAY_END)])
    returns: Floats = equity[1:] / equity[:-1] - 1.0
    return returns


def worth(court: Court, seat: Seat, threshold: float) -> Skill:
    """Return what the student's chances were worth on every trade the strategy alone would have made."""
    lanes = scoring.told(court.strategy, court.setup, court.lanes, [seat])
    free = court.setup._replace(rules=court.setup.rules._replace(min_student=EVERY_WORD))
    chances, paid = decided(_run(court, lanes, free).happenings())
    return skill(chances, paid, threshold)


def decided(found: Sequence[Happening]) -> tuple[Floats, Floats]:
    """Return, for each closed trade the student was asked about, its chance and whether it paid (1, 0), net."""
    word: dict[int, float] = {}
    chances, paid = [], []
    for each in found:
        v = each.values
        if each.kind == SIGNAL and v["side"] == 0 and v["objections"] == 0:
            word[each.lane] = v["direction"] * v["student"]
        elif each.kind == TRADED and math.isfinite(chance := word.pop(each.lane, math.nan)):
            chances.append(chance)
            paid.append(float(v["net"] > 0.0))
    return np.array(chances), np.array(paid)


def _run(court: Court, lanes: Sequence[LaneBars], setup: Setup) -> Outcome:
    return simulate(
        court.strategy, setup, rolled(lanes), capital=court.capital, charges=court.charges, compiled=court.compiled
    )


def told(trial_of: Trial) -> dict[str, Any]:
    """Return a trial's metrics as JSON keeps them, rounded to six places."""
    return {key: round(x, 6) if math.isfinite(x) else None for key, x in trial_of.metrics.items()}
