"""What one process learns of a provider every other knows: rows and memory keep the same books."""

import datetime as dt
import threading

import pytest
from django.db import connection

from tests.trading.news.fakes import Says, registry, word
from trading.adapters.news.errors import Barred, Rationed, Refused, Transient
from trading.core.breakers import Rule
from trading.core.provider_health import Limits
from trading.core.token_bucket import per_minute
from trading.models import NewsProvider
from trading.services import sentiment_gates
from trading.services.sentiment_gates import Gate

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["rows", "memory"])
def gates(request, clock):
    """Two gates over one store: two processes, or two threads of one."""
    store = sentiment_gates.Rows() if request.param == "rows" else sentiment_gates.Memory()
    made = [Gate(store, clock=clock) for _ in range(2)]
    for each in made:
        each.limits["newsapi"] = Limits(per_minute(3), Rule(2, 600.0))
    return made


def fails(gate, times=1):
    for _ in range(times):
        gate.admit("newsapi")
        gate.failed("newsapi", Transient("newsapi", "no answer"))


def test_a_circuit_that_opens_here_is_open_there(gates):
    here, there = gates
    fails(here, 2)
    with pytest.raises(Barred, match=r"its circuit is open until 12:10:00 IST"):
        there.admit("newsapi")


def test_only_one_of_two_probes(gates, clock):
    here, there = gates
    fails(here, 2)
    clock.pass_(600.0)
    assert here.admit("newsapi") is True
    with pytest.raises(Barred, match="half-open"):
        there.admit("newsapi")
    here.succeeded("newsapi", 12.0)
    assert there.admit("newsapi") is False


def test_a_probe_that_was_not_made_leaves_its_place_to_the_other(gates, clock):
    here, there = gates
    fails(here, 2)
    clock.pass_(600.0)
    here.admit("newsapi")
    here.failed("newsapi", Rationed("newsapi", "spent"))
    assert there.admit("newsapi") is True
    there.release("newsapi")
    assert here.admit("newsapi") is True


def test_the_ration_is_one_for_all(gates, clock):
    here, there = gates
    for gate in (here, there, here):
        gate.spend("newsapi")
    with pytest.raises(Rationed, match="3 requests a minute") as caught:
        there.spend("newsapi")
    assert caught.value.retry_after == pytest.approx(20.0)
    clock.pass_(20.0)
    there.spend("newsapi")


def test_what_each_saw_adds_up(gates, clock):
    here, there = gates
    here.succeeded("newsapi", 100.0)
    there.succeeded("newsapi", 100.0)
    there.failed("newsapi", Refused("newsapi", "HTTP 400"))
    here.count({"newsapi": (3, 1), "nobody": (1, 1)})
    there.count({"newsapi": (0, 0)})
    state = here.health()["newsapi"]
    assert (state.successes, state.failures, state.cache_hits, state.cache_misses) == (2, 1, 3, 1)
    assert state == there.health()["newsapi"]
    assert state.last_success == clock().timestamp()
    assert state.last_error == "newsapi: HTTP 400"


def test_a_provider_nobody_asked_is_well(gates):
    assert gates[0].health()["newsapi"].healthy


def test_rows_survive_a_restart(clock):
    dead = Says("newsapi", Refused("newsapi", "HTTP 400"))
    before = registry(clock, dead, kept=True, threshold=2)
    for k in range(2):
        before.get_sentiment(f"S{k}")
    after = registry(clock, Says("newsapi", word(0.4)), kept=True, threshold=2)
    assert after.get_sentiment("TCS") is None
    assert after.get_provider_health()["newsapi"]["circuit"] == "open"
    row = NewsProvider.objects.get()
    assert (row.circuit, row.failures_in_row, str(row)) == ("open", 2, "newsapi: open")
    assert row.last_failure_at == clock()


def test_a_long_error_fits_its_row(clock):
    made = registry(clock, Says("newsapi", Refused("newsapi", "x" * 900)), kept=True)
    made.get_sentiment("TCS")
    assert len(NewsProvider.objects.get().last_error) == 300


def test_moments_are_kept_to_the_microsecond(clock):
    clock.at += dt.timedelta(microseconds=123_457)
    made = registry(clock, Says("newsapi", word(0.4)), kept=True)
    made.get_sentiment("TCS")
    assert NewsProvider.objects.get().last_success_at == clock()


@pytest.mark.django_db(transaction=True)
def test_threads_that_ask_at_once_never_take_more_than_there_is(clock):
    taken, start = [], threading.Barrier(5)

    def work():
        gate = Gate(sentiment_gates.Rows(), clock=clock)
        gate.limits["newsapi"] = Limits(per_minute(12))
        start.wait()
        try:
            for _ in range(5):
                gate.spend("newsapi")
                taken.append(1)
        except Rationed:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 12
    assert NewsProvider.objects.get().requests == 12
