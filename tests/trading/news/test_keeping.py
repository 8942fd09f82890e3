"""Provenance: what was known when, by whom it was scored, and that the same moment always gives the same score."""

import datetime as dt
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensequant.lib import paths
from tests.trading.news.conftest import Clock
from tests.trading.news.fakes import Says, registry, stories, word
from tests.trading.news.server import NOON, article
from trading.adapters.news.errors import Barred, RateLimited, Rationed, Refused
from trading.core.news import Answer, Metadata, Question, Story
from trading.models import NewsCall, NewsItem, SentimentScore
from trading.services import sentiment_keeping, sentiment_sources
from trading.services.sentiment_keeping import Call, known_items, made_again

pytestmark = pytest.mark.django_db
GOOD, BAD = "Acme profit surges on record growth", "Acme shares plunge"


def test_every_item_is_kept_with_its_moments_its_hash_and_its_scorer(clock):
    made = registry(clock, Says("newsapi", stories(GOOD, BAD), kind="news"), kept=True)
    made.get_sentiment("ACME")
    good = NewsItem.objects.get(title=GOOD)
    assert (good.provider, good.symbol, good.fetched_at) == ("newsapi", "ACME", clock())
    assert good.published_at == NOON - dt.timedelta(minutes=30)
    assert len(good.text_hash) == 64
    assert good.scorer.startswith("lexicon")
    assert good.value > 0.0 > NewsItem.objects.get(title=BAD).value
    assert str(good) == f"ACME: {GOOD}"


def test_an_item_seen_again_keeps_the_moment_it_was_first_known(clock):
    made = registry(clock, Says("newsapi", stories(GOOD, weight=1.0), stories(GOOD, BAD), kind="news"), kept=True)
    made.get_sentiment("ACME")
    clock.pass_(601.0)
    made.get_sentiment("ACME")
    assert NewsItem.objects.get(title=GOOD).fetched_at == NOON
    assert NewsItem.objects.get(title=BAD).fetched_at == clock()


def test_the_same_words_on_another_day_are_another_item(clock):
    made = registry(clock, Says("newsapi", stories(GOOD), stories(GOOD, minutes=600), kind="news"), kept=True)
    made.get_sentiment("ACME")
    made.get_sentiment("ACME", force=True)
    assert NewsItem.objects.count() == 2


def test_an_article_published_after_the_decision_never_changes_it(clock):
    """Nor does one that was published before it and found after it."""
    news = Says("newsapi", stories(GOOD, minutes=5), stories(BAD, GOOD, minutes=2), kind="news")
    made = registry(clock, news, kept=True)
    before = made.get_sentiment("ACME")
    decided = SentimentScore.objects.get()
    clock.pass_(3_600.0)
    after = made.get_sentiment("ACME")
    assert after.value < before.value
    assert [part.value for part in made_again(decided)] == [before.value]
    late = Story("Acme collapses in scandal, bankruptcy looms", "", decided.at + dt.timedelta(seconds=1))
    made.register("newsapi", Says("newsapi", Answer((late,)), kind="news"))
    made.get_sentiment("ACME", force=True)
    assert [part.value for part in made_again(decided)] == [before.value]


moments = st.integers(1, 500)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([GOOD, BAD, "Acme holds its annual meeting"]), moments, moments), max_size=8),
    moments,
)
def test_only_what_was_published_and_fetched_by_then_is_known(found, then):
    NewsItem.objects.all().delete()
    start = NOON - dt.timedelta(hours=10)
    for k, (title, published, fetched) in enumerate(found):
        story = Story(f"{title} {k}", "", start + dt.timedelta(minutes=published))
        call = Call(Metadata("newsapi", "1", 60), Question("ACME", (), start, NOON, NOON))
        sentiment_keeping.keep_items(call, Answer((story,)), at=start + dt.timedelta(minutes=fetched))
    at = start + dt.timedelta(minutes=then)
    known = known_items("newsapi", "ACME", at)
    assert len(known) == sum(max(published, fetched) <= then for _, published, fetched in found)
    assert all(item.published <= at.timestamp() and item.fetched <= at.timestamp() for item in known)


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([GOOD, BAD, "Acme holds its annual meeting"]), st.integers(1, 600)),
        min_size=1,
        max_size=5,
    )
)
def test_every_score_ever_believed_can_be_made_again_to_the_last_bit(rounds):
    for model in (NewsItem, NewsCall, SentimentScore):
        model.objects.all().delete()
    clock = Clock()
    made = registry(clock, kept=True)
    for k, (title, minutes) in enumerate(rounds):
        made.register("newsapi", Says("newsapi", stories(f"{title} {k}", minutes=minutes), kind="news"), weight=0.6)
        made.register("twitter", Says("twitter", stories(f"{title}!", minutes=minutes), kind="posts"), weight=0.4)
        made.get_sentiment("ACME", force=True)
        clock.pass_(1_800.0)
    for row in SentimentScore.objects.exclude(value=None):
        again = made_again(row)
        assert [list(part) for part in again] == row.parts
        total = sum(part.weight for part in again)
        assert row.value == pytest.approx(sum(part.value * part.weight for part in again) / total, abs=1e-12)


