"""The news over REST: a symbol's score, what it is made of, what was known when, and how the providers do."""

import datetime as dt

import pytest

from sensequant.lib.clock import now
from tests.trading.api.conftest import *  # noqa: F403 - its people
from tests.trading.api.conftest import send
from tests.trading.news.server import KEY, TOKEN
from trading.models import Instrument, NewsItem, SentimentScore

pytestmark = pytest.mark.django_db
URL = "/api/v1/sentiment"


def fresh(title, minutes=30, **more):
    """An article of the present hour: the doors read the real clock."""
    at = now() - dt.timedelta(minutes=minutes)
    return {"title": title, "publishedAt": f"{at:%Y-%m-%dT%H:%M:%SZ}", "source": {"name": "Example Times"}, **more}


@pytest.fixture
def acme(both):
    return Instrument.objects.create(symbol="ACME", name="Acme Widgets Limited")


def test_a_symbol_s_score_comes_with_what_it_is_made_of(acme, viewer, outside):
    outside.articles = [fresh("Acme Widgets profit surges", url="https://news.example/1")]
    told = viewer.get(f"{URL}/ACME").json()
    assert (told["symbol"], told["source"], told["stale"], told["reason"]) == ("ACME", "newsapi", False, "")
    assert 0.0 < told["value"] <= 1.0
    (part,) = told["providers"]
    assert (part["provider"], part["weight"], part["value"]) == ("newsapi", 0.6, told["value"])
    (item,) = told["items"]
    assert (item["title"], item["outlet"]) == ("Acme Widgets profit surges", "Example Times")
    assert item["provider"] == "newsapi"
    assert item["scorer"]
    assert len(item["text_hash"]) == 64


def test_a_fresh_score_is_not_asked_for_again_until_somebody_says_so(acme, viewer, operator, outside):
    outside.articles = [fresh("Acme Widgets profit surges")]
    for _ in range(3):
        assert viewer.get(f"{URL}/ACME").status_code == 200
    assert len(outside.asked("newsapi")) == 1
    assert send(operator, f"{URL}/ACME/refresh").json()["source"] == "newsapi"
    assert len(outside.asked("newsapi")) == 2


def test_a_reader_waits_for_no_back_off(acme, viewer, outside):
    outside.always["newsapi"] = outside.always["twitter"] = ("status", 503)
    told = viewer.get(f"{URL}/ACME").json()
    assert (told["value"], told["reason"]) == (None, "no provider answers")
    assert len(outside.seen) == 2


def test_only_traders_may_send_us_asking(acme, viewer):
    assert send(viewer, f"{URL}/ACME/refresh").status_code == 403


def test_when_everything_is_down_the_last_word_is_told_as_such(acme, viewer, operator, outside, with_settings):
    with_settings(sentiment_provider_timeout=10.0)  # a busy machine must not lose the first word
    outside.articles = [fresh("Acme Widgets profit surges")]
    viewer.get(f"{URL}/ACME")
    outside.always["newsapi"] = outside.always["twitter"] = ("status", 503)
    told = send(operator, f"{URL}/ACME/refresh").json()
    assert told["stale"] is True
    assert "said before" in told["reason"]
    assert viewer.get(f"{URL}/health").json()["status"] == "down"


def test_a_moment_in_the_past_shows_what_was_known_then(acme, viewer, outside):
    at = now() - dt.timedelta(hours=2)
    usual = {
        "provider": "newsapi", "symbol": "ACME", "value": 0.5, "confidence": 0.8, "weight": 1.0, "scorer": "lexicon-1",
        "published_at": at - dt.timedelta(hours=3),
    }  # fmt: skip
    NewsItem.objects.create(title="known", text_hash="a", fetched_at=at - dt.timedelta(hours=1), **usual)
    NewsItem.objects.create(title="found later", text_hash="b", fetched_at=at + dt.timedelta(minutes=1), **usual)
    for minutes, value in ((-1, 0.5), (2, -0.5)):
        when = at + dt.timedelta(minutes=minutes)
        SentimentScore.objects.create(symbol="ACME", at=when, value=value, confidence=0.3, source="newsapi")
    told = viewer.get(f"{URL}/ACME", {"at": at.isoformat()}).json()
    assert told["value"] == 0.5
    assert [item["title"] for item in told["items"]] == ["known"]
    assert outside.seen == []


def test_a_symbol_the_desk_never_heard_of_is_not_found(both, viewer, outside):
    answer = viewer.get(f"{URL}/NOBODY")
    assert (answer.status_code, answer.json()["detail"]) == (404, "the desk follows no NOBODY")
    assert viewer.get(f"{URL}/not a symbol").status_code in (400, 404)
    assert outside.seen == []


def test_without_providers_the_news_are_neutral(viewer):
    told = viewer.get(f"{URL}/RELIANCE").json()
    assert (told["value"], told["reason"], told["items"]) == (None, "nothing was asked yet", [])
    health = viewer.get(f"{URL}/health").json()
    assert (health["status"], health["providers"]) == ("off", {})
    assert health["off"]["newsapi"]["fix"] == "set SENTIMENT_ENABLE_NEWSAPI=true and SENTIMENT_NEWSAPI_API_KEY"


def test_health_tells_every_provider_s_circuit_rates_and_last_error(acme, viewer, outside):
    outside.articles = [fresh("Acme Widgets profit surges")]
    outside.always["twitter"] = ("status", 401)
    viewer.get(f"{URL}/ACME")
    told = viewer.get(f"{URL}/health").json()
    news, tweets = told["providers"]["newsapi"], told["providers"]["twitter"]
    assert told["status"] == "degraded"
    assert (news["is_healthy"], news["success_rate"], news["circuit"]) == (True, 100.0, "closed")
    assert news["last_error"] is None
    assert (tweets["consecutive_failures"], tweets["error_rate"]) == (1, 100.0)
    assert "HTTP 401" in tweets["last_error"]
    assert told["failures_last_hour"] == 1
    assert told["fallback_order"] == ["newsapi", "twitter"]
    assert told["cache"]["misses"] == 2
    assert KEY not in str(told)
    assert TOKEN not in str(told)


def test_scores_and_items_are_listed(acme, viewer, outside):
    outside.articles = [fresh(f"Acme Widgets story {k}", 30 + k) for k in range(3)]
    viewer.get(f"{URL}/ACME")
    assert [row["symbol"] for row in viewer.get(URL).json()] == ["ACME"]
    page = viewer.get(f"{URL}/items", {"symbol": "ACME", "limit": 2}).json()
    assert [item["title"] for item in page["items"]] == ["Acme Widgets story 0", "Acme Widgets story 1"]
    assert [item["title"] for item in viewer.get(page["next"]).json()["items"]] == ["Acme Widgets story 2"]
    assert viewer.get(f"{URL}/items", {"provider": "twitter"}).json()["items"] == []


def test_strangers_are_told_nothing(client):
    assert client.get(URL).status_code == 401
    assert client.get(f"{URL}/health").status_code == 401
