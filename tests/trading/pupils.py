"""Small students for stories: their word follows from RSI alone."""

import numpy as np

from trading.adapters import student_files
from trading.core.scoring import Linear, Scorer, Thresholds
from trading.services import students

NAMES = ("rsi", "adx", "session_minute")


def pupil(slope=0.15, middle=60.0, names=NAMES):
    """Return a student that finds a LONG the likelier the further RSI lies above ``middle``."""
    weights = np.zeros((3, len(names)))
    weights[0, 0], weights[1, 0] = 50.0 * slope, -50.0 * slope  # a student sees RSI from −1 to 1
    middle -= 50.0
    high = np.ones(len(names))
    bias = np.array([-slope * middle, slope * middle, -1.0])
    return Scorer(
        "", "logistic", tuple(names), "story", Linear(weights, bias, 0.0 * high, -high, high), 1.0, Thresholds(0.4, 0.4)
    )


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
