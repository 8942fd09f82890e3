"""A text as numbered features: words, pairs, stems, what the lexicon says, and what stands around the subject.

A feature is a kind and some bytes; its number is the CRC of both, within as many buckets as the model has. The CRC of
the kind is worked out once and goes on with the bytes, so no text is put together on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, pairwise
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from trading.core.sentiment.lexicon import sums
from trading.core.sentiment.words import MARKS, SUBJECT, clause

VERSION: Final = "2"
STEM: Final = 5
TELLING: Final = frozenset("?!:;")
LEFT, RIGHT = 3, 4  # words beside the subject that are told apart from the rest
FARTHEST: Final = 6
LEVELS: Final = 4
EDGES: Final = (b"^", b"$")
KINDS: Final = "one pair start mark near all within left right before behind at ending"
ONE, PAIR, START, MARK, NEAR, ALL, WITHIN, BESIDE, AFTERWARDS, BEFORE, BEHIND, AT, ENDING = (
    crc32(kind.encode()) for kind in KINDS.split()
)

Places = npt.NDArray[np.intp]


def grams(found: list[str], buckets: int) -> Places:
    """Return the places of a text's features among ``buckets`` (a power of two), sorted, each once.

    ``found`` are its words with the subject marked; see ``words``.
    """
    coded = [word.encode() for word in found]
    numbers = chain(_plain(found, coded), _levels(found), _around(found, coded) if SUBJECT in found else ())
    return np.array(sorted({number & (buckets - 1) for number in numbers}), np.intp)


def _plain(found: list[str], coded: list[bytes]) -> Iterator[int]:
    """Yield the words, the pairs of neighbours with the text's edges among them, the stems and the telling marks."""
    plain = [code for word, code in zip(found, coded, strict=True) if word not in MARKS]
    for code in plain:
        yield crc32(code, ONE)
        if len(code) > STEM:
            yield crc32(code[:STEM], START)
    for one, two in pairwise((EDGES[0], *plain, EDGES[1])):
        yield crc32(two, crc32(one, PAIR))
    for word, code in zip(found, coded, strict=True):
        if word in TELLING:
            yield crc32(code, MARK)


def _levels(found: list[str]) -> Iterator[int]:
    """Yield what the lexicon says of the subject and of the whole, in half steps."""
    for kind, amount in zip((NEAR, ALL), sums(found), strict=True):
        yield crc32(b"%d" % max(-LEVELS, min(LEVELS, round(2.0 * amount))), kind)


def _around(found: list[str], coded: list[bytes]) -> Iterator[int]:
    """Yield what stands in the subject's statement, beside it, before and behind it, and where it stands itself."""
    place = found.index(SUBJECT)
    first, last = clause(found, place)
    spans = (
        (WITHIN, first, last), (BESIDE, max(0, place - LEFT), place), (AFTERWARDS, place + 1, place + 1 + RIGHT),
        (BEFORE, 0, place), (BEHIND, place + 1, len(found)),
    )  # fmt: skip
    for kind, begin, end in spans:
        for code in coded[begin:end]:
            yield crc32(code, kind)
    ahead = sum(word not in MARKS for word in found[:place])
    yield crc32(b"%d" % min(ahead, FARTHEST), AT)
    yield crc32(b"%d marks" % (place - ahead), AT)
    yield crc32(b"end" if place == len(found) - 1 else b"mid", ENDING)
