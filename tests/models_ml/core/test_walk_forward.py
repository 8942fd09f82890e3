"""The windows of a walk-forward: they tile the sessions, and nothing that is traded lies before what chose it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_ml.core import walk_evidence, walk_forward
from models_ml.core.spaces import Choice
from models_ml.core.walk_evidence import Walked
from trading.core.errors import Invalid


@given(
    gaps=st.lists(st.integers(1, 5), min_size=20, max_size=400), train=st.integers(10, 60), test=st.integers(1, 40),
    more=st.integers(0, 20), purge=st.integers(0, 12),
)  # fmt: skip
def test_windows_tile_the_sessions_and_trade_nothing_before_its_search_and_purge_are_over(
    gaps, train, test, more, purge
):
    sessions = np.cumsum([736_000, *gaps]).tolist()
    plan = walk_forward.Plan(train, test, test + more)
    if len(sessions) < train + purge + test:
        with pytest.raises(Invalid, match=f"there are {len(sessions)}"):
            walk_forward.windows(sessions, plan, purge)
        return
    found = walk_forward.windows(sessions, plan, purge)
    where = {day: k for k, day in enumerate(sessions)}
    traded = []
    for each in found:
        first, last = where[each.test.first], where[each.test.last]
        assert where[each.train.last] - where[each.train.first] + 1 == train == each.train.sessions
        assert first == where[each.train.last] + purge + 1
        assert last - first + 1 == each.test.sessions <= test
        traded += range(first, last + 1)
    assert len(traded) == len(set(traded))
    assert traded[0] == train + purge
    assert all(each.test.sessions == test for each in found[:-1])
    if not more:
        assert traded == list(range(traded[0], traded[-1] + 1))
        assert 2 * (len(sessions) - 1 - traded[-1]) < test
    assert walk_forward.left_over(sessions, found) == len(sessions) - 1 - traded[-1]


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("60:20", (60, 20, 20)), ("60d:20d:25d", (60, 20, 25)), ("12w:4w", (60, 20, 20)), (" 3M:1m:2m ", (63, 21, 42)),
    ],
)  # fmt: skip
def test_a_plan_is_written_in_sessions_weeks_or_months(text, plan):
    assert walk_forward.plan(text) == plan
    assert walk_forward.plan(str(walk_forward.plan(text))) == plan


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("60", "write TRAIN:TEST"), ("", "write TRAIN:TEST"), ("60:20:20:1", "write TRAIN:TEST"),
        ("60:0", "TEST of 0"), ("60:-5", "TEST of -5"), ("4:20", "TRAIN of 4"), ("60:20:10", "traded twice"),
        ("60:20:-1", "STEP of -1"), ("60y:20", "'60y'"), ("a:b", "'a'"), ("60:2.5", "'2.5'"), ("99999:20", "99999"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_is_refused_by_its_value(text, told):
    with pytest.raises(Invalid, match=told):
        walk_forward.plan(text)


def test_too_many_windows_are_refused():
    with pytest.raises(Invalid, match="use at most 500"):
        walk_forward.windows(range(1, 600), walk_forward.Plan(10, 1, 1), 0)


def test_efficiency_is_what_was_left_of_the_searched_year():
    assert walk_evidence.annual(1.1, 252) == pytest.approx(0.1)
    assert walk_evidence.annual(1.1, 126) == pytest.approx(0.21)
    assert walk_evidence.efficiency(0.06, 0.12) == pytest.approx(0.5)
    assert math.isnan(walk_evidence.efficiency(0.06, -0.12))
    assert math.isnan(walk_evidence.annual(0.0, 10))


def test_what_drifts_most_comes_first_and_what_was_not_searched_cannot():
    space = (
        Choice("calm", (10.0, 20.0, 30.0), 10.0, 30.0, 0.0, True), Choice("fixed", (5.0,), 5.0, 5.0, 0.0, True),
        Choice("wild", (), 0.0, 1.0, 0.0, False),
    )  # fmt: skip
    chosen = [{"calm": 10, "fixed": 5, "wild": w} for w in (0.0, 1.0, 0.0)]
    wild, calm = walk_evidence.drift(space, chosen)
    assert (wild["name"], wild["moved"], wild["changed"], wild["values"]) == ("wild", 1.0, 1.0, [0.0, 1.0, 0.0])
    assert (calm["name"], calm["moved"], calm["changed"]) == ("calm", 0.0, 0.0)
    assert walk_evidence.drift(space, chosen[:1])[0]["moved"] is None


SOUND = Walked(
    trials=180, windows=6, unmet=0, trades=200, days=500, sharpe=2.0, searched=0.2, unseen=0.15, profitable=0.8,
    deflated=0.9, pbo=0.1, luck=0.01, least_days=170.0, hurdle=1.0, beats_baseline=True,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "word", "told"),
    [
        ({}, "evidence", ""), ({"sharpe": -0.1}, "REJECT", "loses on the unseen days"),
        ({"searched": -0.1}, "REJECT", "earn nothing"), ({"deflated": 0.3}, "REJECT", "luckiest of 180"),
        ({"pbo": 0.6}, "REJECT", "no better than a coin"), ({"beats_baseline": False}, "REJECT", "baseline"),
        ({"unmet": 2}, "REJECT", "2 of 6 windows"), ({"luck": 0.2}, "not enough evidence", "luck alone"),
        ({"luck": math.nan}, "not enough evidence", "unknown"), ({"deflated": 0.6}, "not enough evidence", "DSR 0.60"),
        ({"pbo": 0.45}, "not enough evidence", "PBO 0.45"), ({"days": 60}, "not enough evidence", "170 would be"),
        ({"trades": 12}, "not enough evidence", "only 12 trades"),
        ({"unseen": 0.02}, "not enough evidence", "only 10%"),
        ({"profitable": 0.3}, "not enough evidence", "only 30%"),
    ],
)  # fmt: skip
def test_the_verdict_names_everything_that_speaks_against_it(changed, word, told):
    found, reasons = walk_evidence.verdict(SOUND._replace(**changed))
    assert found == word
    assert told in "; ".join(reasons)
    assert bool(reasons) == bool(changed)
