"""A text as words: lower case, numbers as #, the subject's names as @, and the marks that part clauses."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

SUBJECT: Final = "@"
NUMBER: Final = "#"
PERCENT: Final = "#%"
MARKS: Final = frozenset(";:,?!–—|.")
ENDS: Final = frozenset(";:?!–—|.")  # what parts one statement from the next
SHORTENED: Final = frozenset(
    ("co", "corp", "dr", "etc", "inc", "jr", "ltd", "mr", "mrs", "ms", "no", "nos", "pvt", "rs", "sr", "st", "us", "vs")
)  # fmt: skip
LONGEST: Final = 4000  # characters; the rest of a longer text is not read

KNOWN: Final = re.compile(r"[A-Za-z📈📉🚀]")
PER_CENT: Final = frozenset(("%", "percent", "pct"))
TOKEN: Final = re.compile(
    r"\d+(?:[.,/:]\d+)*|[^\W\d_]+(?:[&'’][^\W\d_]+)*|%|[;:,?!–—|📈📉🚀]|(?<=\w)\.(?=\s|$)|(?<=\s)-(?=\s)"
)


def readable(text: str) -> bool:
    """Say whether there is anything in ``text`` that a scorer could know: a Latin letter, or one of the signs."""
    return KNOWN.search(text, 0, LONGEST) is not None


def words(text: str, entity: str = "") -> list[str]:
    """Return the words and marks of ``text``; every mention of ``entity`` (names joined by "|") is one @."""
    found = _words(text[:LONGEST])
    for name in _names(entity) if entity else ():
        found = _masked(found, name)
    return found


def _words(text: str) -> list[str]:
    found: list[str] = []
    before = ""
    for word in TOKEN.findall(text.lower()):
        plain = _plain(word)
        if plain in PER_CENT and before == NUMBER:
            found[-1] = before = PERCENT
        elif plain == "cent" and before == "per" and found[-2:-1] == [NUMBER]:
            found[-2:] = [PERCENT]
            before = PERCENT
        elif plain != "." or (len(before) > 1 and before not in SHORTENED):
            found.append(plain)
            before = plain
    return found


def _plain(word: str) -> str:
    if word.isalpha():
        return word
    if word[0].isdigit():
        return NUMBER
    return "–" if word == "-" else word.replace("’", "'").removesuffix("'s")


@lru_cache(maxsize=4096)
def _names(entity: str) -> tuple[list[str], ...]:
    """Return the names as words, the longest first."""
    names = {" ".join(_words(name)) for name in entity.split("|")} - {""}
    return tuple(name.split() for name in sorted(names, key=lambda name: (-name.count(" "), name)))


def _masked(found: list[str], name: list[str]) -> list[str]:
    """Return the words with every mention of ``name`` as one @, two in a row as one."""
    if name[0] not in found:
        return found
    out: list[str] = []
    place, length = 0, len(name)
    while place < len(found):
        if found[place] == name[0] and found[place : place + length] == name:
            if not out or out[-1] != SUBJECT:
                out.append(SUBJECT)
            place += length
        else:
            out.append(found[place])
            place += 1
    return out


def clause(found: list[str], place: int) -> tuple[int, int]:
    """Return where the statement around ``place`` begins and ends (past its last word)."""
    first = last = place
    while first > 0 and found[first - 1] not in ENDS:
        first -= 1
    while last < len(found) and found[last] not in ENDS:
        last += 1
    return first, last
