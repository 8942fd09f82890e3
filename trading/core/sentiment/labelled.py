"""Headlines somebody has read and labelled, to learn from and to be judged by."""

from __future__ import annotations

from typing import Final, NamedTuple

from trading.core.errors import Invalid
from trading.core.sentiment.duplicates import text_hash

WORDS: Final = {
    "negative": ("negative", "neg", "bearish", "-1", "-1.0"),
    "neutral": ("neutral", "neu", "0", "0.0"),
    "positive": ("positive", "pos", "bullish", "1", "+1", "1.0"),
}
MEANING: Final = {word: label for label, words in WORDS.items() for word in words}


class Headline(NamedTuple):
    """A text, whom it is about ("" for the whole text), and its label."""

    text: str
    entity: str
    label: str


def label_of(word: str) -> str:
    """Return negative, neutral or positive for a label as files write it; Invalid for any other word."""
    label = MEANING.get(word.strip().lower())
    if label is None:
        raise Invalid(f"the label {word.strip()[:40]!r} is not known: use negative, neutral or positive (or -1, 0, 1)")
    return label


def fingerprint(text: str) -> int:
    """Return the number a headline is remembered by: the first 64 bits of its words' hash."""
    return int(text_hash(text)[:16], 16)
