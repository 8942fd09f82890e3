"""Fit a teacher on a dataset: with hindsight, but never with the future of what it is asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models_ml.adapters.teacher_files import Lesson
from models_ml.core.evaluation import classes_of, directional_auc, measures
from models_ml.core.frozen import Frozen
from models_ml.core.lessons import spans, statistics
from models_ml.core.slices import Shares, Slices, slices
from models_ml.core.splits import walk_forward
from models_ml.services import fitting
from models_ml.services.fitting import Grown, Set
from trading.core.errors import Invalid
from trading.core.scoring import CLASSES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FOLD_ROUNDS: Final = 60  # fixed: the best number of rounds is only known later than the folds
FEWEST_ROWS: Final = 100


@dataclass(frozen=True, slots=True)
class Taught:
    """A fitted teacher: its text, what it hands on, and what is told of it (the JSON files of §16.3)."""

    booster: str
    lesson: Lesson
    evaluation: dict[str, Any]
    importance: dict[str, Any]
    stats: dict[str, Any]
    rounds: int


def teach(data: Frozen, *, holdout: float, folds: int, embargo: int, grown: Grown, seed: int) -> Taught:
    """Return a teacher of ``data`` that never saw the last ``holdout`` of its sessions.

    Its chances, which students learn from, are from before it had seen the row: for the held-out rows of the teacher
    itself, for the others of ``folds`` earlier ones, walking forward; the first block of time has none. ``embargo`` is
    in seconds. Invalid when there is too little to learn from.
    """
    if len(data) < FEWEST_ROWS:
        raise Invalid(f"{len(data)} labelled rows are too few to teach on: give at least {FEWEST_ROWS}, or more days")
    y = data.y.astype(np.int64)
    parts = slices(data.ts, data.end, Shares(early=0.1, calibrate=0.0, test=holdout), embargo=embargo)
    with fitting.one_thread():
        rows, early = _set(data, y, parts.fit), _set(data, y, parts.early)
        booster = fitting.teacher(rows, early, grown, seed, data.names)
        chances = np.full((len(data), len(CLASSES)), np.nan)
        _walk(
            data, y, parts, chances, Plan(folds, embargo, grown._replace(rounds=min(grown.rounds, FOLD_ROUNDS)), seed)
        )
        if parts.test.size:
            chances[parts.test] = booster.predict(data.X[parts.test])
        own = booster.predict(data.X[parts.fit])
        lesson = _lesson(data, y, chances)
    return Taught(
        booster.model_to_string(num_iteration=booster.best_iteration), lesson,
        _evaluation(data, y, chances, own, parts), _importance(booster, data.names), _stats(data, y, parts),
        booster.best_iteration or grown.rounds,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """How the earlier teachers are made."""

    folds: int
    embargo: int
    grown: Grown
    seed: int


def _walk(data: Frozen, y: Ints, parts: Slices, chances: Floats, plan: Plan) -> None:
    """Fill in, for rows before the held-out ones, what a teacher of strictly earlier rows says of them."""
    before = np.arange(len(data)) if parts.test_start is None else np.flatnonzero(data.ts < parts.test_start)
    ts, end = data.ts[before], data.end[before]
    for split in walk_forward(ts, end, folds=plan.folds, embargo=plan.embargo):
        train, ask = before[split.train], before[split.test]
        booster = fitting.teacher(_set(data, y, train), None, plan.grown, plan.seed, data.names)
        chances[ask] = booster.predict(data.X[ask])


def _set(data: Frozen, y: Ints, rows: Ints) -> Set:
    return Set(data.X[rows], np.eye(len(CLASSES))[classes_of(y[rows])], data.weight[rows])


def _lesson(data: Frozen, y: Ints, chances: Floats) -> Lesson:
    return Lesson(
        data.names, data.X, data.symbol, data.ts, data.end, y, data.net, data.ambiguous, data.weight, chances
    )  # fmt: skip


def _evaluation(data: Frozen, y: Ints, chances: Floats, own: Floats, parts: Slices) -> dict[str, Any]:
    """Return the measures of §16.6 on the held-out rows, or without any on the earlier teachers' rows.

    ``in_sample`` is what the teacher says of its own rows: memory, not skill.
    """
    asked = parts.test if parts.test.size else np.flatnonzero(np.isfinite(chances).all(axis=1))
    told, both = measures(classes_of(y[asked]), chances[asked]), bool(np.isfinite(data.net[:, 1]).any())
    mine = measures(classes_of(y[parts.fit]), own)
    return {
        **told, "directional_auc": directional_auc(y[asked], chances[asked], both=both),
        "evaluated_on": "held-out rows" if parts.test.size else "rows after each fold",
        "in_sample": {name: mine[name] for name in ("accuracy", "precision_macro", "recall_macro", "f1_macro")},
    }  # fmt: skip


def _importance(booster: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Return how much each feature did for the trees, as shares of the whole, the most useful first."""
    found = {}
    for kind in ("gain", "split"):
        raw = np.asarray(booster.feature_importance(kind), np.float64)
        shares = raw / raw.sum() if raw.sum() > 0 else raw
        order = np.argsort(-shares, kind="stable")
        found[kind] = [{"feature": names[k], "share": float(shares[k])} for k in order]
    return found


def _stats(data: Frozen, y: Ints, parts: Slices) -> dict[str, Any]:
    told = statistics(
        data.names, data.X, data.symbol, data.ts, data.end, y, data.net, data.ambiguous, data.weight
    )  # fmt: skip
    return {**told, "slices": spans(parts, data.ts, data.end)}
