"""May a candidate replace what trades? The document's rule (§17.5), and four things it does not ask for.

The rule alone promotes a clone one time in three. So a candidate must also be better on the same later days beyond
doubt (``paired``), must not look too good to be true, must have been judged on enough decisions, and on no bar it
learned from. What is missing or not a number is not good enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models_ml.core.paired import Paired

Floats = npt.NDArray[np.float64]

PROMOTE, REJECT = "PROMOTE", "REJECT"
MOST_AUC: Final = 0.56
MOST_OVER_BASE: Final = 0.08
FEWEST_DECISIONS: Final = 100
FEWEST_TRADES: Final = 30
CRITERIA: Final = (
    ("precision", "precision_long", "min_precision_uplift"),
    ("hit_ratio", "hit_ratio", "min_hit_ratio_uplift"),
    ("sharpe", "sharpe_ratio", "min_sharpe_uplift"),
)


class Rule(NamedTuple):
    """The least uplifts (fractions; Sharpe in its own units) and whether all of them are needed."""

    min_precision_uplift: float
    min_hit_ratio_uplift: float
    min_sharpe_uplift: float
    require_all: bool


class Skill(NamedTuple):
    """What the candidate's chances were worth on decisions nobody filtered.

    ``auc`` of chance against outcome; ``precision`` of those it would act on; ``base_rate`` of all of them.
    """

    decisions: int
    acted: int
    auc: float
    precision: float
    base_rate: float


def skill(chances: Floats, paid: Floats, threshold: float) -> Skill:
    """Return what ``chances`` were worth against ``paid`` (1 where the trade made money after charges, else 0)."""
    acted = chances >= threshold
    precision = float(paid[acted].mean()) if acted.any() else math.nan
    base = float(paid.mean()) if paid.size else math.nan
    return Skill(int(paid.size), int(acted.sum()), auc(chances, paid), precision, base)


def auc(chances: Floats, paid: Floats) -> float:
    """Return the chance that a paid decision was given more than an unpaid one, ties half; NaN without both."""
    good, bad = int(paid.sum()), int((1.0 - paid).sum())
    if not good or not bad:
        return math.nan
    _, place, counts = np.unique(chances, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[place]
    return float((ranks[paid > 0.5].sum() - good * (good + 1) / 2.0) / (good * bad))


def leaks(found: Skill) -> list[str]:
    """Return why the candidate looks too good to be true; each reason blocks its promotion."""
    told = []
    if found.auc > MOST_AUC:
        told.append(
            f"AUC {found.auc:.3f} over {found.decisions} decisions (chance: 0.5 ± {2.0 * chance_of(found):.3f}) is "
            f"above {MOST_AUC}, more than is believed of liquid shares"
        )
    over = found.precision - found.base_rate
    if over > MOST_OVER_BASE:
        told.append(
            f"precision {found.precision:.3f} of {found.acted} decisions lies {over * 100:.1f} points over the base "
            f"rate {found.base_rate:.3f}, {MOST_OVER_BASE * 100:.0f} at most are believed"
        )
    return told


def chance_of(found: Skill) -> float:
    """Return the standard error an AUC of mere chance would have (Mann and Whitney); NaN without both outcomes."""
    good = found.base_rate * found.decisions
    bad = found.decisions - good
    return math.sqrt((good + bad + 1.0) / (12.0 * good * bad)) if good > 0.0 and bad > 0.0 else math.nan


def deltas(candidate: Mapping[str, float], baseline: Mapping[str, float]) -> dict[str, float]:
    """Return the uplifts by the document's names; NaN where a metric is missing."""
    return {
        f"{name}_uplift": candidate.get(metric, math.nan) - baseline.get(metric, math.nan)
        for name, metric, _ in CRITERIA
    }


def results(uplifts: Mapping[str, float], rule: Rule) -> dict[str, bool]:
    """Return which of the document's criteria are met, and whether as many of them as the rule needs."""
    met = {f"{name}_pass": uplifts[f"{name}_uplift"] >= getattr(rule, least) for name, _, least in CRITERIA}
    return {**met, "all_criteria_pass": all(met.values()) if rule.require_all else any(met.values())}


def verdict(
    met: Mapping[str, bool], paired: Paired, found: Skill, own: Mapping[str, float], *, suspected: Sequence[str] = (),
    in_sample: str = "",
) -> tuple[str, str]:  # fmt: skip
    """Return PROMOTE or REJECT and the reason.

    ``own`` are the candidate's metrics, ``trades`` among them; ``suspected`` are the leaks it is suspected of;
    ``in_sample`` says which bars it had seen, if any.
    """
    against = [
        *(f"suspected leak: {each}" for each in suspected),
        *([f"not out of sample: {in_sample}"] if in_sample else []),
        *_unmet(met),
        *_alone(own),
        *_doubts(paired, found),
    ]
    if against:
        return REJECT, "; ".join(against) + "."
    return PROMOTE, (
        f"All validation criteria passed, and over {paired.days} days the candidate earned "
        f"{paired.mean * 1e4:+.2f} bps a day more (95 % interval {paired.mean_low * 1e4:+.2f} to "
        f"{paired.mean_high * 1e4:+.2f})."
    )


def _unmet(met: Mapping[str, bool]) -> list[str]:
    if met["all_criteria_pass"]:
        return []
    failed = [name for name, _, _ in CRITERIA if not met[f"{name}_pass"]]
    return [f"the uplift of {', '.join(failed)} is below its threshold"]


def _alone(own: Mapping[str, float]) -> list[str]:
    """Return what speaks against the candidate by itself: to abstain, or to lose less, is no skill."""
    trades = own.get("trades", 0.0)
    if not trades >= FEWEST_TRADES:
        return [f"it made only {trades:.0f} trades, {FEWEST_TRADES} are needed: not to trade is no skill"]
    if not own.get("sharpe_ratio", math.nan) > 0.0:
        return ["it loses money itself, after charges: not to trade would be better"]
    return []


def _doubts(paired: Paired, found: Skill) -> list[str]:
    told = []
    if found.decisions < FEWEST_DECISIONS:
        told.append(f"only {found.decisions} decisions to judge by, {FEWEST_DECISIONS} are needed")
    if not paired.significant:
        told.append(_insignificant(paired))
    return told


def _insignificant(paired: Paired) -> str:
    if not math.isfinite(paired.mean):
        return f"{paired.days} days are too few to tell skill from luck"
    return (
        f"not enough evidence: {paired.mean * 1e4:+.2f} bps a day, 95 % interval {paired.mean_low * 1e4:+.2f} to "
        f"{paired.mean_high * 1e4:+.2f}, Sharpe difference {paired.sharpe_low:+.2f} to {paired.sharpe_high:+.2f}"
    )


def as_json(found: Any) -> dict[str, Any]:
    """Return a tuple of numbers as JSON keeps it: what has no meaning is null."""
    told: dict[str, Any] = found._asdict() if hasattr(found, "_asdict") else dict(found)
    return {key: None if isinstance(x, float) and not math.isfinite(x) else x for key, x in told.items()}
