"""How good a scorer is: labels against the truth, and confidence against how often it was right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from trading.core.errors import Invalid
from trading.core.sentiment.scored import LABELS

BINS: Final = 10
PLACE: Final = {label: k for k, label in enumerate(LABELS)}


class LabelFigures(NamedTuple):
    """How one label fared; NaN-free: what cannot be told is 0."""

    precision: float
    recall: float
    f1: float
    support: int


class Bin(NamedTuple):
    """Texts whose confidence lay between ``low`` and ``high``: how many, their mean confidence, how many were right."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


class Evaluation(NamedTuple):
    """A scorer's figures over labelled texts; ``confusion[truth][told]`` counts, in the order of LABELS."""

    n: int
    accuracy: float
    macro_f1: float
    ece: float
    confusion: list[list[int]]
    labels: dict[str, LabelFigures]
    bins: list[Bin]


def evaluate(truth: Sequence[str], told: Sequence[str], confidence: Sequence[float]) -> Evaluation:
    """Return the figures of labels ``told`` with a ``confidence`` each; Invalid for none, or for unequal lengths.

    Macro-F1 is the plain mean over the labels that occur in the truth or were told. ECE is the mean distance of
    confidence and accuracy over ten bins of equal width, by the share of texts in each.
    """
    if not truth or not len(truth) == len(told) == len(confidence):
        raise Invalid(f"{len(truth)} truths, {len(told)} labels and {len(confidence)} confidences: give one of each")
    confusion = np.zeros((len(LABELS), len(LABELS)), np.int64)
    for one, other in zip(truth, told, strict=True):
        confusion[PLACE[one], PLACE[other]] += 1
    figures = {label: _figures(confusion, k) for k, label in enumerate(LABELS)}
    there = [figures[label].f1 for k, label in enumerate(LABELS) if confusion[k].sum() + confusion[:, k].sum()]
    bins = _bins(np.array([a == b for a, b in zip(truth, told, strict=True)]), np.array(confidence, np.float64))
    ece = sum(each.n * abs(each.confidence - each.accuracy) for each in bins) / len(truth)
    accuracy = float(np.trace(confusion)) / len(truth)
    return Evaluation(len(truth), accuracy, sum(there) / len(there), ece, confusion.tolist(), figures, bins)


def _figures(confusion: npt.NDArray[np.int64], k: int) -> LabelFigures:
    hit, told, true = int(confusion[k, k]), int(confusion[:, k].sum()), int(confusion[k].sum())
    return LabelFigures(hit / max(told, 1), hit / max(true, 1), 2 * hit / max(told + true, 1), true)


def _bins(right: npt.NDArray[np.bool_], confidence: npt.NDArray[np.float64]) -> list[Bin]:
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    found = []
    for k in range(BINS):
        here = place == k
        if here.any():
            found.append(
                Bin(
                    k / BINS, (k + 1) / BINS, int(here.sum()), float(confidence[here].mean()), float(right[here].mean())
                )
            )
    return found
