"""What is asked of a provider of news, and what it answers, in the desk's own words."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

LONGEST_TITLE: Final = 500
LONGEST_TEXT: Final = 2_000
LONGEST_URL: Final = 1_000
LONGEST_OUTLET: Final = 160
AHEAD: Final = dt.timedelta(days=1)  # a publication later than this after now is a broken clock
PASSING: Final = 0.25  # the weight of what was found for a company and does not name it
SUMMARY_ONLY: Final = 0.6  # of what names it below its headline only
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: news of one company, published in [since, until), at most ``most`` items."""

    symbol: str
    names: tuple[str, ...]  # the company's names, the usual one first; may be empty
    since: dt.datetime
    until: dt.datetime
    asked_at: dt.datetime
    most: int = 100


@dataclass(frozen=True, slots=True)
class Story:
    """One article or post; ``weight`` (> 0) grows with how many people cared."""

    title: str
    text: str
    published: dt.datetime
    url: str = ""
    outlet: str = ""
    weight: float = 1.0

    @property
    def words(self) -> str:
        """Return what a scorer reads: the headline, then what stands below it."""
        return f"{self.title}. {self.text}" if self.title and self.text else self.title or self.text


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider answered: usable stories, how many were not, and the payloads word for word.

    ``value`` and ``confidence`` are the provider's own verdict where it gives one instead of stories.
    """

    stories: tuple[Story, ...] = ()
    unusable: int = 0
    payloads: tuple[Any, ...] = ()
    value: float | None = None
    confidence: float = 0.0


class Metadata(NamedTuple):
    """What a provider is: ``kind`` says how its stories are scored (news, posts, or fixed: not at all)."""

    name: str
    version: str
    rate_limit_per_minute: int
    kind: str = "news"
    counted_as: str = "article_count"


Ration = Callable[[], None]
"""Called before each request; raises when it must not be made."""


class Provider(Protocol):
    """Somebody who can be asked about a company."""

    metadata: Metadata

    def fetch(self, question: Question, ration: Ration) -> Answer:
        """Return what there is, or raise one of the provider errors."""
        ...


def clean(text: object, longest: int) -> str:
    """Return ``text`` as it can be kept and shown: one line, printable, cut at a length; "" for no text."""
    if not isinstance(text, str):
        return ""
    told = text.encode("utf-8", "replace").decode("utf-8")
    return " ".join(UNPRINTABLE.sub(" ", told).split())[:longest].rstrip()


def quotable(name: str) -> str:
    """Return a name as it can stand between double quotes."""
    return " ".join(name.replace('"', " ").replace("\\", " ").split())


def web_address(text: object) -> str:
    """Return an http(s) address that can be linked to; "" for anything else."""
    address = clean(text, LONGEST_URL + 1)
    return address if re.fullmatch(r"https?://[^\s\"'<>\\]+", address) and len(address) <= LONGEST_URL else ""


def moment(text: object) -> dt.datetime | None:
    """Return an ISO moment, aware, in UTC; without an offset it is UTC; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        found = dt.datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def within(stories: Sequence[Story], question: Question) -> list[Story]:
    """Return the stories of the asked span, newest first, as many as were asked for."""
    latest = min(question.until, question.asked_at + AHEAD)
    found = [story for story in stories if question.since <= story.published < latest]
    return sorted(found, key=lambda story: story.published, reverse=True)[: question.most]


def mentions(text: str, names: Sequence[str]) -> bool:
    """Say whether ``text`` names one of ``names`` as words of their own, whatever their case."""
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) for name in names if name)


def relevance(story: Story, names: Sequence[str]) -> float:
    """Return how much a story is about one of ``names``: 1 when its headline says so."""
    if mentions(story.title, names):
        return 1.0
    return (SUMMARY_ONLY if story.title else 1.0) if mentions(story.text, names) else PASSING
