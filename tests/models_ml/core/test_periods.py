"""Days that choose, confirm and are looked at once never touch."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models_ml.core.periods import LEAST, split
from trading.core.errors import Invalid


@given(
    sessions=st.lists(st.integers(1, 4000), min_size=60, max_size=300, unique=True).map(sorted),
    shares=st.sampled_from([(60, 20, 20), (50, 25, 25), (40, 40, 20)]),
    purge=st.integers(0, 12),
)
def test_parts_follow_each_other_with_the_purge_between(sessions, shares, purge):
    try:
        parts = split(sessions, shares, purge)
    except Invalid:
        assume(False)
    place = {day: k for k, day in enumerate(sessions)}
    assert place[parts.train.first] == 0
    assert place[parts.test.last] == len(sessions) - 1
    for before, after in ((parts.train, parts.validation), (parts.validation, parts.test)):
        assert place[after.first] - place[before.last] - 1 == purge
    assert sum(part.sessions for part in parts) == len(sessions) - 2 * purge
    assert min(part.sessions for part in parts) >= LEAST


@pytest.mark.parametrize("shares", [(60, 20), (60, 20, 30), (100, 0, 0), (-20, 60, 60), ()])
def test_shares_that_are_no_three_parts_of_100_are_refused(shares):
    with pytest.raises(Invalid, match="split"):
        split(range(100), shares, 1)


def test_too_few_sessions_are_refused_with_their_number():
    with pytest.raises(Invalid, match="20 sessions are too few"):
        split(range(20), (60, 20, 20), 1)
    with pytest.raises(Invalid, match="negative"):
        split(range(200), (60, 20, 20), -1)
