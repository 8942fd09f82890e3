"""The registry: order, weights, fallback, patience, circuit, cache and last resort, as §13.5–13.13 tell them."""

import logging
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.news.conftest import Clock
from tests.trading.news.fakes import NOTHING, Says, registry, stories, word
from trading.adapters.news.errors import KeyRefused, OutOfReach, RateLimited, Refused, Transient, Unreadable
from trading.services.sentiment import ATTEMPTS, LAST_RESORT, Stopping

pytestmark = pytest.mark.django_db  # a registry in memory asks no row; the ledger's imports do not mind


def down(name="newsapi"):
    return Transient(name, "no answer within 5 s")


@pytest.fixture
def pair(clock):
    """NewsAPI and Twitter as in the document."""
    news, tweets = Says("newsapi", word(0.45, 0.8)), Says("twitter", word(0.62, 0.9))
    return registry(clock, news, tweets, weights=(0.6, 0.4)), news, tweets


def test_several_words_are_averaged_by_weight(pair):
    score = pair[0].get_sentiment("RELIANCE")
    assert (score.value, score.confidence) == (pytest.approx(0.518), pytest.approx(0.85))
    assert (score.source, score.stale) == ("hybrid[newsapi,twitter]", False)
    assert [part.name for part in score.parts] == ["newsapi", "twitter"]


def test_without_averaging_the_first_that_answers_counts_and_the_others_are_not_asked(pair):
    everyone, news, tweets = pair
    assert everyone.get_sentiment("RELIANCE", use_weighted_average=False).source == "newsapi"
    assert (len(news.asked), len(tweets.asked)) == (1, 0)


def test_providers_are_asked_in_the_order_of_their_priority(clock):
    made = registry(clock)
    for name, priority in (("c", 2), ("a", 0), ("b", 1)):
        made.register(name, Says(name, word(0.1)), priority=priority)
    assert made.fallback_order == ["a", "b", "c"]
    made.unregister("b")
    made.unregister("nobody")
    assert made.fallback_order == ["a", "c"]


def test_registering_again_replaces(clock):
    made = registry(clock, Says("newsapi", word(0.1)))
    made.register("newsapi", Says("newsapi", word(0.9)), weight=0.2)
    assert made.fallback_order == ["newsapi"]
    assert made.get_sentiment("TCS").value == 0.9


def test_one_that_fails_is_passed_over_and_the_weights_of_the_others_add_up_to_one(clock):
    made = registry(clock, Says("newsapi", Refused("newsapi", "no")), Says("twitter", word(0.62)), weights=(0.6, 0.4))
    score = made.get_sentiment("RELIANCE")
    assert (score.value, score.source) == (0.62, "twitter")


def test_one_that_has_nothing_to_say_did_not_fail_and_takes_no_part(clock):
    quiet = Says("newsapi", NOTHING)
    made = registry(clock, quiet, Says("twitter", word(0.3)))
    assert made.get_sentiment("TCS").source == "twitter"
    assert made.get_sentiment("TCS").source == "twitter"
    assert len(quiet.asked) == 1
    assert made.get_provider_health()["newsapi"]["consecutive_failures"] == 0


def test_transient_errors_are_met_after_one_two_and_four_seconds(clock):
    flaky = Says("newsapi", down(), down(), down(), word(0.4))
    assert registry(clock, flaky).get_sentiment("TCS").value == 0.4
    assert clock.slept == [1.0, 2.0, 4.0]
    assert len(flaky.asked) == ATTEMPTS


def test_three_retries_are_all_there_are(clock):
    dead = Says("newsapi", down())
    assert registry(clock, dead).get_sentiment("TCS") is None
    assert (len(dead.asked), clock.slept) == (4, [1.0, 2.0, 4.0])


@pytest.mark.parametrize(
    "error",
    [
        KeyRefused("newsapi", "HTTP 401"), Refused("newsapi", "HTTP 404"), Unreadable("newsapi", "not JSON"),
        RateLimited("newsapi", "HTTP 429", retry_after=5.0), OutOfReach("newsapi", "too old"),
    ],
)  # fmt: skip
def test_errors_that_are_not_transient_are_not_repeated(clock, error):
    stubborn = Says("newsapi", error)
    assert registry(clock, stubborn).get_sentiment("TCS") is None
    assert (len(stubborn.asked), clock.slept) == (1, [])


def test_a_whole_call_counts_as_one_failure_however_often_it_was_tried(clock):
    made = registry(clock, Says("newsapi", down()))
    made.get_sentiment("TCS")
    health = made.get_provider_health()["newsapi"]
    assert (health["consecutive_failures"], health["failed_requests"], health["total_requests"]) == (1, 1, 4)


