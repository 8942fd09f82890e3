"""The honesty gate: whether a best configuration is evidence, not enough evidence, or to be rejected, and why.

Evidence asks for three things at once. The best of all tried is better than the luckiest of as many without skill
would be, by a bootstrap over days that keeps what configurations share (White's reality check, 5 %) and counts every
configuration tried on these days before; choosing by the past picked well on other days (PBO below 0.40); and the
Deflated Sharpe Ratio is at least 0.75, its hurdle no higher than luck alone can set it. Then nothing else may speak
against it: validation and test days, constraints, trades, neighbours. Over three years of 100 configurations it says
"evidence" of noise in at most 1 market of 100, and of one true Sharpe of 3 in 78 (none correlated) to 88
(``manage.py measure_honesty``); of shares searched through the desk (``--desk``) 2
and 72. PBO below 0.20 with DSR above 0.95 finds 48 to 75 of those: the reality check tells noise apart better than
either, so they need not be that strict beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

EVIDENCE, NOT_ENOUGH, REJECT = "evidence", "not enough evidence", "REJECT"
LUCK, CONFIDENT, OVERFIT, COIN = 0.05, 0.75, 0.40, 0.50
FEW_TRADES = 30


class Findings(NamedTuple):
    """All that the gate looks at; Sharpe ratios per year, NaN where unknown."""

    trials: int  # ever tried on these days
    feasible: bool
    trades: int
    days: int
    deflated: float
    pbo: float
    luck: float  # p-value of the reality check, over all that was ever tried
    least_days: float  # minimum track record
    train: float
    validation: float
    fell: float  # from train to validation, in standard errors
    isolated: bool
    beats_baseline: bool | None  # None without a baseline
    test: float | None = None  # None when nobody looked, NaN without a trade there


Reason = Callable[[Findings], str | None]


def _infeasible(f: Findings) -> str | None:
    return None if f.feasible else "no configuration meets the constraints"


def _loses(f: Findings) -> str | None:
    if f.train > 0.0:
        return None
    return f"even the best configuration does not earn its costs on the training days (Sharpe {f.train:.2f})"


def _overfitted(f: Findings) -> str | None:
    if not f.pbo >= COIN:
        return None
    return f"choosing the best of the past did no better than a coin: PBO {f.pbo:.2f}, at least {COIN:.2f}"


def _lucky(f: Findings) -> str | None:
    if not f.deflated < COIN:
        return None
    return f"the luckiest of {f.trials} configurations without skill would look as good: DSR {f.deflated:.2f}"


def _not_confirmed(f: Findings) -> str | None:
    return f"it loses on the validation days (Sharpe {f.validation:.2f})" if f.validation <= 0.0 else None


def _failed_test(f: Findings) -> str | None:
    return f"it loses on the test days (Sharpe {f.test:.2f})" if f.test is not None and f.test <= 0.0 else None


def _no_better(f: Findings) -> str | None:
    return "it does not beat the baseline" if f.beats_baseline is False else None


def _chance(f: Findings) -> str | None:
    if f.luck < LUCK:
        return None
    told = "unknown" if math.isnan(f.luck) else f"{f.luck:.3f}"
    return f"luck alone explains it: reality check p {told} over {f.trials} configurations, {LUCK} needed"


def _pbo_high(f: Findings) -> str | None:
    if f.pbo < OVERFIT:
        return None
    return f"PBO {'unknown' if math.isnan(f.pbo) else f'{f.pbo:.2f}'}: less than {OVERFIT:.2f} needed"


def _dsr_low(f: Findings) -> str | None:
    if f.deflated >= CONFIDENT:
        return None
    return f"DSR {'unknown' if math.isnan(f.deflated) else f'{f.deflated:.2f}'}: at least {CONFIDENT:.2f} needed"


def _too_short(f: Findings) -> str | None:
    if f.days >= f.least_days:
        return None
    if math.isinf(f.least_days):
        return f"no number of days would tell this Sharpe from one above 0: it is not ({f.days} days)"
    return f"{f.days} days are too few: {math.ceil(f.least_days):,} would be needed to tell this Sharpe from 0"


def _unseen(f: Findings) -> str | None:
    parts = {"validation": f.validation, "test": f.test}
    idle = [name for name, value in parts.items() if value is not None and math.isnan(value)]
    return f"it made no trade on the {' and the '.join(idle)} days, so nothing confirms it" if idle else None


def _few_trades(f: Findings) -> str | None:
    return f"only {f.trades} trades on the training days: {FEW_TRADES} needed" if f.trades < FEW_TRADES else None


def _needle(f: Findings) -> str | None:
    return "its neighbours do much worse: a needle, not a plateau" if f.isolated else None


def _decayed(f: Findings) -> str | None:
    if not f.fell > 2.0:
        return None
    return f"it fell from Sharpe {f.train:.2f} to {f.validation:.2f} out of sample, by {f.fell:.1f} standard errors"


AGAINST: tuple[Reason, ...] = (
    _infeasible, _loses, _overfitted, _lucky, _not_confirmed, _failed_test, _no_better,
)  # fmt: skip
DOUBTS: tuple[Reason, ...] = (_chance, _pbo_high, _dsr_low, _too_short, _unseen, _few_trades, _needle, _decayed)


def verdict(found: Findings) -> tuple[str, list[str]]:
    """Return the verdict and every reason for it: all that speaks against it first, then every doubt."""
    against = [told for reason in AGAINST if (told := reason(found))]
    doubts = [told for reason in DOUBTS if (told := reason(found))]
    if against:
        return REJECT, [*against, *doubts]
    if doubts:
        return NOT_ENOUGH, doubts
    return EVIDENCE, []
