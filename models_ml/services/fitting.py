"""Fitting with scikit-learn and LightGBM, which nothing else of ours loads; one thread, so that bytes come out alike.

Classes are those of ``CLASSES``; ``target`` (n, 3) is how much of a row belongs to each, rows summing to 1.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models_ml.core.calibration import softmax
from models_ml.core.forests import forest_of
from sensequant.lib.fan_out import ONE_THREAD
from trading.core.scoring import CLASSES, Forest, Linear

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STEADY: Final[Mapping[str, Any]] = {
    "num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1, "num_class": len(CLASSES),
}  # fmt: skip
SMOOTHED: Final = 0.01  # of every target spread over all classes, so that each is always there
EDGES: Final = (0.001, 0.999)  # quantiles of the fitted rows a linear student is not taken beyond
EPOCHS: Final = 5
PATIENCE: Final = 20
FLAT: Final = 1e-12  # a feature that varies no more than this, against its size, says nothing


class Grown(NamedTuple):
    """How trees are grown: ``rounds`` for each class, ``leaves`` at most, ``rate`` of learning, rows of a leaf."""

    rounds: int = 200
    leaves: int = 15
    rate: float = 0.05
    least: int = 60
    lambda_l2: float = 5.0


class Scaled(NamedTuple):
    """The scaling a linear student was fitted under, learned from the fitted rows alone; each (features,)."""

    fill: Floats
    low: Floats
    high: Floats
    mean: Floats
    scale: Floats


@dataclass(frozen=True, slots=True)
class Set:
    """Rows to fit or to stop on: ``x`` (n, k), ``target`` (n, 3), ``weight`` (n,)."""

    x: Floats
    target: Floats
    weight: Floats

    @property
    def truth(self) -> Ints:
        """Return the class each row mostly belongs to."""
        found: Ints = self.target.argmax(axis=1)
        return found


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep every library to one thread: more are no faster on shared cores, hang after a fork, and change bytes."""
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


def params_of(grown: Grown, seed: int) -> dict[str, Any]:
    """Return LightGBM's parameters."""
    return {
        **STEADY, "num_leaves": grown.leaves, "learning_rate": grown.rate, "min_data_in_leaf": grown.least,
        "lambda_l2": grown.lambda_l2, "feature_fraction": 0.8, "bagging_fraction": 0.8, "bagging_freq": 1, "seed": seed,
    }  # fmt: skip


def teacher(rows: Set, early: Set | None, grown: Grown, seed: int, names: tuple[str, ...]) -> Any:
    """Return a booster fitted on hard labels; with ``early`` it keeps the rounds that were best there."""
    import lightgbm

    params = {**params_of(grown, seed), "objective": "multiclass", "metric": "multi_logloss"}
    data = lightgbm.Dataset(rows.x, rows.truth, weight=rows.weight, feature_name=list(names), free_raw_data=True)
    if early is None or not early.weight.size:
        return lightgbm.train(params, data, grown.rounds)
    watch = lightgbm.Dataset(early.x, early.truth, weight=early.weight, reference=data)
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    return lightgbm.train(params, data, grown.rounds, valid_sets=[watch], callbacks=[stop])


def forest(rows: Set, early: Set | None, grown: Grown, seed: int, before: Forest | None = None) -> Forest:
    """Return trees fitted on soft targets, grown on top of those of ``before`` when there are any.

    With ``early`` only the rounds that were best there are kept.
    """
    import lightgbm

    bias = before.bias if before else np.log(np.average(rows.target, axis=0, weights=rows.weight))
    odds = {id(each): _begun(each, before, bias) for each in (rows, early) if each is not None}
    data = lightgbm.Dataset(rows.x, rows.truth, init_score=odds[id(rows)], free_raw_data=True)

    def slope(raw: Floats, _: Any) -> tuple[Floats, Floats]:
        chance = softmax(raw)
        weight = rows.weight[:, None]
        return weight * (chance - rows.target), weight * 1.5 * chance * (1.0 - chance)

    params = {**params_of(grown, seed), "objective": slope, "metric": "none"}
    if early is None or not early.weight.size:
        booster = lightgbm.train(params, data, grown.rounds)
    else:
        watch = lightgbm.Dataset(early.x, early.truth, init_score=odds[id(early)], reference=data)
        stop = lightgbm.early_stopping(PATIENCE, verbose=False)
        judge = _judge(early)
        booster = lightgbm.train(params, data, grown.rounds, valid_sets=[watch], feval=judge, callbacks=[stop])
    grown_now = forest_of(booster.dump_model(num_iteration=booster.best_iteration), bias.tolist())
    return Forest([*(before.trees if before else ()), *grown_now.trees], bias, rows.x.shape[1])


def _begun(rows: Set, before: Forest | None, bias: Floats) -> Floats:
    """Return the log-odds boosting begins from."""
    return before.odds(rows.x) if before else np.tile(bias, (rows.weight.size, 1))


