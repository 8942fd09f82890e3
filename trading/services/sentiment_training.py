"""Train the scorer ``trained`` on labelled headlines, and say how good it is on those it was not shown."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sensequant.lib.errors import BadInput
from sensequant.lib.logs import get_logger
from trading.adapters.headlines import Labelled
from trading.adapters.sentiment_files import Stored
from trading.core.sentiment import EDGE, LABELS, RULES, Model
from trading.core.sentiment.evaluation import PLACE, Evaluation, evaluate
from trading.core.sentiment.grams import grams
from trading.core.sentiment.labelled import Headline, fingerprint
from trading.core.sentiment.linear import Calibration, chances, told
from trading.core.sentiment.reliability import Reliability, fitted
from trading.core.sentiment.scorers import TRAINED
from trading.core.sentiment.words import SUBJECT, words
from trading.services.sentiment_models import folder

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BUCKETS: Final = 1 << 16
FOLDS: Final = 5
FEWEST: Final = 5  # different headlines of each label
STRENGTH: Final = 10.0  # how far the weights may go from nought (scikit-learn's C)
ROUNDS: Final = 60
NAMED: Final = 0.7  # a headline about somebody counts this much with its subject marked, the rest without

log = get_logger("Sentiment")


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts as rows of features: with their subject marked or whole, the label's place, the weight, the fold."""

    matrix: Any
    label: Ints
    weight: Floats
    fold: Ints
    subject: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Trained:
    """A stored model and how each scorer did on headlines held back, by name."""

    stored: Stored
    held_back: dict[str, Evaluation]


