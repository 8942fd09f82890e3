"""What providers said, scored and kept: every item with its moments and scorer, every call, every score believed.

An item is scored once, when it is first seen, and never changed. What was known at a moment is therefore what the rows
say was fetched by then, and the score of that moment can be made again to the last bit.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sensequant.lib import paths
from sensequant.lib.logs import get_logger
from trading.adapters.news.errors import ProviderError
from trading.core.company_names import entity, looked_for
from trading.core.hybrid import Part, Score
from trading.core.news import Answer, Metadata, Question, Story
from trading.core.score_cache import Entry
from trading.core.sentiment import Item, Scored, Scorer, combine, shingles, text_hash
from trading.models.sentiment import NewsCall, NewsItem, SentimentScore
from trading.services.sentiment_models import active_scorer, social_scorer

HORIZON: Final = dt.timedelta(hours=48)  # older items count for nothing
VERDICTS: Final = frozenset({"stub"})  # providers that give verdicts instead of stories
SAID_AGAIN: Final = dt.timedelta(hours=6)
MOST: Final = 500  # items of one provider and symbol that are looked at
log = get_logger("sentiment")


@dataclass(frozen=True, slots=True)
class Call:
    """One call to a provider: what for, in how many attempts, how long the last one took."""

    provider: Metadata
    question: Question
    attempts: int = 1
    latency_ms: float = 0.0
    purpose: str = "live"


class Ledger(Protocol):
    """Where what was said is kept."""

    def keep(self, call: Call, answer: Answer, *, at: dt.datetime) -> Part | None:
        """Keep an answer that came at ``at``; return the provider's word as of then, None when it has none."""
        ...

    def failed(self, call: Call, error: ProviderError, *, at: dt.datetime) -> None:
        """Keep that nothing came."""
        ...

    def newest(self, provider: str, symbol: str, since: dt.datetime) -> Entry | None:
        """Return what the provider last said of the symbol, to whichever process, if that is not before ``since``."""
        ...

    def conclude(self, symbol: str, score: Score | None, *, at: dt.datetime, reason: str = "") -> None:
        """Keep what is believed of a symbol from ``at`` on; without a score it is neutral."""
        ...


class Rows:
    """The ledger of the desk: rows of the database, and the last payload of each provider and symbol as a file."""

    def keep(self, call: Call, answer: Answer, *, at: dt.datetime) -> Part | None:
        """Do as ``Ledger`` says."""
        keep_items(call, answer, at=at)
        name, symbol = call.provider.name, call.question.symbol
        part = part_of(name, fixed(answer) or combine(known_items(name, symbol, at), at.timestamp()), at)
        keep_call(call, answer, part, at=at)
        return part

    def failed(self, call: Call, error: ProviderError, *, at: dt.datetime) -> None:
        """Do as ``Ledger`` says."""
        NewsCall.objects.create(
            at=at, provider=call.provider.name, symbol=call.question.symbol, purpose=call.purpose,
            outcome="failed" if error.failure else "skipped", kind=error.kind, error=str(error)[:300],
            attempts=call.attempts, latency_ms=call.latency_ms,
        )  # fmt: skip

    def newest(self, provider: str, symbol: str, since: dt.datetime) -> Entry | None:
        """Do as ``Ledger`` says."""
        row = NewsCall.objects.filter(
            provider=provider, symbol=symbol, purpose="live", outcome__in=("ok", "empty"), at__gte=since
        ).first()
        if row is None:
            return None
        seconds = row.at.timestamp()
        if row.value is None or row.confidence is None:
            return Entry(None, seconds, seconds)
        return Entry(Part(provider, row.value, row.confidence, 1.0, seconds), seconds, seconds)

    def conclude(self, symbol: str, score: Score | None, *, at: dt.datetime, reason: str = "") -> None:
        """Do as ``Ledger`` says; that a neutral symbol is neutral still is kept again after six hours only."""
        if score is None:
            before = SentimentScore.objects.filter(symbol=symbol).first()
            if before is None or before.value is not None or at - before.at >= SAID_AGAIN:
                SentimentScore.objects.create(symbol=symbol, at=at, reason=reason[:200])
            return
        SentimentScore.objects.create(
            symbol=symbol, at=at, value=score.value, confidence=score.confidence, source=score.source,
            parts=[list(part) for part in score.parts],
        )  # fmt: skip


class Nothing:
    """A ledger that keeps nothing and scores every answer by itself: for trying out and for measuring."""

    def keep(self, call: Call, answer: Answer, *, at: dt.datetime) -> Part | None:
        """Do as ``Ledger`` says."""
        found = fixed(answer) or combine(scored_items(call, answer.stories), at.timestamp())
        return part_of(call.provider.name, found, at)

    def failed(self, call: Call, error: ProviderError, *, at: dt.datetime) -> None:
        """Keep nothing."""

    def newest(self, provider: str, symbol: str, since: dt.datetime) -> Entry | None:
        """Return nothing."""
        return None

    def conclude(self, symbol: str, score: Score | None, *, at: dt.datetime, reason: str = "") -> None:
        """Keep nothing."""


def fixed(answer: Answer) -> Scored | None:
    """Return a provider's own verdict; None when it gave stories to be judged."""
    return None if answer.value is None else Scored(answer.value, answer.confidence)


