"""One provider's health: what every call leaves behind, and what the rates come to."""

import pytest

from trading.core import provider_health as health
from trading.core.breakers import Circuit, Rule
from trading.core.provider_health import Limits
from trading.core.token_bucket import per_minute

LIMITS = Limits(per_minute(2), Rule(2, 600.0))


def fresh():
    return health.fresh(LIMITS, 0.0)


def test_a_provider_never_asked_is_well():
    assert (fresh().success_rate, fresh().error_rate, fresh().hit_rate, fresh().healthy) == (100.0, 0.0, 0.0, True)


def test_answers_and_failures_make_the_rates():
    state = fresh()
    for _ in range(3):
        state = health.succeeded(state, 10.0, 200.0)
    state = health.failed(state, LIMITS, 20.0, "no answer")
    assert (state.success_rate, state.error_rate) == (75.0, 25.0)
    assert (state.last_success, state.last_failure, state.last_error) == (10.0, 20.0, "no answer")
    assert state._replace(cache_hits=9, cache_misses=1).hit_rate == 90.0


def test_the_latency_is_a_running_average():
    state = health.succeeded(fresh(), 1.0, 100.0)
    assert state.latency_ms == 100.0
    assert health.succeeded(state, 2.0, 200.0).latency_ms == pytest.approx(120.0)


def test_an_opening_is_counted_once_and_bars_the_next_call():
    state = health.failed(health.failed(fresh(), LIMITS, 1.0, "x"), LIMITS, 2.0, "x")
    assert (state.openings, state.breaker.state) == (1, Circuit.OPEN)
    assert health.admit(state, LIMITS, 3.0)[1] == "its circuit is open"
    assert not state.healthy


def test_who_asks_us_to_wait_is_left_alone_so_long_but_never_for_hours():
    state = health.failed(fresh(), LIMITS, 100.0, "429", pause=30.0)
    assert health.admit(state, LIMITS, 129.0)[1] == "it asked us to wait"
    assert health.admit(state, LIMITS, 130.0)[1] == ""
    greedy = health.failed(fresh(), LIMITS, 100.0, "429", pause=1e9)
    assert greedy.paused_until == 100.0 + health.LONGEST_PAUSE


def test_an_answer_ends_the_waiting():
    state = health.failed(fresh(), LIMITS, 100.0, "429", pause=30.0)
    assert health.succeeded(state, 110.0, 5.0).paused_until == 0.0


def test_a_spent_ration_denies_and_counts_no_request():
    state = fresh()
    for _ in range(2):
        state, wait = health.spend(state, LIMITS, 0.0)
        assert wait == 0.0
    state, wait = health.spend(state, LIMITS, 0.0)
    assert (wait, state.requests) == (30.0, 2)


def test_a_probe_that_was_never_made_frees_its_place():
    state = health.failed(health.failed(fresh(), LIMITS, 1.0, "x"), LIMITS, 2.0, "x")
    probing, why = health.admit(state, LIMITS, 700.0)
    assert why == ""
    assert health.admit(probing, LIMITS, 701.0)[1] == "its circuit is half-open"
    assert health.admit(health.released(probing), LIMITS, 701.0)[1] == ""
    assert health.released(fresh()) == fresh()
