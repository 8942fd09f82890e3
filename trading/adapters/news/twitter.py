"""Twitter (X) API v2: recent posts by keyword and cashtag, weighted by how many people cared."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from trading.adapters.news.errors import KeyRefused, OutOfReach, Unreadable
from trading.adapters.news.http import line
from trading.core.company_names import looked_for
from trading.core.news import (
    LONGEST_TEXT,
    Answer,
    Metadata,
    Question,
    Ration,
    Story,
    clean,
    moment,
    quotable,
    relevance,
    within,
)

PAGE: Final = 100
LEAST_PAGE: Final = 10  # the API takes no smaller page
PAGES: Final = 5
LONGEST_QUERY: Final = 512
REACH: Final = dt.timedelta(days=7)  # how far back the recent search goes
LAG: Final = dt.timedelta(seconds=15)  # the API refuses an end that is closer to now than ten seconds
FILTERS: Final = "-is:retweet lang:en"
LOUDEST: Final = 10.0  # no single post weighs more than this many silent ones
FIELDS: Final = "created_at,public_metrics,lang"


class Twitter:
    """Posts about a company. ``endpoint`` is the root, e.g. https://api.twitter.com/2; ``timeout`` in seconds."""

    def __init__(self, token: str, endpoint: str, *, timeout: float = 5.0, rate_limit: int = 450) -> None:
        """Ask with the bearer ``token``."""
        if not token:
            raise KeyRefused("twitter", "there is no bearer token", fix="set SENTIMENT_TWITTER_BEARER_TOKEN")
        self.metadata = Metadata("twitter", "2", rate_limit, "posts", "tweet_count")
        self.url, self.timeout = f"{endpoint.rstrip('/')}/tweets/search/recent", timeout
        self._headers = {"Authorization": f"Bearer {token}"}

    def fetch(self, question: Question, ration: Ration) -> Answer:
        """Return the posts of the span, newest first, retweets left out; raise one of the provider errors."""
        since = max(question.since, question.asked_at - REACH + LAG)
        until = min(question.until, question.asked_at - LAG)
        if since >= until:
            raise OutOfReach("twitter", f"its search goes back {REACH.days} days only", fix="ask for newer days")
        params = {
            "query": query(question), "max_results": str(min(PAGE, max(LEAST_PAGE, question.most))),
            "start_time": _stamp(since), "end_time": _stamp(until), "tweet.fields": FIELDS,
        }  # fmt: skip
        payloads: list[Any] = []
        with line("twitter", self.timeout) as out:
            for _ in range(PAGES):
                ration()
                told = out.get(self.url, params, self._headers, asked_at=question.asked_at)
                payloads.append(told)
                token = _next(told)
                if not token or sum(len(_posts(each)) for each in payloads) >= question.most:
                    break
                params = {**params, "next_token": token}
        return _answer(payloads, question)


def query(question: Question) -> str:
    """Return what is searched for: the company's names as phrases and its cashtag, without retweets, in English."""
    symbol = question.symbol.replace("&", "").replace("-", "").replace("_", "")
    words = [f'"{quotable(word)}"' for word in question.names]
    words += [f"${symbol}", f"#{symbol}"]
    while len(words) > 1 and len(_whole(words)) > LONGEST_QUERY:
        words.pop(-3 if len(words) > 2 else 0)
    return _whole(words)


def _whole(words: list[str]) -> str:
    return f"({' OR '.join(words)}) {FILTERS}"


def _stamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _posts(told: Any) -> list[Any]:
    """Return the posts of a page; a search without a result has none."""
    if not isinstance(told, dict) or not ("data" in told or "meta" in told):
        raise Unreadable("twitter", "the answer has neither data nor meta")
    posts = told.get("data") or []
    if not isinstance(posts, list):
        raise Unreadable("twitter", "its data is not a list")
    return posts


def _next(told: Any) -> str:
    _posts(told)
    meta = told.get("meta")
    token = meta.get("next_token") if isinstance(meta, dict) else None
    return token if isinstance(token, str) else ""


def _answer(payloads: list[Any], question: Question) -> Answer:
    rows = [row for told in payloads for row in _posts(told)]
    names = looked_for(question.symbol, question.names)
    stories = [story for row in rows if (story := _story(row, names))]
    return Answer(tuple(within(stories, question)), len(rows) - len(stories), tuple(payloads))


def _story(row: Any, names: tuple[str, ...]) -> Story | None:
    """Return a post, None when it lacks its words or its time."""
    if not isinstance(row, dict):
        return None
    text, published = clean(row.get("text"), LONGEST_TEXT), moment(row.get("created_at"))
    if not text or published is None or text.startswith("RT @"):
        return None
    number = row.get("id")
    url = f"https://twitter.com/i/web/status/{number}" if isinstance(number, str) and number.isdigit() else ""
    story = Story("", text, published, url, "twitter")
    return replace(story, weight=relevance(story, names) * engagement(row.get("public_metrics")))


def engagement(metrics: Any) -> float:
    """Return a post's weight by what people did with it: 1 for nothing, growing slowly, at most ``LOUDEST``."""
    if not isinstance(metrics, Mapping):
        return 1.0
    cared = sum(
        times * max(0, count)
        for name, times in (("like_count", 1), ("reply_count", 1), ("retweet_count", 2), ("quote_count", 2))
        if isinstance(count := metrics.get(name), int)
    )
    return min(LOUDEST, 1.0 + math.log1p(cared))
