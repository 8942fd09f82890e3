"""What a scorer says of a text, and what is kept of it to be combined with others."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

LABELS: Final = ("negative", "neutral", "positive")
EDGE: Final = 0.3  # beyond this from nought a text is called good or bad; a buy is gated at the same distance


class Scored(NamedTuple):
    """How good a text is for its subject, −1 … 1, and how likely that is right, 0 … 1."""

    value: float
    confidence: float

    @property
    def label(self) -> str:
        """Return negative, neutral or positive."""
        return LABELS[(self.value > EDGE) - (self.value < -EDGE) + 1]


NEUTRAL: Final = Scored(0.0, 0.0)


class Item(NamedTuple):
    """One scored text. ``published`` and ``fetched`` are seconds UTC; ``weight`` is above 0; see ``shingles``."""

    published: float
    fetched: float
    value: float
    confidence: float
    weight: float = 1.0
    shingles: frozenset[int] = frozenset()


class Scorer(Protocol):
    """Scores a text about ``entity`` (names joined by "|"; "" means the whole text)."""

    @property
    def name(self) -> str:
        """Return the name it is chosen by."""

    @property
    def version(self) -> str:
        """Return what changes whenever a score could change."""

    def __call__(self, text: str, entity: str = "") -> Scored:
        """Return the text's value and confidence; NEUTRAL for a text it cannot read."""
