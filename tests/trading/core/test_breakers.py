"""The circuit breaker's table: when it opens, who probes, and when it closes again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.breakers import NEXT, Breaker, Circuit, Rule, admit, failed, may_become, succeeded

RULE = Rule(threshold=3, cooldown=1_800.0, probe=60.0)
CLOSED, OPEN, HALF_OPEN = Circuit.CLOSED, Circuit.OPEN, Circuit.HALF_OPEN


def opened(at=0.0):
    breaker = Breaker()
    for _ in range(3):
        breaker = failed(breaker, RULE, at)
    return breaker


def test_it_opens_with_the_threshold_and_not_before():
    two = failed(failed(Breaker(), RULE, 0.0), RULE, 1.0)
    assert (two.state, two.failures) == (CLOSED, 2)
    three = failed(two, RULE, 2.0)
    assert three == Breaker(OPEN, 3, 1_802.0)


def test_an_answer_forgets_the_failures_before_it():
    assert succeeded(failed(failed(Breaker(), RULE, 0.0), RULE, 1.0)) == Breaker()


def test_an_open_circuit_lets_nobody_through_until_its_cooldown_is_over():
    assert admit(opened(), RULE, 1_799.9) == (opened(), False)
    probing, passes = admit(opened(), RULE, 1_800.0)
    assert passes
    assert (probing.state, probing.until) == (HALF_OPEN, 1_860.0)


def test_one_request_probes_and_nobody_else_asks_meanwhile():
    probing, _ = admit(opened(), RULE, 1_800.0)
    assert admit(probing, RULE, 1_801.0)[1] is False


def test_a_prober_that_died_is_replaced_when_its_time_is_up():
    probing, _ = admit(opened(), RULE, 1_800.0)
    assert admit(probing, RULE, 1_861.0)[1] is True


def test_a_probe_that_is_answered_closes_the_circuit():
    probing, _ = admit(opened(), RULE, 1_800.0)
    assert succeeded(probing) == Breaker()


def test_a_probe_that_fails_begins_the_cooldown_anew():
    probing, _ = admit(opened(), RULE, 1_800.0)
    again = failed(probing, RULE, 1_805.0)
    assert (again.state, again.until) == (OPEN, 3_605.0)


def test_what_was_asked_before_it_opened_changes_nothing():
    assert succeeded(opened()) == opened()
    late = failed(opened(), RULE, 500.0)
    assert (late.state, late.failures, late.until) == (OPEN, 4, 1_800.0)


def test_a_clock_put_back_by_years_does_not_keep_it_open():
    breaker = opened(at=1e9)
    assert admit(breaker, RULE, 1e6)[1] is True


def test_the_table_knows_no_other_moves():
    legal = {(old, new) for old, news in NEXT.items() for new in news}
    assert legal == {(CLOSED, OPEN), (OPEN, HALF_OPEN), (HALF_OPEN, CLOSED), (HALF_OPEN, OPEN)}
    assert not may_become(OPEN, CLOSED)


moves = st.lists(st.tuples(st.sampled_from(["ask", "answer", "fail"]), st.floats(0.0, 2_000.0)), max_size=40)


@given(moves)
def test_whatever_happens_it_moves_along_the_table_and_never_forgets_to_reopen(steps):
    breaker, now = Breaker(), 0.0
    for what, step in steps:
        now += step
        before = breaker
        if what == "ask":
            breaker, passes = admit(breaker, RULE, now)
            assert passes or breaker.until - now <= max(RULE.cooldown, RULE.probe)
        else:
            breaker = succeeded(breaker) if what == "answer" else failed(breaker, RULE, now)
        assert breaker.state is before.state or may_become(before.state, breaker.state)
        assert breaker.failures >= 0
    assert admit(breaker, RULE, now + RULE.cooldown)[1] is True


@pytest.mark.parametrize("threshold", [1, 5])
def test_the_threshold_is_the_number_of_failures_in_a_row(threshold):
    breaker, rule = Breaker(), Rule(threshold)
    for k in range(1, threshold + 1):
        breaker = failed(breaker, rule, 0.0)
        assert (breaker.state is OPEN) == (k == threshold)