def test_a_score_is_a_row_and_so_is_that_there_is_none(clock):
    made = registry(clock, Says("newsapi", word(0.5), Refused("newsapi", "no"), Refused("newsapi", "no")), kept=True)
    made.get_sentiment("ACME")
    clock.pass_(7 * 3_600.0)
    assert made.get_sentiment("ACME") is None
    clock.pass_(60.0)
    assert made.get_sentiment("ACME") is None
    neutral, first = SentimentScore.objects.all()
    assert (first.value, first.source, first.parts[0][0]) == (0.5, "newsapi", "newsapi")
    assert (neutral.value, neutral.reason) == (None, "no provider answers")
    assert (str(first), str(neutral)) == ("ACME +0.50", "ACME neutral")


def test_no_news_is_neutral_and_says_so(clock):
    registry(clock, Says("newsapi", Answer()), kept=True).get_sentiment("ACME")
    assert SentimentScore.objects.get().reason == "no news"
    assert NewsCall.objects.get().outcome == "empty"


def test_every_call_leaves_a_row_failures_with_their_kind(clock):
    busy = Says("newsapi", Refused("newsapi", "HTTP 400"), Rationed("newsapi", "spent"), word(0.2))
    made = registry(clock, busy, kept=True)
    for _ in range(3):
        made.get_sentiment("ACME")
    good, spent, bad = NewsCall.objects.all()
    assert (bad.outcome, bad.kind, bad.error) == ("failed", "Refused", "newsapi: HTTP 400")
    assert (spent.outcome, spent.kind) == ("skipped", "Rationed")
    assert (good.outcome, good.value, str(good)) == ("ok", 0.2, "newsapi ACME: ok")


def test_a_barred_provider_leaves_no_row(clock):
    made = registry(clock, Says("newsapi", RateLimited("newsapi", "429", retry_after=60.0)), kept=True)
    made.get_sentiment("ACME")
    made.get_sentiment("ACME")
    assert NewsCall.objects.count() == 1
    assert not Barred("newsapi", "x").failure


def test_what_one_process_was_told_another_does_not_ask_again(clock):
    here, there = Says("newsapi", word(0.5)), Says("newsapi", word(0.9))
    registry(clock, here, kept=True, ttl=600.0).get_sentiment("ACME")
    clock.pass_(300.0)
    other = registry(clock, there, kept=True, ttl=600.0)
    assert other.get_sentiment("ACME").value == 0.5
    assert there.asked == []
    clock.pass_(300.0)
    assert other.get_sentiment("ACME").value == 0.9


def test_that_there_was_nothing_to_say_is_shared_too(clock):
    registry(clock, Says("newsapi", Answer()), kept=True).get_sentiment("ACME")
    there = Says("newsapi", word(0.9))
    assert registry(clock, there, kept=True).get_sentiment("ACME") is None
    assert there.asked == []


def test_after_a_restart_the_last_word_is_still_the_last_resort(clock):
    registry(clock, Says("newsapi", word(0.5)), kept=True).get_sentiment("ACME")
    clock.pass_(3_600.0)
    score = registry(clock, Says("newsapi", Refused("newsapi", "no")), kept=True).get_sentiment("ACME")
    assert (score.value, score.stale) == (0.5, True)


def test_the_last_payload_is_kept_word_for_word_under_its_digest(both, outside, clock):
    outside.articles = [article("Acme wins")]
    sentiment_sources.make_registry(["newsapi"], clock=clock).get_sentiment("ACME")
    told = json.loads((paths.home() / "logs/sentiment/newsapi/ACME.json").read_text())
    assert told["payloads"][0]["articles"] == outside.articles
    assert told["sha256"] == NewsCall.objects.get().digest
    assert both.sentiment_newsapi_api_key not in json.dumps(told)


def test_near_duplicates_count_once(clock):
    copies = stories(GOOD, GOOD + " - Example Times", GOOD.upper(), BAD)
    made = registry(clock, Says("newsapi", copies, kind="news"), kept=True)
    with_copies = made.get_sentiment("ACME")
    alone = registry(Clock(), Says("newsapi", stories(GOOD, BAD), kind="news")).get_sentiment("ACME")
    assert NewsItem.objects.count() >= 2
    assert with_copies.value == pytest.approx(alone.value, abs=0.02)


def test_old_items_fade(clock):
    made = registry(clock, Says("newsapi", stories(GOOD), kind="news"), kept=True)
    fresh = made.get_sentiment("ACME")
    clock.pass_(24 * 3_600.0)
    old = made.get_sentiment("ACME")
    assert old.confidence < fresh.confidence / 10
    clock.pass_(25 * 3_600.0)
    assert made.get_sentiment("ACME") is None


def test_words_no_database_takes_are_cleaned_on_the_way(both, outside, clock):
    outside.articles = [article("Acme \x00 wins \ud83d big", text="\x00" * 9, outlet="Acme\x00 Daily")]
    sentiment_sources.make_registry(["newsapi"], clock=clock).get_sentiment("ACME")
    item = NewsItem.objects.get()
    assert (item.title, item.text, item.outlet) == ("Acme wins ? big", "", "Acme Daily")
