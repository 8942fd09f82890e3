"""What a walk-forward shows: how much of the searched return survived, whether the choice drifts, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from models_ml.core import overfitting as statistics
from models_ml.core.overfitting import Floats
from models_ml.core.part_measures import Curve
from models_ml.core.spaces import Space, whereabouts
from models_ml.core.verdicts import COIN, CONFIDENT, EVIDENCE, FEW_TRADES, LUCK, NOT_ENOUGH, OVERFIT, REJECT

SURVIVES = 0.5  # of the searched return, the least that must be left on unseen days


def joined(curves: Sequence[Curve]) -> Curve:
    """Return curves that follow each other as one."""
    return Curve(*(np.concatenate(columns) for columns in zip(*curves, strict=True)))


def annual(growth: float, days: int) -> float:
    """Return (growth)^(252 / days) − 1, NaN when there is nothing left or no day."""
    return growth ** (statistics.DAYS / days) - 1.0 if days > 0 and growth > 0.0 else math.nan


def efficiency(unseen: float, searched: float) -> float:
    """Return the unseen annual return as a share of the searched one; NaN when the search earned nothing."""
    return unseen / searched if searched > 0.0 else math.nan


def drift(space: Space, chosen: Sequence[Mapping[str, float]]) -> list[dict[str, Any]]:
    """Return, for every parameter that was searched, what each window chose and how far that moved between windows.

    ``changed`` is the share of moves to another value, ``moved`` the mean distance of two windows as a share of the
    range; the one that drifts most comes first.
    """
    found = []
    for choice in space:
        if not choice.high > choice.low:
            continue
        values = [float(each[choice.name]) for each in chosen]
        places = np.array([whereabouts(choice, value) for value in values])
        steps = np.abs(np.diff(places))
        found.append({
            "name": choice.name, "values": values,
            "changed": float((steps > 0.0).mean()) if steps.size else None,
            "moved": round(float(steps.mean()), 6) if steps.size else None,
        })  # fmt: skip
    return sorted(found, key=lambda each: -(each["moved"] or 0.0))


class Walked(NamedTuple):
    """All that the verdict looks at; returns and Sharpe ratios per year, NaN where unknown."""

    trials: int
    windows: int
    unmet: int  # windows in which no configuration met the constraints
    trades: int
    days: int
    sharpe: float  # of the unseen days
    searched: float  # return of the chosen ones on the days that chose them
    unseen: float
    profitable: float  # share of windows
    deflated: float
    pbo: float
    luck: float
    least_days: float
    hurdle: float
    beats_baseline: bool | None


def examine(returns: Floats, tried: Floats, trials: int, looks: int, seed: int) -> dict[str, float]:
    """Return the statistics of the unseen days' returns; ``tried`` are the daily Sharpe ratios of every trial.

    They are one curve and not the best of many, but the hurdle is that of all trials all the same: whoever searches
    long enough finds a walk that pleases. ``looks`` is how often these days were looked at.
    """
    hurdle = statistics.expected_maximum(statistics.luck_variance(tried, returns.size), trials)
    luck = statistics.reality_check(returns[:, None], 0, seed=seed) if returns.size else math.nan
    return {
        "deflated": statistics.probabilistic(returns, hurdle) if returns.size > 1 else math.nan,
        "luck": statistics.beyond(luck, 1, looks),
        "least_days": statistics.least_track(returns) if returns.size > 1 else math.inf,
        "hurdle": statistics.annual(hurdle),
        "sharpe": statistics.annual(statistics.sharpe(returns)),
    }


Reason = Callable[[Walked], str | None]


def _unmet(w: Walked) -> str | None:
    return f"in {w.unmet} of {w.windows} windows no configuration meets the constraints" if w.unmet else None


def _loses(w: Walked) -> str | None:
    return None if w.sharpe > 0.0 or math.isnan(w.sharpe) else f"it loses on the unseen days (Sharpe {w.sharpe:.2f})"


def _searched_loses(w: Walked) -> str | None:
    if w.searched > 0.0:
        return None
    return f"even on the days that chose them the best earn nothing ({w.searched:.1%} a year)"


def _lucky(w: Walked) -> str | None:
    if not w.deflated < COIN:
        return None
    return f"the luckiest of {w.trials} configurations without skill would look as good: DSR {w.deflated:.2f}"


def _coin(w: Walked) -> str | None:
    if not w.pbo >= COIN:
        return None
    return f"in the windows, choosing by the past did no better than a coin: mean PBO {w.pbo:.2f}"


def _no_better(w: Walked) -> str | None:
    return "it does not beat the baseline on the unseen days" if w.beats_baseline is False else None


def _chance(w: Walked) -> str | None:
    if w.luck < LUCK:
        return None
    told = "unknown" if math.isnan(w.luck) else f"{w.luck:.3f}"
    return f"luck alone explains the unseen days: p {told}, {LUCK} needed"


def _dsr_low(w: Walked) -> str | None:
    if w.deflated >= CONFIDENT:
        return None
    return f"DSR {'unknown' if math.isnan(w.deflated) else f'{w.deflated:.2f}'}: at least {CONFIDENT:.2f} needed"


def _pbo_high(w: Walked) -> str | None:
    if w.pbo < OVERFIT:
        return None
    return f"mean PBO {'unknown' if math.isnan(w.pbo) else f'{w.pbo:.2f}'}: less than {OVERFIT:.2f} needed"


def _too_short(w: Walked) -> str | None:
    if w.days >= w.least_days:
        return None
    if math.isinf(w.least_days):
        return f"no number of days would tell this Sharpe from one above 0: it is not ({w.days} unseen days)"
    return f"{w.days} unseen days are too few: {math.ceil(w.least_days):,} would be needed to tell this Sharpe from 0"


def _few_trades(w: Walked) -> str | None:
    return f"only {w.trades} trades on the unseen days: {FEW_TRADES} needed" if w.trades < FEW_TRADES else None


def _shrinks(w: Walked) -> str | None:
    found = efficiency(w.unseen, w.searched)
    return f"only {found:.0%} of the searched return was left on the unseen days" if found < SURVIVES else None


def _mostly_loses(w: Walked) -> str | None:
    return f"only {w.profitable:.0%} of the windows earned anything" if w.profitable < 0.5 else None


AGAINST: tuple[Reason, ...] = (_unmet, _searched_loses, _loses, _lucky, _coin, _no_better)
DOUBTS: tuple[Reason, ...] = (_chance, _pbo_high, _dsr_low, _too_short, _few_trades, _shrinks, _mostly_loses)


def verdict(found: Walked) -> tuple[str, list[str]]:
    """Return the verdict and every reason for it: all that speaks against it first, then every doubt."""
    against = [told for reason in AGAINST if (told := reason(found))]
    doubts = [told for reason in DOUBTS if (told := reason(found))]
    if against:
        return REJECT, [*against, *doubts]
    return (NOT_ENOUGH, doubts) if doubts else (EVIDENCE, [])