def train(
    files: Sequence[Labelled], *, seed: int = 0, hold_out: bool = False, activate: bool = True,
    each: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> Trained:  # fmt: skip
    """Train on the headlines of ``files``, store the model and, to ``activate`` it, make it the current one.

    Every headline is judged by a model that was trained without its fifth of the titles; that gives the figures and
    the calibration. The stored one is then trained on all, or with ``hold_out`` on all but the first fifth. The same
    files and seed give the same model on the same machine: it learns on one thread, for sums in another order end in
    other bits. ``each`` is given the rounds to go through, to draw progress. BadInput when there is too little to
    learn from.
    """
    found = [headline for file in files for headline in file.headlines]
    if not 0 <= seed < 1 << 32:
        raise BadInput(f"the seed {seed} cannot be used", fix=f"give a whole number from 0 to {(1 << 32) - 1}")
    if hold_out:
        found = [headline for headline in found if fold_of(headline.text)]
    _enough(found)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        model, held_back, seen = _learned(found, seed, each)
    stored = folder().save(Stored(model, _told(files, found, held_back, seed), seen), current=activate)
    log.info("sentiment_model_trained", version=stored.version, n=len(found), macro_f1=held_back[TRAINED].macro_f1)
    return Trained(stored, held_back)


def _learned(
    found: Sequence[Headline], seed: int, each: Callable[[Iterable[int]], Iterable[int]]
) -> tuple[Model, dict[str, Evaluation], npt.NDArray[np.uint64]]:
    """Return the model, how each scorer did on what was held back, and the fingerprints of what was seen."""
    texts = _texts(found)
    odds, weights, bias = np.zeros((texts.label.size, len(LABELS))), np.zeros(0), np.zeros(0)
    for fold in each(range(FOLDS + 1)):  # the last round is the model that stays
        weights, bias = _fit(texts, texts.fold != fold, seed)
        out = texts.fold == fold
        odds[out] = texts.matrix[out] @ weights + bias
    held_back, calibrations = _judged(found, texts, odds)
    low, middle, high = bias.tolist()
    model = Model(weights.astype(np.float32), (low, middle, high), *calibrations, _reliabilities(found))
    return model, held_back, np.unique(np.array([fingerprint(headline.text) for headline in found], np.uint64))


def fold_of(text: str) -> int:
    """Return the fold, 0 to FOLDS − 1, of every headline with these words."""
    return fingerprint(text) % FOLDS


def _enough(found: Sequence[Headline]) -> None:
    for label in LABELS:
        different = {fingerprint(each.text) for each in found if each.label == label}
        if len(different) < FEWEST or len({each % FOLDS for each in different}) < 2:
            raise BadInput(
                f"there are {len(different)} different {label} headlines", fix=f"give at least {FEWEST} of each label"
            )


def _texts(found: Sequence[Headline]) -> Texts:
    """Return every headline as a whole and, where its subject is found in it, once more with that marked."""
    from scipy import sparse

    rows: list[tuple[npt.NDArray[np.intp], Headline, float, bool]] = []
    for headline in found:
        named = words(headline.text, headline.entity)
        marked = SUBJECT in named
        if marked:
            rows.append((grams(named, BUCKETS), headline, NAMED, True))
        whole = words(headline.text) if marked else named
        rows.append((grams(whole, BUCKETS), headline, 1.0 - NAMED if marked else 1.0, False))
    sizes = np.array([places.size for places, *_ in rows])
    values = np.repeat(1.0 / np.sqrt(np.maximum(sizes, 1)), sizes)
    places = np.concatenate([places for places, *_ in rows])
    matrix = sparse.csr_matrix((values, places, np.concatenate(([0], sizes.cumsum()))), (len(rows), BUCKETS))
    return Texts(
        matrix,
        np.array([PLACE[headline.label] for _, headline, *_ in rows]),
        np.array([weight for *_, weight, _ in rows]),
        np.array([fold_of(headline.text) for _, headline, *_ in rows]),
        np.array([marked for *_, marked in rows]),
    )


def _fit(texts: Texts, chosen: npt.NDArray[np.bool_], seed: int) -> tuple[Floats, Floats]:
    """Return weights (buckets × labels) and bias of a multinomial regression over the chosen texts."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    fit = LogisticRegression(C=STRENGTH, solver="saga", tol=1e-2, max_iter=ROUNDS, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # ROUNDS are enough: more change no label
        fit.fit(texts.matrix[chosen], texts.label[chosen], sample_weight=texts.weight[chosen])
    return np.ascontiguousarray(fit.coef_.T), fit.intercept_


def _judged(
    found: Sequence[Headline], texts: Texts, odds: Floats
) -> tuple[dict[str, Evaluation], tuple[Calibration, Calibration]]:
    """Return how each scorer did on what was held back, and the calibrations for whole texts and for named subjects.

    The figures use, for each fold, a calibration learned from the other folds only.
    """
    chance = np.zeros_like(odds)
    kinds = (~texts.subject, texts.subject)
    for kind in kinds:
        for fold in range(FOLDS):
            out = kind & (texts.fold == fold)
            calibration = _calibrated(odds[kind & ~out], texts.label[kind & ~out])
            chance[out] = chances(odds[out], calibration)
    whole, subject = (_calibrated(odds[kind], texts.label[kind]) for kind in kinds)
    return {**_by_rules(found), **_by_model(found, texts, chance)}, (whole, subject)


def _by_model(found: Sequence[Headline], texts: Texts, chance: Floats) -> dict[str, Evaluation]:
    """Return the figures of the model as it is asked: with the subject marked where it is found."""
    marked = np.flatnonzero(texts.subject)
    alone = np.ones(texts.label.size, bool)
    alone[marked + 1] = False  # the whole text follows the marked one
    scored = [told((low, middle, high)) for low, middle, high in chance[alone].tolist()]
    return {
        TRAINED: evaluate([each.label for each in found], [s.label for s in scored], [s.confidence for s in scored])
    }


def _by_rules(found: Sequence[Headline]) -> dict[str, Evaluation]:
    truth, answer = [each.label for each in found], {}
    for name in ("keyword", "lexicon"):
        scored = [RULES[name](each.text, each.entity) for each in found]
        answer[name] = evaluate(truth, [s.label for s in scored], [s.confidence for s in scored])
    return answer


def _calibrated(odds: Floats, label: Ints) -> Calibration:
    """Return the calibration under which the labels were likeliest, held a little towards none."""
    from scipy.optimize import minimize

    def loss(x: Floats) -> float:
        chance = chances(odds, Calibration(float(np.exp(x[0])), tuple(x[1:])))
        return float(-np.log(np.maximum(chance[np.arange(label.size), label], 1e-12)).sum() + x @ x)

    if not label.size:
        return Calibration()
    x = minimize(loss, np.zeros(1 + len(LABELS)), method="L-BFGS-B").x
    low, middle, high = x[1:].tolist()
    return Calibration(float(np.exp(x[0])), (low, middle, high))


def _reliabilities(found: Sequence[Headline]) -> dict[str, Reliability]:
    """Return how far the scorers by rules are to be believed, as these headlines show it."""
    answer = {}
    for name, rules in RULES.items():
        said = np.array([rules.said(each.text, each.entity) for each in found])
        label = (said[:, 0] > EDGE).astype(np.int64) - (said[:, 0] < -EDGE) + 1
        right = label == [PLACE[each.label] for each in found]
        answer[name] = fitted(right, said[:, 1], label == 1)
    return answer


def _told(
    files: Sequence[Labelled], found: Sequence[Headline], held_back: dict[str, Evaluation], seed: int
) -> dict[str, Any]:
    """Return what is kept of the training beside the numbers."""
    from sklearn import __version__

    counts = {label: sum(each.label == label for each in found) for label in LABELS}
    figures = {
        name: {"n": each.n, "accuracy": each.accuracy, "macro_f1": each.macro_f1, "ece": each.ece}
        for name, each in held_back.items()
    }
    return {
        "files": [{"name": each.path.name, "sha256": each.digest, "rows": len(each.headlines)} for each in files],
        "n": len(found), "labels": counts, "named": sum(bool(each.entity) for each in found), "seed": seed,
        "folds": FOLDS, "held_back": figures, "scikit_learn": __version__,
        "better_than_lexicon": held_back[TRAINED].macro_f1 > held_back["lexicon"].macro_f1,
    }  # fmt: skip
