"""Small students for stories: their word follows from RSI alone."""

import numpy as np

from tests.trading.desks import LIVELY
from trading.adapters import student_files
from trading.core.observations import made_by
from trading.core.scoring import Linear, Scorer, Thresholds
from trading.core.setups import make_setup
from trading.services import students

NAMES = ("rsi", "adx", "session_minute")
SETUP = make_setup("intraday", 5, {}, LIVELY)


def pupil(slope=0.15, middle=60.0, names=NAMES, digest=""):
    """Return a student that finds a LONG the likelier the further RSI lies above ``middle``."""
    weights = np.zeros((3, len(names)))
    weights[0, 0], weights[1, 0] = slope, -slope
    high = np.full(len(names), 100.0)
    bias = np.array([-slope * middle, slope * middle, -1.0])
    model = Linear(weights, bias, 0.0 * high, 0.0 * high, high)
    code = digest or made_by("intraday", SETUP)
    return Scorer("", "logistic", tuple(names), code, model, 1.0, Thresholds(0.4, 0.4))


def sealed(folder, student=None, **told):
    """Write a student's folder and return it with the digest of its manifest."""
    kept = student_files.save(folder, student or pupil(), {}, told)
    return folder, kept.digest


def seat(folder, student=None, **told):
    """Return a loaded student that no row has put in place."""
    return students.load(*sealed(folder, student, **told), 1)


def installed(folder, at, student=None, role="champion", by="asha", **told):
    """Put a student in place and return its row."""
    where, digest = sealed(folder, student, **told)
    return students.install(where, digest, role=role, evidence="e" * 64, reason="a story", by=by, at=at)
