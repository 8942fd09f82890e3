"""A server that is away is told from a bug, said once, and waited for ever more slowly."""

import threading

import psycopg
import pytest
import redis
from django.db import InterfaceError, OperationalError, ProgrammingError

from sensequant.lib import outage
from sensequant.lib.logs import get_logger


def raised(error, cause=None):
    try:
        raise error from cause
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    ("cause", "away"),
    [
        (psycopg.OperationalError("connection refused"), True),
        (psycopg.errors.AdminShutdown("terminating connection"), True),
        (psycopg.errors.CannotConnectNow("starting up"), True),
        (psycopg.errors.TooManyConnections("sorry"), True),
        (psycopg.errors.LockNotAvailable("a lock took too long"), False),
        (psycopg.errors.QueryCanceled("statement timeout"), False),
        (psycopg.errors.DeadlockDetected("deadlock"), False),
        (None, False),
    ],
)
def test_only_a_database_that_is_not_there_is_away(cause, away):
    assert outage.is_away(raised(OperationalError("said"), cause)) is away


def test_a_refusal_is_no_outage_and_what_came_of_one_is():
    assert not outage.is_outage(raised(ProgrammingError("no such table")))
    assert not outage.is_outage(None)
    assert outage.is_outage(raised(InterfaceError("connection already closed")))
    assert outage.is_outage(raised(RuntimeError("the broker"), redis.exceptions.ConnectionError("refused")))


@pytest.mark.django_db(transaction=True)
def test_an_absence_is_said_once_waited_for_ever_longer_and_its_end_is_said_once(caplog):
    missing = outage.Outage("the database", get_logger("story"))
    error = OperationalError("connection refused")
    assert [missing.away(error) for _ in range(7)] == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    missing.back()
    missing.back()
    said = [each.getMessage() for each in caplog.records if "server" in each.getMessage()]
    assert len(said) == 2
    assert missing.pause == outage.FIRST


@pytest.mark.django_db(transaction=True)
def test_who_is_told_to_stop_stops_waiting():
    missing, stop = outage.Outage("the database", get_logger("story")), threading.Event()
    assert outage.wait(missing, OperationalError("connection refused"), stop)
    stop.set()
    assert not outage.wait(missing, OperationalError("connection refused"), stop)


@pytest.fixture
def no_redis(settings):
    """The desk's cache at a Redis that is not there."""
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"},
        "process": settings.CACHES["process"],
    }


@pytest.mark.django_db
def test_while_redis_is_away_pages_answer_and_each_process_counts_requests_for_itself(client, no_redis, monkeypatch):
    monkeypatch.setattr("sensequant.limits.ADDRESS", 3)
    assert [client.get("/login").status_code for _ in range(4)] == [200, 200, 200, 429]


@pytest.mark.django_db
def test_a_program_that_asks_while_the_database_is_away_is_told_to_come_again(client, django_user_model, monkeypatch):
    def away(*_, **__):
        raise OperationalError("connection refused") from psycopg.OperationalError("connection refused")

    client.force_login(django_user_model.objects.create_user("asha", is_superuser=True, is_staff=True))
    monkeypatch.setattr("trading.api.orders.matching", away)
    answer = client.get("/api/v1/orders")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:sensequant:unavailable"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/orders", "/api/v1/orders"])
def test_while_nobody_can_be_known_everybody_is_told_to_come_again(client, django_user_model, monkeypatch, path):
    def away(*_, **__):
        raise OperationalError("connection refused") from psycopg.OperationalError("connection refused")

    client.force_login(django_user_model.objects.create_user("asha"))
    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", away)
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "the database does not answer" in answer.content.decode().lower()
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_page_for_strangers_that_misses_the_database_while_it_is_made_says_503_too(client, monkeypatch, caplog):
    def away(*_, **__):
        raise OperationalError("connection refused") from psycopg.OperationalError("connection refused")

    monkeypatch.setattr("trading.selectors.live.newest", away)
    answer = client.get("/login")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert not [each for each in caplog.records if each.exc_info]
