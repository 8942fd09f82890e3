"""Which texts tell the same: a fingerprint of words and pairs of words, and how much two of them share."""

from __future__ import annotations

import re
from hashlib import blake2b, sha256
from itertools import pairwise
from typing import Final

from trading.core.sentiment.words import LONGEST

KEPT: Final = 63  # of a longer text the smallest fingerprints are kept: a fair sample of all
ALIKE: Final = 0.5
FEWEST: Final = 4  # texts of fewer fingerprints than this are the same only when all of them are

WORD: Final = re.compile(r"[^\W_]+(?:[.,][0-9]+)*")
SOURCE: Final = re.compile(r"\s+[-–—|]\s+[^-–—|]{2,40}\Z")  # "… - The Economic Times"
LONG_ENOUGH: Final = 4  # words that must be left before an ending counts as the source
NOISE: Final = frozenset(
    (
        "a", "an", "the", "of", "to", "in", "on", "at", "by", "for", "from", "and", "or", "as", "is",
        "are", "was", "were", "its", "it", "with", "rs", "inr", "s",
    )
)  # fmt: skip


def plain(text: str) -> list[str]:
    """Return the words of ``text`` in lower case, without marks and without the source at its end."""
    text = text[:LONGEST].strip()
    short = SOURCE.sub("", text)
    found: list[str] = WORD.findall(short.lower())
    return found if short == text or len(found) >= LONG_ENOUGH else WORD.findall(text.lower())


def text_hash(text: str) -> str:
    """Return the SHA-256 of the text's words: case, marks, spaces and the source at the end do not matter."""
    return sha256(" ".join(plain(text)).encode()).hexdigest()


def shingles(text: str) -> frozenset[int]:
    """Return the fingerprints of the text's words and pairs of words, KEPT at most, each a signed 64-bit number."""
    found = [word for word in plain(text) if word not in NOISE]
    parts = {*found, *(f"{one} {two}" for one, two in pairwise(found))}
    numbers = (int.from_bytes(blake2b(part.encode(), digest_size=8).digest(), signed=True) for part in parts)
    return frozenset(sorted(numbers)[:KEPT])


def likeness(one: frozenset[int], two: frozenset[int]) -> float:
    """Return the share of fingerprints two texts have in common, 0 … 1; estimated when one was too long to keep all."""
    common = len(one & two)
    if not common:
        return 0.0
    if max(len(one), len(two)) < KEPT:
        return common / (len(one) + len(two) - common)
    smallest = sorted(one | two)[:KEPT]
    return sum(number in one and number in two for number in smallest) / len(smallest)


def alike(one: frozenset[int], two: frozenset[int]) -> bool:
    """Say whether two texts tell the same; one without fingerprints is like nothing."""
    least = 1.0 if min(len(one), len(two)) < FEWEST else ALIKE
    return likeness(one, two) >= least
