"""Labels that look at the same stretch of time share its weight."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_ml.core.weights import overlap_weights, uniqueness
from tests.models_ml.core.intervals import panels
from trading.core.errors import Invalid


def slowly(ts, end):
    """Average, second by second, one over how many labels look at it."""
    low = int(ts.min())
    count = np.zeros(int(end.max()) - low)
    for a, b in zip(ts, end, strict=True):
        count[a - low : b - low] += 1
    return np.array([(1.0 / count[a - low : b - low]).mean() for a, b in zip(ts, end, strict=True)])


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), min_size=1, max_size=25))
def test_uniqueness_is_the_mean_share_of_the_time_looked_at(spans):
    ts, lasts = np.array(spans).T
    found = uniqueness(ts, ts + lasts)
    np.testing.assert_allclose(found, slowly(ts, ts + lasts), rtol=1e-9)
    assert ((found > 0.0) & (found <= 1.0)).all()


@given(panels())
def test_all_weight_is_the_time_that_is_covered(rows):
    symbol, ts, end = rows
    weights = overlap_weights(symbol, ts, end)
    for name in np.unique(symbol):
        mine = symbol == name
        edges = np.unique(np.r_[ts[mine], end[mine]])
        covered = [(ts[mine] <= a).sum() > (end[mine] <= a).sum() for a in edges[:-1]]
        assert (weights[mine] * (end - ts)[mine]).sum() == pytest.approx(np.diff(edges)[covered].sum())


def test_alone_a_label_has_its_whole_weight_and_twins_halve_it():
    assert uniqueness(np.array([0, 10]), np.array([10, 20])).tolist() == [1.0, 1.0]
    assert uniqueness(np.array([0, 0]), np.array([10, 10])).tolist() == [0.5, 0.5]
    assert uniqueness(np.zeros(0, np.int64), np.zeros(0, np.int64)).size == 0


def test_a_label_that_ends_before_it_begins_is_refused():
    with pytest.raises(Invalid, match="an end after its start"):
        uniqueness(np.array([5]), np.array([5]))
