"""The scorer ``keyword``: the document's lists, good words less bad ones over all of them; a list for each source."""

from __future__ import annotations

from typing import Final

from trading.core.sentiment.lexicon import forms
from trading.core.sentiment.words import words

VERSION: Final = "1"

NEWS_GOOD: Final = (
    "surge profit growth bullish gain rise rally soar jump boost strong beat upgrade outperform record recover success "
    "expand win positive"
)
NEWS_BAD: Final = (
    "loss decline bearish plunge crash fall drop slump tumble weak miss downgrade underperform concern risk lawsuit "
    "fraud fail cut negative"
)
SOCIAL_GOOD: Final = "bullish moon rocket buy long calls pump breakout undervalued hodl strong up green rally gain"
SOCIAL_BAD: Final = "bearish crash dump sell short puts drop overvalued scam weak down red panic fear loss"

Lists = tuple[frozenset[str], frozenset[str]]


def _every_form(text: str) -> frozenset[str]:
    return frozenset(form for base in text.split() for form in forms(base))


NEWS: Final[Lists] = _every_form(NEWS_GOOD), _every_form(NEWS_BAD)
SOCIAL: Final[Lists] = _every_form(SOCIAL_GOOD), _every_form(SOCIAL_BAD)


def _keyword(text: str, lists: Lists) -> tuple[float, float]:
    found = words(text)
    good, bad = (sum(word in each for word in found) for each in lists)
    return ((good - bad) / (good + bad) if good + bad else 0.0), float(good + bad)


def news(text: str, entity: str = "") -> tuple[float, float]:
    """Return (good − bad) / (good + bad) of the list's words in a news text, −1 … 1, and how many there are."""
    return _keyword(text, NEWS)


def social(text: str, entity: str = "") -> tuple[float, float]:
    """Return the same for a post, by the list for posts."""
    return _keyword(text, SOCIAL)