def _judge(early: Set) -> Any:
    def loss(raw: Floats, _: Any) -> tuple[str, float, bool]:
        chance = np.maximum(softmax(raw), 1e-15)
        return "soft_logloss", float(-np.average((early.target * np.log(chance)).sum(1), weights=early.weight)), False

    return loss


def scaling(x: Floats) -> Scaled:
    """Return how the features of the fitted rows are filled, bounded and scaled; a flat feature gets the scale 0."""
    known = np.where(np.isfinite(x), x, np.nan)
    empty = np.isnan(known).all(axis=0)
    known[:, empty] = 0.0
    fill = np.nanmedian(known, axis=0)
    low, high = np.nanquantile(known, EDGES, axis=0)
    inside = np.clip(np.where(np.isnan(known), fill, known), low, high)
    mean, scale = inside.mean(axis=0), inside.std(axis=0)
    return Scaled(fill, low, high, mean, np.where(scale > FLAT * (1.0 + np.abs(mean)), scale, 0.0))


def scaled(x: Floats, by: Scaled) -> Floats:
    """Return rows as a linear student is fitted on them."""
    inside = np.clip(np.where(np.isfinite(x), x, by.fill), by.low, by.high)
    found: Floats = np.divide(inside - by.mean, by.scale, out=np.zeros_like(inside), where=by.scale > 0.0)
    return found


def folded(coef: Floats, intercept: Floats, by: Scaled) -> Linear:
    """Return the linear student of weights (3, k) and bias (3,) fitted on scaled rows, for rows as they are."""
    weights = np.divide(coef, by.scale, out=np.zeros_like(coef), where=by.scale > 0.0)
    return Linear(weights, intercept - weights @ by.mean, by.fill, by.low, by.high)


def unfolded(model: Linear, by: Scaled) -> tuple[Floats, Floats]:
    """Return weights and bias for scaled rows: the way back from ``folded``."""
    return model.weights * by.scale, model.bias + model.weights @ by.mean


def logistic(rows: Set, by: Scaled, strength: float, before: Linear | None = None) -> tuple[Floats, Floats]:
    """Return weights and bias of a multinomial regression on scaled rows, begun from those of ``before``.

    ``strength`` is how far the weights may go from nought (scikit-learn's C) against what the rows weigh together, so
    that rows which overlap do not pass for as many.
    """
    from sklearn.linear_model import LogisticRegression

    fit = LogisticRegression(C=strength, tol=1e-7, max_iter=2_000, warm_start=before is not None)
    if before is not None:
        fit.coef_, fit.intercept_ = unfolded(before, by)
        fit.classes_ = np.arange(len(CLASSES))
    x, y, weight = spread(rows, by)
    fit.fit(x, y, sample_weight=weight)
    return fit.coef_, fit.intercept_


def sgd(rows: Set, by: Scaled, strength: float, seed: int, before: Linear | None = None) -> tuple[Floats, Floats]:
    """Return weights and bias after EPOCHS of stochastic gradient descent, going on from ``before`` when there is one.

    ``strength`` as in ``logistic``. One class against the others, which is scikit-learn's way; the temperature fitted
    afterwards makes them chances.
    """
    from sklearn.linear_model import SGDClassifier

    alpha = 1.0 / (strength * float(rows.weight.sum()))
    fit = SGDClassifier(
        loss="log_loss", alpha=alpha, max_iter=EPOCHS, tol=None, random_state=seed, learning_rate="adaptive", eta0=0.01
    )
    x, y, weight = spread(rows, by)
    begun = {}
    if before is not None:
        coef, intercept = unfolded(before, by)
        begun = {"coef_init": coef, "intercept_init": intercept}
    fit.fit(x, y, sample_weight=weight / rows.weight.mean(), **begun)
    return fit.coef_, fit.intercept_


def spread(rows: Set, by: Scaled) -> tuple[Floats, Ints, Floats]:
    """Return each row once for every class, weighing what of it belongs there: soft targets for libraries of hard ones.

    The classes of a row follow each other, so that descent through the rows in order sees them together.
    """
    classes = len(CLASSES)
    weight = rows.weight[:, None] * rows.target
    x = np.repeat(scaled(rows.x, by), classes, axis=0)
    return x, np.tile(np.arange(classes), rows.weight.size), weight.ravel()


def targets(hard: Ints, soft: Floats, trust: float) -> Floats:
    """Return what a student learns (n, 3): hindsight labels, mixed with the teacher's chances where it has any.

    ``soft`` (n, 3) are the teacher's chances from before it had seen the row, NaN where there are none; ``trust`` is
    their share. A hundredth is spread over all classes.
    """
    own = np.eye(len(CLASSES))[hard]
    known = np.isfinite(soft).all(axis=1, keepdims=True)
    mixed = np.where(known, (1.0 - trust) * own + trust * np.nan_to_num(soft), own)
    found: Floats = (1.0 - SMOOTHED) * mixed + SMOOTHED / len(CLASSES)
    return found
