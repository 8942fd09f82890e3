"""How good the scorers are on labelled headlines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import thread_time
from typing import Any

from sensequant.lib.errors import NotFound
from trading.adapters.headlines import Labelled, read
from trading.adapters.sentiment_files import Stored
from trading.core.sentiment import TRAINED, Scorer, scorer
from trading.core.sentiment.evaluation import Evaluation, evaluate
from trading.core.sentiment.labelled import Headline, fingerprint
from trading.services.sentiment_models import folder

HEADLINE_SCORERS = ("keyword", "lexicon", TRAINED)
WARM = 100  # texts scored before the time is taken


@dataclass(frozen=True, slots=True)
class Judged:
    """A scorer's figures over labelled headlines; ``seen`` of them it was trained on; ``micros`` it took for each."""

    version: str
    figures: Evaluation
    seen: int
    micros: float

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for JSON."""
        figures = self.figures._asdict()
        figures["labels"] = {name: each._asdict() for name, each in self.figures.labels.items()}
        figures["bins"] = [each._asdict() for each in self.figures.bins]
        return {**figures, "version": self.version, "seen": self.seen, "us_per_headline": round(self.micros, 1)}


def judges(names: Sequence[str], version: str = "") -> dict[str, Scorer]:
    """Return the named scorers; with no ``names`` keyword, lexicon and, if there is a model, trained.

    ``version`` names the model instead of the current one. Raise NotFound for "trained" without a model, Invalid for
    an unknown name.
    """
    stored = _model(version)
    if not names:
        names = HEADLINE_SCORERS if stored else HEADLINE_SCORERS[:-1]
    if TRAINED in names and stored is None:
        raise NotFound("there is no trained model", fix="make one with manage.py train_sentiment --csv FILE")
    return {name: scorer(name, stored.model if stored else None) for name in names}


def _model(version: str) -> Stored | None:
    if version:
        return folder().load(version)
    name = folder().current()
    return folder().load(name) if name else None


def headlines(paths: Sequence[Path]) -> list[Labelled]:
    """Return the labelled headlines of the files; BadInput or NotFound names what is wrong with one."""
    return [read(path) for path in paths]


def unseen(found: Sequence[Headline], version: str = "") -> list[Headline]:
    """Return the headlines that the model was not trained on; all of them when there is no model."""
    known = _seen(version)
    return [each for each in found if fingerprint(each.text) not in known]


def _seen(version: str) -> frozenset[int]:
    stored = _model(version)
    return frozenset(stored.seen.tolist()) if stored else frozenset()


def judge(found: Sequence[Headline], by: Scorer, *, version: str = "") -> Judged:
    """Return how good a scorer is on the headlines."""
    known = _seen(version) if by.name == TRAINED else frozenset()
    for each in found[:WARM]:  # warm, so that the time is that of scoring
        by(each.text, each.entity)
    begun = thread_time()
    scored = [by(each.text, each.entity) for each in found]
    micros = (thread_time() - begun) / max(len(found), 1) * 1e6
    truth, labels = [each.label for each in found], [each.label for each in scored]
    figures = evaluate(truth, labels, [each.confidence for each in scored])
    return Judged(by.version, figures, sum(fingerprint(each.text) in known for each in found), micros)
