"""The scorers by name: two by the document's keyword lists, one by the lexicon, one by a trained model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from trading.core.errors import Invalid
from trading.core.sentiment import keywords, lexicon, reliability
from trading.core.sentiment.linear import Model, predict, told
from trading.core.sentiment.reliability import Reliability
from trading.core.sentiment.scored import EDGE, NEUTRAL, Scored, Scorer
from trading.core.sentiment.words import readable

Said = Callable[[str, str], tuple[float, float]]

TRAINED: Final = "trained"


@dataclass(frozen=True, slots=True)
class Rules:
    """A scorer by rules: ``said`` gives value and strength of a text, ``reliability`` how far to believe it."""

    name: str
    version: str
    said: Said
    reliability: Reliability

    def __call__(self, text: str, entity: str = "") -> Scored:
        """Return the text's value, and the chance that its label is right; NEUTRAL for what it cannot read."""
        if not readable(text):
            return NEUTRAL
        value, strength = self.said(text, entity)
        return Scored(value, self.reliability.confidence(strength, neutral=abs(value) <= EDGE))


@dataclass(frozen=True, slots=True)
class Trained:
    """The scorer of a trained model."""

    model: Model
    version: str
    name: str = TRAINED

    def __call__(self, text: str, entity: str = "") -> Scored:
        """Return the balance of the good and the bad chance, and the label's own; NEUTRAL for what it cannot read."""
        if not readable(text):
            return NEUTRAL
        return told(predict(self.model, text, entity))


RULES: Final[dict[str, Rules]] = {
    rules.name: rules
    for rules in (
        Rules("keyword", f"keyword-{keywords.VERSION}", keywords.news, reliability.KEYWORD),
        Rules("keyword_social", f"keyword_social-{keywords.VERSION}", keywords.social, reliability.KEYWORD),
        Rules("lexicon", f"lexicon-{lexicon.VERSION}", lexicon.lexicon, reliability.LEXICON),
    )
}


def scorers() -> tuple[str, ...]:
    """Return the names a scorer can be chosen by."""
    return (*RULES, TRAINED)


def scorer(name: str, model: Model | None = None) -> Scorer:
    """Return the scorer ``name``; with a ``model`` its confidence is what was measured when that was trained.

    Raise Invalid for an unknown name, and for "trained" without a model.
    """
    if name == TRAINED:
        if model is None:
            raise Invalid("the scorer 'trained' needs a model: make one with manage.py train_sentiment --csv FILE")
        return Trained(model, f"{TRAINED}-{model.digest[:12]}")
    if name not in RULES:
        raise Invalid(f"there is no scorer {name!r}: use {', '.join(scorers())}")
    rules = RULES[name]
    if model is None or name not in model.reliability:
        return rules
    return Rules(name, f"{rules.version}+{model.digest[:12]}", rules.said, model.reliability[name])


def score(by: Scorer | str, text: str, entity: str = "") -> Scored:
    """Return what a scorer, or the scorer of that name, says of ``text`` about ``entity`` (names joined by "|")."""
    return (scorer(by) if isinstance(by, str) else by)(text, entity)
