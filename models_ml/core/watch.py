"""What a student in place has shown so far, and by which rule it must stop scoring.

Outcomes lead: an e-process that says it is worse than the strategy alone, or that its chances promise too much, ends it
at once. Moved inputs only inform, until they stay moved for three evenings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models_ml.core.drift import Calibration, Drift, calibration
from models_ml.core.sequential import Evidence, better, overconfident, weekly

Floats = npt.NDArray[np.float64]

DRIFT_EVENINGS: Final = 3
FEWEST_ACTED: Final = 50
Z: Final = 1.96


class Decisions(NamedTuple):
    """Decisions whose outcome is known, oldest first, all n long.

    ``session`` numbers their days; ``chance`` is what the student gave, ``acted`` whether that was enough; ``net`` is
    what the trade would have returned after charges, as a fraction.
    """

    session: npt.NDArray[np.int64]
    chance: Floats
    acted: npt.NDArray[np.bool_]
    net: Floats


class Found(NamedTuple):
    """What the decisions say of a student; ``low`` and ``high`` bound the precision of what it acted on."""

    decisions: int
    acted: int
    precision: float
    low: float
    high: float
    worse: Evidence  # than the strategy alone
    overconfident: Evidence
    calibration: Calibration


def daily(known: Decisions, taken: npt.NDArray[np.bool_] | None = None) -> Floats:
    """Return each session's mean net return of a decision, those not ``taken`` counting 0 (None: all are taken)."""
    _, place = np.unique(known.session, return_inverse=True)
    earned = known.net if taken is None else np.where(taken, known.net, 0.0)
    found: Floats = np.bincount(place, earned) / np.bincount(place)
    return found


def judge(known: Decisions) -> Found:
    """Return what the decisions say."""
    paid = (known.net > 0.0).astype(np.float64)
    count, right = int(known.acted.sum()), float(paid[known.acted].sum())
    low, high = wilson(right, count)
    alone, gated = daily(known), daily(known, known.acted)
    return Found(
        int(known.net.size), count, right / count if count else math.nan, low, high, better(weekly(alone - gated)),
        overconfident(known.chance, paid), calibration(known.chance, paid),
    )  # fmt: skip


def wilson(right: float, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share; (0, 1) without any."""
    if not count:
        return 0.0, 1.0
    share, room = right / count, Z * Z / count
    middle = (share + room / 2.0) / (1.0 + room)
    reach = Z * math.sqrt(share * (1.0 - share) / count + room / (4.0 * count)) / (1.0 + room)
    return middle - reach, middle + reach


def versus(one: Decisions, other: Decisions) -> Floats:
    """Return, session by session, by how much ``one``'s decisions earned more; both were asked about the same ones."""
    return daily(one, one.acted) - daily(other, other.acted)


def reasons(found: Found, drift: Drift | None, drift_evenings: int, promised: float | None) -> Sequence[str]:
    """Return why the student must stop scoring; empty when it may go on.

    ``drift_evenings`` counts the evenings in a row, this one included, on which its inputs had moved; ``promised`` is
    the precision that trading without it had when it was promoted.
    """
    told = []
    if found.worse.enough:
        told.append(f"worse than the strategy alone (evidence {found.worse.highest:.0f} to 1)")
    if found.overconfident.enough:
        gap = found.calibration.gap
        told.append(
            f"its chances promise {gap * 100:.1f} points too much (evidence {found.overconfident.highest:.0f} to 1)"
        )
    if promised is not None and found.acted >= FEWEST_ACTED and found.high < promised:
        told.append(
            f"precision {found.precision:.3f} of {found.acted} is below {promised:.3f}, what trading had without it"
        )
    if drift is not None and drift.alarm and drift_evenings >= DRIFT_EVENINGS:
        told.append(
            f"its inputs have moved for {drift_evenings} evenings: PSI of {drift.feature} {drift.psi:.2f}, "
            f"{drift.threshold:.2f} in its own history"
        )
    return told