def test_after_five_failures_the_circuit_opens_and_the_provider_is_passed_over(clock, caplog):
    dead, alive = Says("newsapi", Refused("newsapi", "HTTP 400")), Says("twitter", word(0.2))
    made = registry(clock, dead, alive)
    with caplog.at_level(logging.WARNING):
        for k in range(8):
            assert made.get_sentiment(f"S{k}").source == "twitter"
    health = made.get_provider_health()["newsapi"]
    assert (len(dead.asked), health["circuit_breaker_open"], health["is_healthy"]) == (5, True, False)
    assert sum("Circuit breaker OPEN" in record.getMessage() for record in caplog.records) == 1


def test_after_the_cooldown_one_attempt_probes_and_closes_it(clock):
    ill = Says("newsapi", *[Refused("newsapi", "x")] * 5, word(0.5))
    made = registry(clock, ill)
    for k in range(5):
        made.get_sentiment(f"S{k}")
    clock.pass_(1_799.0)
    assert made.get_sentiment("TCS") is None
    clock.pass_(1.0)
    assert made.get_sentiment("TCS").value == 0.5
    assert made.get_provider_health()["newsapi"]["circuit"] == "closed"


def test_a_failed_probe_is_one_attempt_and_begins_the_cooldown_anew(clock):
    dead = Says("newsapi", down())
    made = registry(clock, dead)
    for k in range(5):
        made.get_sentiment(f"S{k}")
    before = len(dead.asked)
    clock.pass_(1_800.0)
    assert made.get_sentiment("TCS") is None
    assert len(dead.asked) == before + 1
    clock.pass_(1_799.0)
    made.get_sentiment("TCS")
    assert len(dead.asked) == before + 1
    assert made.get_provider_health()["newsapi"]["times_opened"] == 2


def test_who_asks_us_to_wait_is_not_asked_until_then(clock):
    busy = Says("newsapi", RateLimited("newsapi", "HTTP 429", retry_after=120.0), word(0.3))
    made = registry(clock, busy)
    assert made.get_sentiment("TCS") is None
    clock.pass_(119.0)
    assert made.get_sentiment("TCS") is None
    assert len(busy.asked) == 1
    clock.pass_(1.0)
    assert made.get_sentiment("TCS").value == 0.3


def test_a_spent_ration_passes_the_provider_over_without_blame(clock):
    rare, often = Says("newsapi", word(0.9), rate=1), Says("twitter", word(0.1))
    made = registry(clock, rare, often)
    made.get_sentiment("A")
    assert made.get_sentiment("B").source == "twitter"
    assert made.get_provider_health()["newsapi"]["consecutive_failures"] == 0
    clock.pass_(60.0)
    assert made.get_sentiment("C").source == "hybrid[newsapi,twitter]"


def test_a_fresh_word_is_not_asked_for_again(pair, clock):
    everyone, news, _ = pair
    first = everyone.get_sentiment("RELIANCE")
    clock.pass_(599.0)
    again = everyone.get_sentiment("RELIANCE")
    assert (again.value, len(news.asked)) == (first.value, 1)
    clock.pass_(1.0)
    everyone.get_sentiment("RELIANCE")
    assert len(news.asked) == 2


def test_each_provider_has_a_time_to_live_of_its_own(clock):
    long, short = Says("newsapi", word(0.1)), Says("twitter", word(0.2))
    made = registry(clock, ttl=3_600.0)
    made.register("newsapi", long, ttl=3_600.0)
    made.register("twitter", short, ttl=60.0, priority=1)
    made.get_sentiment("TCS")
    clock.pass_(61.0)
    made.get_sentiment("TCS")
    assert (len(long.asked), len(short.asked)) == (1, 2)


def test_being_forced_asks_even_what_is_fresh(pair):
    everyone, news, _ = pair
    everyone.get_sentiment("RELIANCE")
    everyone.get_sentiment("RELIANCE", force=True)
    assert len(news.asked) == 2


def test_when_nobody_answers_the_last_word_counts_ever_less(clock):
    fading = Says("newsapi", word(0.6, 0.8), down())
    made = registry(clock, fading, ttl=60.0)
    made.get_sentiment("TCS")
    clock.pass_(3_600.0)
    old = made.get_sentiment("TCS")
    assert (old.value, old.stale) == (0.6, True)
    assert old.confidence == pytest.approx(0.8 * 0.5 ** (3_607.0 / 21_600.0))
    assert old.metadata["age_s"] == 3_607
    clock.pass_(LAST_RESORT)
    assert made.get_sentiment("TCS") is None


