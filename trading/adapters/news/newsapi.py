"""NewsAPI: articles of the press by keyword, page by page (``GET /everything``)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from trading.adapters.news.errors import KeyRefused, ProviderError, RateLimited, Refused, Transient, Unreadable
from trading.adapters.news.http import line
from trading.core.company_names import looked_for
from trading.core.news import (
    LONGEST_OUTLET,
    LONGEST_TEXT,
    LONGEST_TITLE,
    Answer,
    Metadata,
    Question,
    Ration,
    Story,
    clean,
    moment,
    quotable,
    relevance,
    web_address,
    within,
)

PAGE: Final = 100
PAGES: Final = 5
LONGEST_QUERY: Final = 500  # characters NewsAPI takes
REMOVED: Final = "[Removed]"
# What an "error" inside an HTTP 200 means; everything else is a refusal.
CODES: Final[Mapping[str, type[ProviderError]]] = {
    "apiKeyInvalid": KeyRefused, "apiKeyMissing": KeyRefused, "apiKeyDisabled": KeyRefused,
    "apiKeyExhausted": RateLimited, "rateLimited": RateLimited, "unexpectedError": Transient,
}  # fmt: skip


class NewsApi:
    """Articles about a company. ``endpoint`` is the root, e.g. https://newsapi.org/v2; ``timeout`` in seconds."""

    def __init__(self, key: str, endpoint: str, *, timeout: float = 5.0, rate_limit: int = 100) -> None:
        """Ask with ``key``, which travels in a header and never in an address."""
        if not key:
            raise KeyRefused("newsapi", "there is no key", fix="set SENTIMENT_NEWSAPI_API_KEY")
        self.metadata = Metadata("newsapi", "2", rate_limit)
        self.url, self.timeout = f"{endpoint.rstrip('/')}/everything", timeout
        self._headers = {"X-Api-Key": key}

    def fetch(self, question: Question, ration: Ration) -> Answer:
        """Return the articles that name the company, newest first; raise one of the provider errors."""
        payloads: list[Any] = []
        with line("newsapi", self.timeout) as out:
            for page in range(1, PAGES + 1):
                ration()
                try:
                    told = out.get(self.url, self._params(question, page), self._headers, asked_at=question.asked_at)
                    articles = _articles(told)
                except Refused:
                    if page > 1:  # a small plan ends before the articles do: what came counts
                        break
                    raise
                payloads.append(told)
                seen = sum(len(each["articles"]) for each in payloads)
                if not articles or seen >= min(_total(told), question.most):
                    break
        return _answer(payloads, question)

    def _params(self, question: Question, page: int) -> dict[str, str]:
        return {
            "q": query(question), "searchIn": "title,description", "language": "en", "sortBy": "publishedAt",
            "from": _stamp(question.since), "to": _stamp(question.until), "pageSize": str(min(PAGE, question.most)),
            "page": str(page),
        }  # fmt: skip


def query(question: Question) -> str:
    """Return what is searched for: any of the company's names, as a phrase."""
    words = [f'"{quotable(word)}"' for word in looked_for(question.symbol, question.names)]
    while len(words) > 1 and len(" OR ".join(words)) > LONGEST_QUERY:
        words.pop()
    return " OR ".join(words)


def _stamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _articles(told: Any) -> list[Any]:
    if isinstance(told, dict) and told.get("status") == "error":
        code, said = str(told.get("code") or "error"), clean(told.get("message"), 160)
        raise CODES.get(code, Refused)("newsapi", f"{code}: {said}")
    articles = told.get("articles") if isinstance(told, dict) else None
    if not isinstance(articles, list):
        raise Unreadable("newsapi", "the answer has no list of articles")
    return articles


def _total(told: Mapping[str, Any]) -> int:
    total = told.get("totalResults")
    return total if isinstance(total, int) else 0


def _answer(payloads: list[Any], question: Question) -> Answer:
    rows = [row for told in payloads for row in told["articles"]]
    names = looked_for(question.symbol, question.names)
    stories = [story for row in rows if (story := _story(row, names))]
    return Answer(tuple(within(stories, question)), len(rows) - len(stories), tuple(payloads))


def _story(row: Any, names: tuple[str, ...]) -> Story | None:
    """Return an article, None when it lacks a headline or a time."""
    if not isinstance(row, dict):
        return None
    title, published = clean(row.get("title"), LONGEST_TITLE), moment(row.get("publishedAt"))
    if not title or title == REMOVED or published is None:
        return None
    source = row.get("source")
    outlet = clean(source.get("name") if isinstance(source, dict) else source, LONGEST_OUTLET)
    text = clean(row.get("description"), LONGEST_TEXT)
    story = Story(title, "" if text == REMOVED else text, published, web_address(row.get("url")), outlet)
    return Story(story.title, story.text, published, story.url, outlet, relevance(story, names))
