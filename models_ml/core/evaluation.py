"""How good a classifier was on rows it had not seen: the measures of §16.6, with numpy alone.

Classes are numbered in the order of ``CLASSES``: 0 LONG, 1 SHORT, 2 NOOP. ``y`` of a dataset is +1, −1 or 0.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from trading.core.errors import Invalid
from trading.core.scoring import CLASSES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PLACES: Final = np.array([2, 0, 1])  # y → class; y = −1 counts from the end
BINS: Final = 10


def classes_of(y: npt.NDArray[Any]) -> Ints:
    """Return the classes (n,) of labels +1, −1 and 0."""
    return PLACES[np.asarray(y, np.int64)]


def measures(truth: Ints, chances: Floats) -> dict[str, Any]:
    """Return ``evaluation_metrics.json`` of §16.6 for classes ``truth`` (n,) and ``chances`` (n, 3).

    The class with the highest chance counts as predicted. A precision without predictions is 0, as is a recall without
    rows; the area under the curve is the macro average, one class against the others, of the classes that are there
    (None when there is only one). Invalid without rows.
    """
    if not truth.size:
        raise Invalid("there are no rows to evaluate on")
    told = chances.argmax(axis=1)
    table = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    np.add.at(table, (truth, told), 1)
    right = table.diagonal()
    precision, recall = _shares(right, table.sum(axis=0)), _shares(right, table.sum(axis=1))
    f1 = _shares(2.0 * precision * recall, precision + recall)
    aucs = [auc(truth == place, chances[:, place]) for place in range(len(CLASSES))]
    known = [each for each in aucs if each is not None]
    return {
        "accuracy": float(right.sum() / truth.size),
        "precision_macro": float(precision.mean()),
        "recall_macro": float(recall.mean()),
        "f1_macro": float(f1.mean()),
        "auc_macro": float(np.mean(known)) if known else None,
        "precision_per_class": dict(zip(CLASSES, precision.tolist(), strict=True)),
        "recall_per_class": dict(zip(CLASSES, recall.tolist(), strict=True)),
        "f1_per_class": dict(zip(CLASSES, f1.tolist(), strict=True)),
        "auc_per_class": dict(zip(CLASSES, aucs, strict=True)),
        "confusion_matrix": table.tolist(),
        "class_labels": list(CLASSES),
        "rows": int(truth.size),
        "log_loss": log_loss(truth, chances),
        "brier": float(((chances - np.eye(len(CLASSES))[truth]) ** 2).sum(axis=1).mean()),
        "calibration_error": calibration_error(truth, chances),
    }


def _shares(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Floats:
    found: Floats = np.divide(part, whole, out=np.zeros(len(CLASSES)), where=whole > 0)
    return found


def auc(positive: npt.NDArray[np.bool_], scores: Floats) -> float | None:
    """Return the chance that a positive row scores higher than another, ties counted as half; None without both."""
    ups = int(positive.sum())
    downs = positive.size - ups
    if not ups or not downs:
        return None
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (count.cumsum() - 0.5 * (count - 1))[place]
    return float((rank[positive].sum() - ups * (ups + 1) / 2) / (ups * downs))


def directional_auc(y: npt.NDArray[Any], chances: Floats, *, both: bool = True) -> float | None:
    """Return how well LONG is told from SHORT among the rows that became one of them; None when all became the same.

    Where only LONG can be traded (``both`` is False) it is told from everything else, among all rows.

    Whether a barrier is reached at all can be known ahead, because volatility can; which of the two it will be can
    hardly be, and a figure far from ½ is a leak before it is skill.
    """
    if not both:
        return auc(y > 0, chances[:, 0])
    moved = y != 0
    long, short = chances[moved, 0], chances[moved, 1]
    return auc(y[moved] > 0, long / np.maximum(long + short, 1e-300))


def log_loss(truth: Ints, chances: Floats, weight: Floats | None = None) -> float:
    """Return the mean of −ln of the chance given to what came true, in nats."""
    found = -np.log(np.maximum(chances[np.arange(truth.size), truth], 1e-15))
    return float(np.average(found, weights=weight))


def calibration_error(truth: Ints, chances: Floats) -> float:
    """Return the expected calibration error of the predicted class: |share right − mean chance| over BINS of chance."""
    told, sure = chances.argmax(axis=1), chances.max(axis=1)
    place = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    gap = np.bincount(place, (told == truth) - sure, BINS)
    return float(np.abs(gap).sum() / truth.size)


def agreement(student: Floats, teacher: Floats) -> dict[str, Any]:
    """Return how far a student says what its teacher says, on rows (n, 3) both were asked about. It is no skill."""
    told = teacher.argmax(axis=1)
    found = measures(told, student)
    return {
        "accuracy": found["accuracy"], "precision_macro": found["precision_macro"],
        "recall_macro": found["recall_macro"], "f1_macro": found["f1_macro"], "rows": found["rows"],
    }  # fmt: skip
