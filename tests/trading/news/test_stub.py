"""The stub: it asks nobody, is always well, and says the same of the same hour."""

import datetime as dt
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.trading.news.server import NOON
from trading.adapters.news.stub import SPAN, Stub
from trading.core.news import Question

ASKED = Question("ACME", (), NOON - dt.timedelta(hours=48), NOON, NOON)


def free():
    """A ration without end."""


def test_it_says_what_it_was_told_to_say():
    answer = Stub(0.2).fetch(ASKED, free)
    assert (answer.value, answer.confidence, answer.stories) == (0.2, 0.5, ())


def test_it_says_the_same_of_the_same_symbol_and_hour():
    said = Stub().fetch(ASKED, free).value
    assert Stub().fetch(replace(ASKED, until=NOON + dt.timedelta(minutes=5)), free).value == said
    assert Stub().fetch(replace(ASKED, symbol="TCS"), free).value != said


def test_it_takes_from_its_ration_and_says_who_it_is():
    taken = []
    Stub().fetch(ASKED, lambda: taken.append(1))
    assert taken == [1]
    assert (Stub().metadata.name, Stub().metadata.kind) == ("stub", "fixed")


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ&-", min_size=1, max_size=12), st.integers(0, 10_000))
def test_it_never_says_enough_to_move_a_decision(symbol, hours):
    asked = replace(ASKED, symbol=symbol, until=NOON + dt.timedelta(hours=hours))
    assert -SPAN <= Stub().fetch(asked, free).value <= SPAN
