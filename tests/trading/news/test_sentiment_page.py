"""The Sentiment page: each provider's state and last error, what is believed, and the headlines with their scores."""

import datetime as dt

import pytest
from django.test import Client

from tests.trading import rows
from tests.trading.news.server import NOON
from trading.models import NewsCall, NewsItem, NewsProvider, SentimentScore
from trading.services import conditions

pytestmark = pytest.mark.django_db
EVIL = "<script>alert(1)</script> Acme profit surges"


@pytest.fixture
def vera(db):
    client = Client()
    client.force_login(rows.people()["viewer"])
    return client


def item(title=EVIL, provider="newsapi", symbol="ACME", minutes=0, **more):
    at = NOON - dt.timedelta(minutes=minutes)
    usual = {
        "text": "", "url": "https://news.example/story", "outlet": "Example Times", "published_at": at,
        "fetched_at": at, "text_hash": f"{minutes}{title}"[:64], "weight": 1.0, "value": 0.42, "confidence": 0.8,
        "scorer": "lexicon-1",
    }  # fmt: skip
    return NewsItem.objects.create(provider=provider, symbol=symbol, title=title, **{**usual, **more})


def shown(client, **query):
    answer = client.get("/sentiment", query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_empty_desk_says_how_to_switch_providers_on(vera):
    page = shown(vera)
    assert "no provider is switched on" in page
    assert "set SENTIMENT_ENABLE_NEWSAPI=true and SENTIMENT_NEWSAPI_API_KEY" in page
    assert "No headline matches" in page


def test_each_provider_s_state_and_last_error_are_there(vera, both):
    NewsProvider.objects.create(
        name="newsapi", circuit="open", failures_in_row=5, until=4e9, tokens=3, refilled_at=0, failures=5, successes=5,
        last_error="newsapi: HTTP 503", last_failure_at=NOON,
    )  # fmt: skip
    page = shown(vera)
    assert "⛔ open" in page
    assert "newsapi: HTTP 503" in page
    assert "50.00" in page
    assert "a provider fails; the others count alone" in page


def test_headlines_come_with_their_scores_and_nothing_of_them_is_run(vera):
    item()
    page = shown(vera)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; Acme profit surges" in page
    assert "<script>alert" not in page
    assert "▲ +0.42" in page
    assert 'href="https://news.example/story" rel="noopener noreferrer nofollow"' in page


def test_a_post_is_shown_by_its_words(vera):
    item("", provider="twitter", text="Acme to the moon", url="", value=-0.3)
    page = shown(vera)
    assert "Acme to the moon" in page
    assert "▼ −0.30" in page


def test_headlines_narrow_by_symbol_and_provider(vera):
    item("About Acme")
    item("About Tata", symbol="TCS", minutes=1)
    item("A post", provider="twitter", minutes=2)
    page = shown(vera, symbol="acme", provider="newsapi")
    assert "About Acme" in page
    assert "About Tata" not in page
    assert "A post" not in page
    assert "About Tata" in shown(vera, provider="reuters")
    assert shown(vera, symbol="\x00")


def test_what_is_believed_is_the_newest_of_each_symbol(vera):
    SentimentScore.objects.create(symbol="ACME", at=NOON, value=0.9, confidence=0.8, source="newsapi")
    SentimentScore.objects.create(symbol="ACME", at=NOON + dt.timedelta(1), reason="no provider answers")
    SentimentScore.objects.create(symbol="TCS", at=NOON, value=-0.25, confidence=0.8, source="hybrid[newsapi,twitter]")
    page = shown(vera)
    assert "▼ −0.25" in page
    assert "▲ +0.90" not in page
    assert "no provider answers" in page


def test_troubles_stand_at_the_top_and_failures_at_the_end(vera, both):
    conditions.hold("sentiment-down", level="warn", message="no provider of news answers", fix="look", at=NOON)
    NewsCall.objects.create(at=NOON, provider="twitter", symbol="ACME", outcome="failed", error="twitter: HTTP 401")
    page = shown(vera)
    assert page.index("no provider of news answers: look") < page.index("twitter: HTTP 401")


def test_the_demo_market_s_news_are_there_with_the_scores_it_trades_on(vera):
    rows.run()
    page = shown(vera)
    assert "News of the demo market" in page


def test_many_headlines_have_pages(vera):
    for k in range(101):
        item(f"Story {k}", minutes=k)
    assert "1–100 of 101" in shown(vera)
    assert "Story 100" in shown(vera, page=2)


def test_the_page_is_in_the_rail_and_behind_the_login(vera, client):
    assert 'data-go="n"' in vera.get("/").content.decode()
    assert client.get("/sentiment").status_code == 302


def test_a_page_costs_few_queries_however_many_headlines_there_are(vera, django_assert_max_num_queries):
    for k in range(50):
        item(f"Story {k}", minutes=k)
    shown(vera)
    with django_assert_max_num_queries(25):
        shown(vera)
