"""The scorer ``lexicon``: good and bad words of finance, with negation, emphasis, and what stands near the subject."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Final, NamedTuple

from trading.core.sentiment import lexicon_data as data
from trading.core.sentiment.words import ENDS, MARKS, SUBJECT, clause, words

RULES: Final = "1"  # how words are put together; raise it when that changes
SOFTNESS: Final = 1.0  # how quickly several words together say all there is to say
NEGATED: Final = -0.7
TURN: Final = 0.5  # what stands before "but" counts half
DISCOUNT: Final = 0.3  # what something happened despite of
ASKED: Final = 0.6  # a question is half an answer
ELSEWHERE: Final = 0.25  # a word in a statement that does not name the subject
FAR: Final = 0.6  # a word in the subject's statement, but not near it
NEAR: Final = 5
REFERRING: Final = frozenset(("stock", "shares", "scrip", "stocks"))  # a statement beginning so is about the subject
REACH: Final = 4  # how far a direction looks for what it moves


class Word(NamedTuple):
    """What a word says by itself, and whether it is a direction or something unwanted."""

    value: float
    direction: bool = False
    unwanted: bool = False


def forms(base: str) -> Iterator[str]:
    """Yield ``base`` and its regular forms: surge, surges, surged, surging; one marked = has no other."""
    yield base.removeprefix("=")
    if base.startswith("=") or not base.isascii():
        return
    if base.endswith("e"):
        yield from (base + "s", base + "d", base[:-1] + "ing")
    elif base.endswith("y") and base[-2] not in "aeiou":
        yield from (base[:-1] + "ies", base[:-1] + "ied", base + "ing")
    elif base.endswith(("s", "x", "sh", "ch")):
        yield from (base + "es", base + "ed", base + "ing")
    else:
        yield from (base + "s", base + "ed", base + "ing")
        if base[-1] in "bgnprt" and base[-2] in "aeiou":
            yield from (base + base[-1] + "ed", base + base[-1] + "ing")


def _table() -> dict[str, Word]:
    table: dict[str, Word] = {}
    kinds = (
        (data.GOOD, 1.0, False, False), (data.BAD, -1.0, False, False), (data.UNWANTED, -1.0, False, True),
        (data.UP, 1.0, True, False), (data.DOWN, -1.0, True, False),
    )  # fmt: skip
    for groups, sign, direction, unwanted in kinds:
        for weight, text in groups.items():
            for base in text.split():
                table.update({form: Word(sign * weight, direction, unwanted) for form in forms(base)})
    table.update({form: table[base] for form, base in data.IRREGULAR.items() if base in table})
    return table


TABLE: Final = _table()


def _phrases() -> dict[str, list[tuple[list[str], float]]]:
    """Return first word → the phrases that begin with it, the longest first."""
    table: dict[str, list[tuple[list[str], float]]] = {}
    phrases = [(each.split(), value) for value, text in data.PHRASES.items() for each in text.split("/")]
    for phrase, value in sorted(phrases, key=lambda each: (-len(each[0]), each[0])):
        table.setdefault(phrase[0], []).append((phrase, value))
    return table


PHRASES: Final = _phrases()
NEGATIONS: Final = frozenset(data.NEGATIONS.split())
STRONGER: Final = frozenset(data.STRONGER.split())
WEAKER: Final = frozenset(data.WEAKER.split())
DISCOUNTED: Final = frozenset(data.DISCOUNTED.split())
TURNS: Final = frozenset(data.TURNS.split())
APART: Final = MARKS | frozenset(data.REASONS.split())  # "plunges on a loss": the loss is why, not what plunges
WORDS: Final = (
    TABLE, PHRASES, data.NEGATIONS, data.STRONGER, data.WEAKER, data.DISCOUNTED, data.TURNS, data.REASONS,
)  # fmt: skip
# Every change of the words is another version, so that no score is ever taken for one of another lexicon.
VERSION: Final = f"{RULES}.{sha256(repr(WORDS).encode()).hexdigest()[:8]}"


class Hit(NamedTuple):
    """A word or phrase of the lexicon at a place of the text."""

    place: int
    end: int
    word: Word


def hits(found: list[str]) -> list[Hit]:
    """Return the words and phrases of the lexicon in the text, the longest at each place."""
    all_hits, place = [], 0
    while place < len(found):
        hit = _at(found, place)
        if hit is not None:
            all_hits.append(hit)
        place = hit.end if hit is not None else place + 1
    return all_hits


def _at(found: list[str], place: int) -> Hit | None:
    for phrase, value in PHRASES.get(found[place], ()):
        if found[place : place + len(phrase)] == phrase:
            return Hit(place, place + len(phrase), Word(value))
    word = TABLE.get(found[place])
    return None if word is None else Hit(place, place + 1, word)


def turned(found: list[str], all_hits: list[Hit]) -> dict[int, float]:
    """Return place → value after directions have met what they move: "debt falls" is good, "losses widen" is bad."""
    values = {hit.place: hit.word.value for hit in all_hits}
    unwanted = [hit.place for hit in all_hits if hit.word.unwanted]
    for hit in all_hits:
        if not hit.word.direction or not unwanted:
            continue
        nearest = min(unwanted, key=lambda place: (abs(place - hit.place), place))
        low, high = sorted((nearest, hit.place))
        if high - low <= REACH and APART.isdisjoint(found[low:high]):
            values[hit.place] = -hit.word.value
            values[nearest] = min(values[nearest], 0.0) if hit.word.value > 0.0 else 0.0
    return values


def emphasis(found: list[str], place: int) -> float:
    """Return the factor that the words around ``place`` put on it."""
    factor, before = 1.0, found[max(0, place - 3) : place]
    if not ENDS.isdisjoint(before):
        before = before[max(k for k, word in enumerate(before) if word in ENDS) + 1 :]
    if not NEGATIONS.isdisjoint(before):
        factor *= NEGATED
    around = (*before[-2:], *found[place + 1 : place + 3])
    if not STRONGER.isdisjoint(around):
        factor *= 1.4
    if not WEAKER.isdisjoint(around):
        factor *= 0.6
    if not DISCOUNTED.isdisjoint(found[max(0, place - 6) : place]):
        factor *= DISCOUNT
    return factor


def nearness(found: list[str]) -> list[float]:
    """Return how much each word's place says about the subject; 1 everywhere when it is not named."""
    places = [k for k, word in enumerate(found) if word == SUBJECT]
    if not places:
        return [1.0] * len(found)
    near = [ELSEWHERE] * len(found)
    for place in places:
        first, last = clause(found, place)
        for k in range(first, last):
            near[k] = max(near[k], 1.0 if abs(k - place) <= NEAR else FAR)
    for k in range(places[0] + 2, len(found)):
        if near[k - 1] == ELSEWHERE and found[k] in REFERRING and found[k - 1] in ENDS:  # "… profit up; stock down"
            near[k:] = [max(each, FAR) for each in near[k:]]
    return near


def sums(found: list[str]) -> tuple[float, float]:
    """Return what the words say, good less bad: for the subject by their nearness to it, and in all."""
    all_hits = hits(found)
    if not all_hits:
        return 0.0, 0.0
    near = nearness(found)
    turn = next((k for k, word in enumerate(found) if word in TURNS), -1)
    asked = ASKED if "?" in found else 1.0
    subject = whole = 0.0
    for place, value in turned(found, all_hits).items():
        said = value * emphasis(found, place) * asked * (TURN if place < turn else 1.0)
        subject += said * near[place]
        whole += said
    return subject, whole


def lexicon(text: str, entity: str = "") -> tuple[float, float]:
    """Return the value of the text for ``entity``, −1 … 1, and the strength behind it (0 and up)."""
    said, _ = sums(words(text, entity))
    return said / (said * said + SOFTNESS) ** 0.5, abs(said)
