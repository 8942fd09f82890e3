"""A text as numbered features: words, pairs, stems, what the lexicon says, and what stands around the subject."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from trading.core.sentiment.lexicon import sums
from trading.core.sentiment.words import MARKS, SUBJECT, clause, words

VERSION: Final = "1"
STEM: Final = 5
TELLING: Final = frozenset("?!:;")
LEFT, RIGHT = 3, 4  # words beside the subject that are told apart from the rest
FARTHEST: Final = 6
LEVELS: Final = 4

Places = npt.NDArray[np.intp]


def grams(text: str, entity: str = "") -> set[str]:
    """Return the features of ``text`` about ``entity`` (names joined by "|"), as text."""
    found = words(text, entity)
    plain = [word for word in found if word not in MARKS]
    framed = ["^", *plain, "$"]
    features = {*plain, *(f"{one} {two}" for one, two in pairwise(framed))}
    features.update([f"s:{word[:STEM]}" for word in plain if len(word) > STEM])
    features.update([f"p:{word}" for word in found if word in TELLING])
    near, whole = sums(found)
    features.update((f"L:{_level(near)}", f"A:{_level(whole)}"))
    if SUBJECT in found:
        features.update(_around(found))
    return features


def _level(amount: float) -> int:
    return max(-LEVELS, min(LEVELS, round(2.0 * amount)))


def _around(found: list[str]) -> list[str]:
    """Return what stands in the subject's statement, beside it, before it and after it, and where it stands itself."""
    place = found.index(SUBJECT)
    first, last = clause(found, place)
    before = sum(word not in MARKS for word in found[:place])
    return [
        *(f"k:{word}" for word in found[first:last]),
        *(f"l:{word}" for word in found[max(0, place - LEFT) : place]),
        *(f"r:{word}" for word in found[place + 1 : place + 1 + RIGHT]),
        *(f"b:{word}" for word in found[:place]),
        *(f"a:{word}" for word in found[place + 1 :]),
        f"@{min(before, FARTHEST)}",
        f"@m{place - before}",
        "@end" if place == len(found) - 1 else "@mid",
    ]


def numbered(features: Iterable[str], buckets: int) -> Places:
    """Return the place of each feature among ``buckets`` (a power of two), sorted, each once."""
    return np.array(sorted({crc32(each.encode()) & (buckets - 1) for each in features}), np.intp)
