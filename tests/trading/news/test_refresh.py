"""News beside the engine: asked for in time, said once when nobody answers, and never waited for."""

import datetime as dt
import logging
import threading

import pytest

from tests.trading.news.fakes import Says, registry, word
from tests.trading.news.server import NOON
from trading.adapters.news.errors import Refused
from trading.models import Condition, EngineRun, NewsCall, SentimentScore
from trading.selectors.sentiment import failures_since
from trading.services import sentiment_refresh
from trading.services.sentiment import Stopping
from trading.services.sentiment_board import Board
from trading.services.sentiment_refresh import Refresher, followed, watch

pytestmark = pytest.mark.django_db
NO = Refused("newsapi", "HTTP 400")


@pytest.fixture
def refresher(clock):
    """A refresher over providers, one symbol, its board and its stop."""

    def make(*providers, symbols=("ACME",), **more):
        made = registry(clock, *providers, kept=True, **more)
        return Refresher(made, lambda: symbols, stop=threading.Event(), clock=clock, board=Board())

    return make


def test_a_round_asks_about_every_symbol_and_loads_the_board(refresher, clock):
    news = Says("newsapi", word(0.4))
    one = refresher(news, symbols=("ACME", "TCS", "ACME"))
    one.round()
    assert [asked.symbol for asked in news.asked] == ["ACME", "TCS"]
    assert one.board.value("TCS", clock().timestamp() + 3.0) == 0.4


def test_what_another_process_was_told_is_on_the_board_a_second_later(refresher, clock):
    one = refresher(Says("newsapi", word(0.4)))
    one.round()
    clock.pass_(10.0)
    SentimentScore.objects.create(symbol="ACME", at=clock(), value=-0.9, confidence=0.8)
    one.round()
    assert one.board.value("ACME", clock().timestamp() + 3.0) == -0.9


def test_a_symbol_is_asked_about_again_when_its_score_goes_stale(refresher, clock):
    news = Says("newsapi", word(0.4))
    one = refresher(news, ttl=600.0)
    for seconds in (0.0, 300.0, 299.0):
        clock.pass_(seconds)
        one.round()
    assert len(news.asked) == 1
    clock.pass_(1.0)
    one.round()
    assert len(news.asked) == 2


def test_at_night_an_hour_is_soon_enough(refresher, clock):
    clock.at = NOON.replace(hour=20)
    news = Says("newsapi", word(0.4))
    one = refresher(news, ttl=600.0)
    one.round()
    clock.pass_(3_599.0)
    one.round()
    assert len(news.asked) == 1
    clock.pass_(1.0)
    one.round()
    assert len(news.asked) == 2


def test_after_a_failure_it_is_tried_again_within_a_minute(refresher, clock):
    news = Says("newsapi", NO, word(0.4))
    one = refresher(news)
    one.round()
    clock.pass_(59.0)
    one.round()
    assert len(news.asked) == 1
    clock.pass_(1.0)
    one.round()
    assert SentimentScore.objects.first().value == 0.4


def test_that_nobody_answers_is_said_once_and_closed_when_somebody_does(refresher, clock, caplog):
    news = Says("newsapi", NO, NO, NO, word(0.4))
    one = refresher(news)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            one.round()
            clock.pass_(60.0)
    raised = [record for record in caplog.records if record.getMessage() == "condition raised"]
    assert len(raised) == 1
    row = Condition.objects.get()
    assert (row.code, row.level, row.until) == ("sentiment-down", "warn", None)
    assert "no provider of news answers: newsapi: HTTP 400" in row.message
    one.round()
    row.refresh_from_db()
    assert row.until == clock()


def test_as_long_as_one_answers_nothing_is_said(refresher):
    refresher(Says("newsapi", NO), Says("twitter", word(0.1))).round()
    assert not Condition.objects.exists()


def test_too_many_failures_within_an_hour_are_what_rule_three_alerts_on(refresher, clock):
    one = refresher(Says("newsapi", NO), Says("twitter", word(0.1)), symbols=tuple("ABCD"))
    one.round()
    assert failures_since(clock() - dt.timedelta(hours=1)) == 4
    assert not Condition.objects.exists()
    clock.pass_(60.0)
    one.round()
    row = Condition.objects.get()
    assert (row.code, row.message) == ("sentiment-failures-high", "5 calls to providers of news failed within an hour")
    clock.pass_(3_700.0)
    watch(one.registry, at=clock())
    assert not Condition.objects.filter(until=None).exists()


def test_without_providers_nobody_is_missed(refresher):
    one = refresher()
    one.round()
    assert not Condition.objects.exists()


def test_a_stop_ends_a_round_between_two_symbols(refresher):
    one = refresher(Says("newsapi", word(0.4)), symbols=("ACME", "TCS"))
    one.stop.set()
    with pytest.raises(Stopping):
        one.round()
    assert not NewsCall.objects.exists()


def test_a_round_that_breaks_is_logged_and_the_next_one_comes(refresher, caplog):
    one = refresher(Says("newsapi", word(0.4)))
    rounds = []

    def symbols():
        rounds.append(1)
        if len(rounds) == 1:
            raise ZeroDivisionError
        one.stop.set()
        return ()

    one.symbols = symbols
    one.stop.wait = lambda seconds: None
    with caplog.at_level(logging.CRITICAL):
        one()
    assert len(rounds) == 2


def test_the_symbols_are_those_of_the_settings_and_of_runs_that_follow_the_market(with_settings):
    with_settings(symbols=("INFY",))
    usual = {"interval": "5minute", "strategy": "intraday", "capital": 1, "started_at": NOON, "source": "x"}
    for name, mode, state, symbol in (
        ("a", "dry-run", "running", "ACME"), ("b", "replay", "running", "OLD"), ("c", "live", "finished", "GONE"),
    ):  # fmt: skip
        EngineRun.objects.create(name=name, mode=mode, state=state, plan={"wanted": {"symbols": [symbol]}}, **usual)
    assert followed() == ["INFY", "ACME"]


def test_a_desk_without_providers_starts_no_thread():
    before = threading.active_count()
    with sentiment_refresh.beside("dry-run"):
        assert threading.active_count() == before
    sentiment_refresh.serve(threading.Event())


def test_a_replay_reads_what_was_kept_and_asks_nobody(both, outside):
    with sentiment_refresh.beside("replay"):
        assert outside.seen == []


@pytest.mark.django_db(transaction=True)
def test_the_thread_beside_an_engine_asks_keeps_and_ends_with_it(both, outside):
    asked = threading.Event()
    outside.articles = []
    with sentiment_refresh.beside("dry-run"):
        (thread,) = (each for each in threading.enumerate() if each.name == "news")
        for _ in range(100):
            if len({each["api"] for each in outside.seen}) == 2 and SentimentScore.objects.exists():
                break
            asked.wait(0.05)
    thread.join(5)
    assert not thread.is_alive()
    assert SentimentScore.objects.get().reason == "no news"


@pytest.mark.django_db(transaction=True)
def test_a_back_off_does_not_keep_the_process_from_ending(both, outside):
    outside.always["newsapi"] = outside.always["twitter"] = ("status", 503)
    waiting = threading.Event()
    with sentiment_refresh.beside("dry-run"):
        (thread,) = (each for each in threading.enumerate() if each.name == "news")
        for _ in range(100):
            if outside.seen:
                break
            waiting.wait(0.02)
    thread.join(5)
    assert not thread.is_alive()
