"""The desk's registry is what the settings say, over the real APIs' words."""

import subprocess
import sys

import pytest

from sensequant.config import ROOT
from tests.trading.news.server import article, post
from trading.models import Instrument, NewsItem
from trading.services import sentiment_sources
from trading.services.sentiment_sources import company_names, enabled, make_registry

pytestmark = pytest.mark.django_db


def test_without_settings_nobody_is_asked():
    assert enabled() == ()


def test_the_order_is_that_of_the_settings_and_the_stub_is_on_when_it_is_named(with_settings):
    with_settings(
        sentiment_enable_newsapi=True, sentiment_enable_twitter=True,
        sentiment_provider_fallback_order=("twitter", "stub", "newsapi"),
    )  # fmt: skip
    assert enabled() == ("twitter", "stub", "newsapi")


def test_one_that_is_switched_on_and_left_out_of_the_order_comes_last(with_settings):
    with_settings(
        sentiment_enable_newsapi=True, sentiment_enable_twitter=True, sentiment_provider_fallback_order=("twitter",)
    )
    assert enabled() == ("twitter", "newsapi")


def test_weights_times_and_limits_come_from_the_settings(both, with_settings, clock):
    with_settings(
        sentiment_provider_weights={"newsapi": 0.7}, sentiment_cache_ttl_seconds={"newsapi": 5.0},
        sentiment_circuit_breaker_threshold=2, sentiment_circuit_breaker_cooldown=7, sentiment_newsapi_rate_limit=9,
    )  # fmt: skip
    made = make_registry(enabled(), clock=clock)
    first, second = made.sources
    assert (first.name, first.weight, first.ttl, first.priority) == ("newsapi", 0.7, 5.0, 0)
    assert (second.name, second.weight, second.ttl, second.priority) == ("twitter", 1.0, 3_600.0, 1)
    assert (made.rule.threshold, made.rule.cooldown) == (2, 420.0)
    assert made.gate.limits["newsapi"].bucket.capacity == 9.0


def test_both_apis_together_make_one_score(both, outside, clock):
    Instrument.objects.create(symbol="ACME", name="ACME WIDGETS LIMITED")
    outside.articles = [article("Acme Widgets profit surges to a record", 20)]
    outside.posts = [post("Bullish on $ACME, great growth", 20, likes=50)]
    score = make_registry(enabled(), clock=clock).get_sentiment("ACME")
    assert score.source == "hybrid[newsapi,twitter]"
    assert score.value > 0.3
    assert outside.asked("newsapi")[0]["query"]["q"] == '"Acme Widgets" OR "ACME"'
    assert '"Acme Widgets"' in outside.asked("twitter")[0]["query"]["query"]
    assert NewsItem.objects.get(provider="twitter").weight > 1.0


def test_one_api_s_bad_day_leaves_the_other_s_word(both, outside, clock):
    outside.articles = [article("Acme profit surges", 20)]
    outside.always["twitter"] = ("status", 401)
    made = make_registry(enabled(), clock=clock)
    assert made.get_sentiment("ACME").source == "newsapi"
    assert "HTTP 401" in made.get_provider_health()["twitter"]["last_error"]


def test_a_server_that_recovers_within_the_back_off_is_not_even_noticed(both, outside, clock):
    outside.articles = [article("Acme profit surges", 20)]
    outside.faults["newsapi"] = [("status", 503), ("drop",), ("status", 500)]
    made = make_registry(["newsapi"], clock=clock, sleep=clock.sleep)
    assert made.get_sentiment("ACME").source == "newsapi"
    assert clock.slept == [1.0, 2.0, 4.0]
    assert made.get_provider_health()["newsapi"]["consecutive_failures"] == 0


def test_the_process_has_one_registry_until_its_settings_change(both, with_settings, clock):
    first = sentiment_sources.desk_registry(clock)
    assert sentiment_sources.desk_registry(clock) is first
    with_settings(sentiment_enable_twitter=False)
    assert sentiment_sources.desk_registry(clock).fallback_order == ["newsapi"]


def test_a_company_is_known_by_the_master_and_by_what_headlines_say():
    Instrument.objects.create(symbol="TATASTEEL", name="TATA STEEL LIMITED")
    assert company_names("TATASTEEL") == ("Tata Steel",)
    assert company_names("INFY") == ("Infosys",)
    assert company_names("NOBODY") == ()


def test_neither_the_engine_nor_the_pages_load_what_asks_the_providers_until_one_is_asked():
    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; import django; django.setup(); "
        "import trading.services.runner, trading.services.sentiment_refresh, sensequant.asgi, sensequant.urls; "
        "assert not {'httpx', 'httpcore'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