def test_when_nobody_ever_answered_there_is_no_score(clock):
    made = registry(clock, Says("newsapi", down()), Says("twitter", down("twitter")))
    assert made.get_sentiment("TCS") is None


def test_a_desk_without_providers_has_no_score(clock):
    assert registry(clock).get_sentiment("TCS") is None
    assert registry(clock).get_provider_health() == {}


def test_no_news_is_no_score_and_the_old_one_is_not_used_instead(clock):
    made = registry(clock, Says("newsapi", word(0.9), NOTHING), ttl=60.0)
    made.get_sentiment("TCS")
    clock.pass_(61.0)
    assert made.get_sentiment("TCS") is None


def test_an_adapter_that_breaks_is_passed_over_like_any_failure(clock, caplog):
    broken, alive = Says("newsapi", ZeroDivisionError("by zero")), Says("twitter", word(0.2))
    made = registry(clock, broken, alive)
    with caplog.at_level(logging.CRITICAL):
        assert made.get_sentiment("TCS").source == "twitter"
    assert "ZeroDivisionError: by zero" in made.get_provider_health()["newsapi"]["last_error"]


def test_a_process_that_stops_gives_up_without_blaming_anybody(clock):
    made = registry(clock, Says("newsapi", down()))

    def stop(_):
        raise Stopping

    made.sleep = stop
    with pytest.raises(Stopping):
        made.get_sentiment("TCS")
    assert made.get_provider_health()["newsapi"]["consecutive_failures"] == 0


def test_two_threads_do_not_ask_the_same_thing_at_once(clock):
    entered, leave = threading.Event(), threading.Event()

    class Slow(Says):
        def fetch(self, question, ration):
            entered.set()
            leave.wait(5)
            return super().fetch(question, ration)

    slow, concluded = Slow("newsapi", word(0.4)), []
    made = registry(clock, slow)
    made.ledger.conclude = lambda symbol, score, **_: concluded.append((symbol, score and score.value))
    first = threading.Thread(target=made.get_sentiment, args=("TCS",))
    first.start()
    assert entered.wait(5)
    assert made.get_sentiment("TCS") is None  # it does not wait either
    leave.set()
    first.join()
    assert len(slow.asked) == 1
    assert made.get_sentiment("TCS").value == 0.4
    assert concluded == [("TCS", 0.4)]  # that one thread found nobody to ask is no word about the news


def test_health_is_told_as_the_document_lays_it_out(pair, clock):
    everyone, _, _ = pair
    everyone.get_sentiment("RELIANCE")
    health = everyone.get_provider_health()["newsapi"]
    wanted = {
        "is_healthy": True, "circuit_breaker_open": False, "success_rate": 100.0, "error_rate": 0.0,
        "consecutive_failures": 0, "last_success": clock(), "last_error": None,
    }  # fmt: skip
    assert {name: health[name] for name in wanted} == wanted
    assert health["avg_latency_ms"] >= 0.0


def test_looks_into_the_cache_are_counted_with_the_provider(pair):
    everyone, _, _ = pair
    for _ in range(4):
        everyone.get_sentiment("RELIANCE")
    everyone.tidy()
    health = everyone.get_provider_health()["newsapi"]
    assert (health["cache_hits"], health["cache_misses"], health["cache_hit_rate"]) == (3, 1, 75.0)


def test_the_names_of_the_company_reach_the_provider(clock):
    news = Says("newsapi", NOTHING)
    made = registry(clock, news)
    made.names = lambda symbol: ("Infosys",)
    made.get_sentiment("INFY")
    (asked,) = news.asked
    assert (asked.symbol, asked.names) == ("INFY", ("Infosys",))
    assert (asked.until - asked.since).total_seconds() == 172_800.0


def test_stories_are_scored_and_combined(clock):
    made = registry(clock, Says("newsapi", stories("Acme profit surges on record growth"), kind="news"))
    assert made.get_sentiment("ACME").value > 0.0


@given(st.lists(st.sampled_from(["ok", "fail", "quiet"]), min_size=1, max_size=3))
def test_whoever_answers_the_score_is_theirs_alone(fates):
    said = {"ok": word(0.5), "fail": Refused("x", "no"), "quiet": NOTHING}
    made = registry(Clock(), *(Says(f"p{k}", said[fate]) for k, fate in enumerate(fates)))
    score = made.get_sentiment("TCS")
    speakers = [f"p{k}" for k, fate in enumerate(fates) if fate == "ok"]
    assert ([part.name for part in score.parts] if score else []) == speakers