def part_of(name: str, found: Scored, at: dt.datetime) -> Part | None:
    """Return what was found as a provider's word; None when it is sure of nothing."""
    return Part(name, found.value, found.confidence, 1.0, at.timestamp()) if found.confidence > 0.0 else None


def scorer_of(provider: Metadata) -> Scorer:
    """Return what scores this provider's stories."""
    return social_scorer() if provider.kind == "posts" else active_scorer()


def scored_items(call: Call, stories: Iterable[Story]) -> list[Item]:
    """Return the stories as scored items that were known as soon as they were published."""
    scorer, names = scorer_of(call.provider), _entity(call.question)
    items = []
    for story in stories:
        found, when = scorer(story.words, names), story.published.timestamp()
        items.append(Item(when, when, found.value, found.confidence, story.weight, shingles(story.words)))
    return items


def keep_items(call: Call, answer: Answer, *, at: dt.datetime) -> None:
    """Keep the stories the desk has not seen yet, each scored now and never again, as fetched at ``at``."""
    stories = unseen(call, answer)
    if not stories:
        return
    scorer, names = scorer_of(call.provider), _entity(call.question)
    fresh = [_row(call, story, scorer(story.words, names), scorer.version, at) for story in stories]
    NewsItem.objects.bulk_create(fresh, ignore_conflicts=True)


def keep_call(call: Call, answer: Answer, part: Part | None, *, at: dt.datetime) -> None:
    """Keep that a provider answered, what its word comes to, and its payload."""
    NewsCall.objects.create(
        at=at, provider=call.provider.name, symbol=call.question.symbol, purpose=call.purpose,
        outcome="ok" if part else "empty", attempts=call.attempts, items=len(answer.stories), unusable=answer.unusable,
        latency_ms=call.latency_ms, value=part.value if part else None, confidence=part.confidence if part else None,
        digest=audit(call, answer, at),
    )  # fmt: skip


def unseen(call: Call, answer: Answer) -> list[Story]:
    """Return the stories of an answer that the desk does not hold yet."""
    if not answer.stories:
        return []
    oldest = min(story.published for story in answer.stories)
    rows = NewsItem.objects.filter(provider=call.provider.name, symbol=call.question.symbol, published_at__gte=oldest)
    seen = set(rows.values_list("text_hash", "published_at"))
    return [story for story in answer.stories if (text_hash(story.words), story.published) not in seen]


def _entity(question: Question) -> str:
    return entity(looked_for(question.symbol, question.names))


def _row(call: Call, story: Story, scored: Scored, scorer: str, at: dt.datetime) -> NewsItem:
    return NewsItem(
        provider=call.provider.name, symbol=call.question.symbol, title=story.title, text=story.text, url=story.url,
        outlet=story.outlet, published_at=story.published, fetched_at=at, text_hash=text_hash(story.words),
        weight=story.weight, value=scored.value, confidence=scored.confidence, scorer=scorer,
        shingles=sorted(shingles(story.words)),
    )  # fmt: skip


def known_items(provider: str, symbol: str, at: dt.datetime) -> list[Item]:
    """Return the items of a provider that were known at ``at`` and still count, newest first."""
    rows = NewsItem.objects.filter(
        provider=provider, symbol=symbol, fetched_at__lte=at, published_at__lte=at, published_at__gte=at - HORIZON
    )
    return [_item(row) for row in rows.order_by("-published_at", "id")[:MOST]]


def _item(row: NewsItem) -> Item:
    return Item(
        row.published_at.timestamp(), row.fetched_at.timestamp(), row.value, row.confidence, row.weight,
        frozenset(row.shingles),
    )  # fmt: skip


def made_again(row: SentimentScore) -> list[Part]:
    """Return the parts of a kept score, each made again from the items that were known at its moment.

    A provider that gives verdicts instead of stories leaves no items; its word is returned as it was kept.
    """
    again = []
    for name, value, confidence, weight, seconds in row.parts:
        at = dt.datetime.fromtimestamp(seconds, dt.UTC)
        found = combine(known_items(name, row.symbol, at), seconds)
        if name in VERDICTS:
            found = Scored(value, confidence)
        again.append(Part(name, found.value, found.confidence, weight, seconds))
    return again


def audit(call: Call, answer: Answer, at: dt.datetime) -> str:
    """Keep the payload as the last one of its provider and symbol, and return its SHA-256; empty without a payload."""
    if not answer.payloads:
        return ""
    text = json.dumps(answer.payloads, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    told: dict[str, Any] = {
        "provider": call.provider.name, "symbol": call.question.symbol, "fetched_at": at.isoformat(),
        "since": call.question.since.isoformat(), "until": call.question.until.isoformat(), "sha256": digest,
        "items": len(answer.stories), "unusable": answer.unusable, "payloads": answer.payloads,
    }  # fmt: skip
    path = paths.home() / "logs" / "sentiment" / call.provider.name / f"{call.question.symbol}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        paths.write_private(path, json.dumps(told, ensure_ascii=True))
    except OSError as error:
        log.warning("the audit trail was not written", path=str(path), error=str(error))
    return digest
