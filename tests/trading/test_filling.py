"""History is asked aside, one question a lane, again after a while, and no lane waits for another."""

import datetime as dt
import threading
import time
from itertools import pairwise

import pytest

from sensequant.lib.errors import NotFound, Unavailable
from trading.adapters.breeze.errors import BudgetSpent, SessionLost
from trading.core.bars import empty
from trading.services.filling import Filler, Question

QUICK = (0.02, 0.04)


def answers(filler, count=1, patience=5.0):
    found, until = [], time.monotonic() + patience
    while len(found) < count and time.monotonic() < until:
        found += filler.answers()
        time.sleep(0.001)
    return found


def refusing(error, asked=None):
    def history(symbol, start, end):
        if asked is not None:
            asked.append(symbol)
        raise error

    return history


@pytest.fixture
def made():
    fillers = []
    yield lambda *given: fillers.append(Filler(*given)) or fillers[-1]
    for filler in fillers:
        filler.close()


def test_a_question_is_asked_in_aware_moments_and_answered_aside(made):
    asked = []
    filler = made(lambda *given: asked.append((threading.current_thread().name, *given)) or empty())
    filler.want(Question(3, "AAA", 60, 120))
    (answer,) = answers(filler)
    moments = [dt.datetime.fromtimestamp(ts, dt.UTC) for ts in (60, 120)]
    assert asked == [("filling", "AAA", *moments)]
    assert (answer.question.lane, len(answer.bars), answer.hopeless) == (3, 0, False)


def test_a_lane_has_one_question_under_way_and_a_comparison_beside_it(made):
    gate, asked = threading.Event(), []
    filler = made(lambda *given: asked.append(given) or gate.wait(5) or empty())
    for _ in range(3):
        filler.want(Question(0, "AAA", 60, 60))
        filler.want(Question(0, "AAA", 60, 60, compare=True))
    gate.set()
    assert len(answers(filler, 2)) == len(asked) == 2


def test_a_slow_lane_holds_up_no_other(made):
    gate = threading.Event()
    filler = made(lambda symbol, *_: (gate.wait(5) if symbol == "SLOW" else None) or empty())
    filler.want(Question(0, "SLOW", 60, 60))
    filler.want(Question(1, "AAA", 60, 60))
    (first,) = answers(filler)
    gate.set()
    assert first.question.symbol == "AAA"


def test_what_failed_is_asked_again_later_and_later(made):
    filler, asked = made(refusing(Unavailable("down")), QUICK), []
    until = time.monotonic() + 5
    while len(asked) < 4 and time.monotonic() < until:
        filler.want(Question(0, "AAA", 60, 60))
        if filler.tries(0) > len(asked):
            asked.append(time.monotonic())
        filler.answers()
        time.sleep(0.001)
    waits = [b - a for a, b in pairwise(asked)]
    assert waits[0] >= 0.015
    assert min(waits[1:]) >= 0.035


def test_when_the_line_is_back_everybody_asks_at_once(made):
    asked = []
    filler = made(refusing(Unavailable("down"), asked), (60.0,))
    filler.want(Question(0, "AAA", 60, 60))
    assert answers(filler)[0].why == "down"
    filler.want(Question(0, "AAA", 60, 60))
    assert len(asked) == 1
    filler.hurry()
    filler.want(Question(0, "AAA", 60, 60))
    assert answers(filler)
    assert len(asked) == 2


def test_a_budget_that_is_spent_is_waited_for_as_long_as_it_says(made):
    filler = made(refusing(BudgetSpent("no call is left", retry_after=60.0)), (0.0,))
    filler.want(Question(0, "AAA", 60, 60))
    assert answers(filler)[0].bars is None
    filler.want(Question(0, "AAA", 60, 60))
    assert filler.answers() == []
    assert filler.tries(0) == 1


@pytest.mark.parametrize(
    ("error", "hopeless", "why"),
    [
        (NotFound("no such share", fix="look"), True, "no such share"),
        (SessionLost("log in", fix="now"), False, "log in"),
        (ZeroDivisionError("oops"), False, "ZeroDivisionError: oops"),
    ],
)
def test_an_error_says_whether_asking_again_would_help(made, error, hopeless, why):
    filler = made(refusing(error))
    filler.want(Question(0, "AAA", 60, 60))
    (answer,) = answers(filler)
    assert (answer.bars, answer.hopeless, answer.why) == (None, hopeless, why)


def test_a_lane_that_has_what_it_wanted_starts_afresh(made):
    filler = made(refusing(Unavailable("down")), (60.0,))
    filler.want(Question(0, "AAA", 60, 60))
    answers(filler)
    filler.satisfied(0)
    assert filler.tries(0) == 0
    filler.want(Question(0, "AAA", 60, 60))
    assert answers(filler)
