"""Fit a student on what a teacher hands on, calibrate it, choose its thresholds, and test it once on later rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models_ml.adapters.teacher_files import Lesson
from models_ml.core import evaluation, gates, outcomes, thresholds
from models_ml.core.calibration import softmax, temperature
from models_ml.core.lessons import fingerprint, spans
from models_ml.core.outcomes import Rows
from models_ml.core.slices import Shares, Slices, slices
from models_ml.core.splits import walk_forward
from models_ml.services import fitting
from models_ml.services.fitting import Grown, Scaled, Set
from trading.core.errors import Invalid
from trading.core.scoring import Forest, Linear, Scorer

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MODEL_TYPES: Final = ("logistic", "sgd", "lightgbm")
TRUST: Final = 0.5  # share of the teacher's chances in what a student learns
FEWEST_ROWS: Final = 60
MOST_ROUNDS: Final = 200  # of all trainings together: what the engine has time for
MORE_ROUNDS: Final = 40  # of one warm start


class Choice(NamedTuple):
    """What can be tuned: the strength of a linear model's weights, or how trees are grown."""

    strength: float = 0.1
    grown: Grown = Grown(rounds=100, leaves=15, rate=0.05)


GRIDS: Final[Mapping[str, tuple[Choice, ...]]] = {
    "logistic": tuple(Choice(strength=c) for c in (0.001, 0.01, 0.1, 1.0)),
    "sgd": tuple(Choice(strength=c) for c in (0.001, 0.01, 0.1, 1.0)),
    "lightgbm": tuple(Choice(grown=Grown(100, *each)) for each in ((7, 0.05, 100), (15, 0.05, 60), (31, 0.03, 60))),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Earlier:
    """A student to go on from: its model and scaling, and when the last label it was fitted on was known (seconds)."""

    version: str
    model: Linear | Forest
    scale: Scaled | None
    known: int


@dataclass(frozen=True, slots=True)
class Ask:
    """How to learn: shares and ``embargo`` (seconds) of the slices, what is tuned on how many ``folds``, the seed."""

    model_type: str
    shares: Shares
    embargo: int
    tune: bool
    folds: int
    seed: int
    earlier: Earlier | None = None
    trust: float = TRUST


@dataclass(frozen=True, slots=True)
class Learned:
    """A student that has been tested; ``report`` is how it came about, ``scale`` what a later one goes on with."""

    scorer: Scorer
    evaluation: dict[str, Any]
    report: dict[str, Any]
    scale: Scaled | None
    test_digest: str


def learn(lesson: Lesson, digest: str, ask: Ask) -> Learned:
    """Return the student of ``lesson``; ``digest`` names the code of its features.

    Fitted, stopped, calibrated and tested on four slices of time, in that order; the test rows are scored once, at
    the end. Invalid when a slice is too small or the earlier student knew what this one is tested on.
    """
    if ask.model_type not in MODEL_TYPES:
        raise Invalid(f"unknown model type {ask.model_type!r}: use one of {', '.join(MODEL_TYPES)}")
    parts = slices(lesson.ts, lesson.end, _shares(ask), embargo=ask.embargo)
    parts = _only_new(lesson, parts, ask)
    _enough(parts)
    hard = evaluation.classes_of(lesson.y)
    target = fitting.targets(hard, lesson.chances, ask.trust)
    with fitting.one_thread():
        choice, trials = _tuned(lesson, target, parts.fit, ask)
        model, scale = _fitted(_set(lesson, target, parts.fit), _set(lesson, target, parts.early), choice, ask)
    held = parts.calibrate
    odds = model.odds(lesson.x[held])
    heat = temperature(odds, hard[held], lesson.weight[held])
    limits, found = thresholds.choose(rows_of(lesson, held), softmax(odds / heat))
    scorer = Scorer("", ask.model_type, lesson.names, digest, model, heat, limits)
    report = {
        "slices": spans(parts, lesson.ts, lesson.end), "trials": trials, "choice": _told(choice, ask.model_type),
        "temperature": heat, "thresholds": found, "trust": ask.trust,
        "calibration_slice": _calibration(hard[held], odds, heat),
        "earlier": ask.earlier.version if ask.earlier else None,
    }  # fmt: skip
    tested = judged(scorer, lesson, parts.test, found, seed=ask.seed)
    mine = fingerprint(lesson.symbol[parts.test], lesson.ts[parts.test], lesson.y[parts.test])
    return Learned(scorer, tested, report, scale, mine)


def judged(scorer: Scorer, lesson: Lesson, rows: Ints, found: Mapping[str, Any], *, seed: int) -> dict[str, Any]:
    """Return ``evaluation_metrics.json`` for ``rows`` the student has not seen: §16.6, and what it would have earned.

    The measures at the top compare with hindsight labels. ``teacher_agreement`` and the document's criteria compare
    with what the teacher said of these rows, and promote nobody. ``found`` is how the thresholds were chosen.
    """
    y, chances = lesson.y[rows], scorer.chances(lesson.x[rows])
    truth = evaluation.classes_of(y)
    directions = scorer.directions(chances)
    tested = rows_of(lesson, rows)
    realised = outcomes.realised(tested, directions, seed=seed)
    area, beaten = evaluation.directional_auc(y, chances, both=tested.both), outcomes.decided_uplift(tested, directions)
    taught = np.isfinite(lesson.chances[rows]).all(axis=1)
    agreed = evaluation.agreement(chances[taught], lesson.chances[rows][taught]) if taught.any() else {}
    return {
        **evaluation.measures(truth, chances), "directional_auc": area, "thresholds": dict(found),
        "realised": realised, "leak": gates.suspected_leak(area, int(tested.decided.sum()), *beaten),
        "teacher_agreement": agreed, "document_criteria": gates.document_criteria(agreed),
    }  # fmt: skip


def rows_of(lesson: Lesson, rows: Ints) -> Rows:
    """Return the chosen rows of a lesson as what can be traded on."""
    return Rows(lesson.symbol[rows], lesson.ts[rows], lesson.end[rows], lesson.y[rows], lesson.net[rows])


def _shares(ask: Ask) -> Shares:
    """Return the shares; only trees stop early, so for the others that slice is fitted on."""
    return ask.shares if ask.model_type == "lightgbm" else Shares(0.0, ask.shares.calibrate, ask.shares.test)


def _only_new(lesson: Lesson, parts: Slices, ask: Ask) -> Slices:
    """Return the slices; after an earlier student those that go on from it keep only what is new to it."""
    if ask.earlier is None:
        return parts
    begins = int(lesson.ts[parts.calibrate].min()) if parts.calibrate.size else 0
    if ask.earlier.known > begins - ask.embargo:
        raise Invalid(
            f"{ask.earlier.version} was fitted on rows of the time this one is calibrated and tested on: "
            "give later bars, or train without --incremental"
        )
    if ask.model_type == "logistic":  # all rows again, from the earlier weights: the same student, sooner
        return parts
    fresh = parts.fit[lesson.end[parts.fit] > ask.earlier.known]
    if fresh.size < FEWEST_ROWS:
        raise Invalid(
            f"{fresh.size} rows are new to {ask.earlier.version}: give later bars, at least {FEWEST_ROWS} rows"
        )
    return Slices(fresh, parts.early, parts.calibrate, parts.test, parts.test_start)


def _enough(parts: Slices) -> None:
    for name in ("fit", "calibrate", "test"):
        rows: Ints = getattr(parts, name)
        if rows.size < FEWEST_ROWS:
            raise Invalid(
                f"{rows.size} rows to {name} on are too few: give {FEWEST_ROWS}, more days or another test size"
            )


def _set(lesson: Lesson, target: Floats, rows: Ints) -> Set:
    return Set(lesson.x[rows], target[rows], lesson.weight[rows])


def _tuned(lesson: Lesson, target: Floats, fit: Ints, ask: Ask) -> tuple[Choice, list[dict[str, Any]]]:
    """Return the choice that did best on later folds of the rows fitted on, and what every one did.

    Nothing after the fitting slice is looked at.
    """
    if not ask.tune:
        return Choice(), []
    ts, end = lesson.ts[fit], lesson.end[fit]
    splits = list(walk_forward(ts, end, folds=ask.folds, embargo=ask.embargo))
    trials, losses = [], []
    for choice in GRIDS[ask.model_type]:
        found = [_loss(lesson, target, fit[split.train], fit[split.test], choice, ask) for split in splits]
        losses.append(float(np.mean(found)))
        trials.append({**_told(choice, ask.model_type), "log_loss": losses[-1], "folds": found})
    return GRIDS[ask.model_type][int(np.argmin(losses))], trials


def _loss(lesson: Lesson, target: Floats, train: Ints, ask_of: Ints, choice: Choice, ask: Ask) -> float:
    model, _ = _fitted(_set(lesson, target, train), None, choice, ask, warm=False)
    truth = evaluation.classes_of(lesson.y[ask_of])
    return evaluation.log_loss(truth, softmax(model.odds(lesson.x[ask_of])), lesson.weight[ask_of])


def _fitted(
    rows: Set, early: Set | None, choice: Choice, ask: Ask, *, warm: bool = True
) -> tuple[Linear | Forest, Scaled | None]:
    """Return the model fitted on ``rows``, going on from the earlier student where there is one."""
    before = ask.earlier if warm else None
    if ask.model_type == "lightgbm":
        old = before.model if before and isinstance(before.model, Forest) else None
        return fitting.forest(rows, early, _room(choice.grown, old), ask.seed, old), None
    old_line = before.model if before and isinstance(before.model, Linear) else None
    by = before.scale if before and before.scale and ask.model_type == "sgd" else fitting.scaling(rows.x)
    if ask.model_type == "logistic":
        return fitting.folded(*fitting.logistic(rows, by, choice.strength, old_line), by), by
    return fitting.folded(*fitting.sgd(rows, by, choice.strength, ask.seed, old_line), by), by


def _room(grown: Grown, old: Forest | None) -> Grown:
    """Return how far trees may still be grown; Invalid when the earlier ones leave no room."""
    if old is None:
        return grown
    left = MOST_ROUNDS - len(old.trees) // old.classes
    if left < 1:
        raise Invalid(f"the earlier student has {len(old.trees)} trees, all there may be: train without --incremental")
    return grown._replace(rounds=min(MORE_ROUNDS, left))


def _told(choice: Choice, model_type: str) -> dict[str, Any]:
    if model_type == "lightgbm":
        return choice.grown._asdict()
    return {"strength": choice.strength}


def _calibration(truth: Ints, odds: Floats, heat: float) -> dict[str, Any]:
    before, after = softmax(odds), softmax(odds / heat)
    return {
        "log_loss_before": evaluation.log_loss(truth, before), "log_loss_after": evaluation.log_loss(truth, after),
        "error_before": evaluation.calibration_error(truth, before),
        "error_after": evaluation.calibration_error(truth, after),
    }  # fmt: skip
