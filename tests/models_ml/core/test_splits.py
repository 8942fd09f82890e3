"""No label seen in training reaches into a test, whatever the horizons, gaps and holidays; nothing else is lost."""

import inspect
from math import comb

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models_ml.core.splits import Split, combinatorial, crossings, paths, walk_forward
from tests.models_ml.core.intervals import panels
from trading.core.errors import Invalid

EMBARGO = st.sampled_from([0, 1, 600, 90_000])


def touching(split, ts, end):
    """Count, pair by pair, the training rows whose closed interval meets a test row's."""
    a, b = ts[split.train][:, None], end[split.train][:, None]
    return int(((a <= end[split.test]) & (b >= ts[split.test])).any(axis=1).sum())


def made(make):
    try:
        return list(make())
    except Invalid:
        assume(False)


@settings(deadline=None)
@given(panels(), st.integers(1, 6), EMBARGO)
def test_walking_forward_trains_only_on_what_was_settled_before_the_test(rows, folds, embargo):
    _, ts, end = rows
    splits = made(lambda: walk_forward(ts, end, folds=folds, embargo=embargo))
    assert len(splits) == folds
    for split in splits:
        begin = ts[split.test].min()
        assert touching(split, ts, end) == crossings(split, ts, end) == 0
        assert end[split.train].max() + embargo < begin
        outside = np.setdiff1d(np.flatnonzero(ts < begin), split.train)
        assert (end[outside] + embargo >= begin).all()  # nothing is left out without a reason


@settings(deadline=None)
@given(panels(), st.integers(1, 6), EMBARGO)
def test_walking_forward_tests_every_later_row_once_in_order(rows, folds, embargo):
    _, ts, end = rows
    splits = made(lambda: walk_forward(ts, end, folds=folds, embargo=embargo))
    tested = np.concatenate([split.test for split in splits])
    assert np.array_equal(tested, np.flatnonzero(ts >= ts[splits[0].test].min()))
    moments = [np.unique(ts[split.test]).size for split in splits]
    assert max(moments) - min(moments) <= 1
    for split in splits:
        assert not np.intersect1d(split.train, split.test).size
        assert np.array_equal(split.train, np.sort(split.train))


@settings(deadline=None)
@given(panels(), st.integers(2, 6), st.integers(1, 3), EMBARGO)
def test_no_combination_lets_a_label_cross(rows, groups, tested, embargo):
    _, ts, end = rows
    assume(tested < groups)
    splits = made(lambda: combinatorial(ts, end, groups=groups, tested=tested, embargo=embargo))
    assert len(splits) == comb(groups, tested)
    counts = np.bincount(np.concatenate([split.test for split in splits]), minlength=ts.size)
    assert (counts == comb(groups - 1, tested - 1)).all()
    for split in splits:
        assert touching(split, ts, end) == crossings(split, ts, end) == 0
        assert not np.intersect1d(split.train, split.test).size


@settings(deadline=None)
@given(panels(), EMBARGO)
def test_the_embargo_reaches_past_the_last_outcome_of_each_block_by_itself(rows, embargo):
    _, ts, end = rows
    for split in made(lambda: combinatorial(ts, end, groups=5, tested=2, embargo=embargo)):
        moments = np.array_split(np.unique(ts), 5)
        for block in split.blocks:
            here = (ts >= moments[block][0]) & (ts <= moments[block][-1])
            low, high = int(ts[here].min()), int(end[here].max())
            after = ts[split.train] > moments[block][-1]
            assert (ts[split.train][after] > high + embargo).all()
            assert (end[split.train][~after] < low - embargo).all()


def test_rows_between_tested_blocks_that_do_not_touch_are_kept():
    ts = np.arange(0, 100_000, 1_000)
    end = ts + 10
    first_and_last = list(combinatorial(ts, end, groups=5, tested=2, embargo=0))[3]
    assert first_and_last.blocks == (0, 4)
    assert first_and_last.train.tolist() == list(range(20, 80))


@settings(deadline=None, max_examples=30)
@given(panels(), st.integers(3, 6), st.integers(1, 2))
def test_a_kept_library_keeps_no_row_that_we_purge_but_those_that_touch(rows, groups, tested):
    pandas, purgedcv = pytest.importorskip("pandas"), pytest.importorskip("purgedcv")
    _, ts, end = rows
    once = np.r_[True, np.diff(ts) > 0]  # they split by rows: one row a moment makes both the same blocks
    ts, end = ts[once], end[once]
    assume(ts.size > 3 * groups)
    theirs = purgedcv.CombinatorialPurgedCV(
        groups, tested, prediction_times=pandas.Series(pandas.to_datetime(ts, unit="s")),
        evaluation_times=pandas.Series(pandas.to_datetime(end, unit="s")),
    )  # fmt: skip
    ours = made(lambda: combinatorial(ts, end, groups=groups, tested=tested, embargo=0))
    for mine, (train, test) in zip(ours, theirs.split(np.zeros((ts.size, 1))), strict=True):
        assert np.array_equal(mine.test, test)
        assert np.isin(mine.train, train).all()
        extra = Split(np.setdiff1d(train, mine.train), mine.test, mine.blocks)
        assert crossings(extra, ts, end) == touching(extra, ts, end)
        reach = [end[np.isin(ts, part)].max() for part in np.array_split(ts, groups)]
        for row in extra.train:  # they let half-open intervals touch, and forget how far a block's own labels reach
            begins = [part[0] for k, part in enumerate(np.array_split(ts, groups)) if k in mine.blocks]
            assert any(end[row] >= low and ts[row] <= reach[k] for low, k in zip(begins, mine.blocks, strict=True))


def test_counting_rows_is_not_purging():
    sklearn = pytest.importorskip("sklearn.model_selection")
    moments = np.repeat(np.arange(400) * 300, 5)  # five symbols, labels of ten bars
    end = moments + 3_000
    wrong = [Split(*rows, (0,)) for rows in sklearn.TimeSeriesSplit(4, gap=10).split(moments)]
    assert sum(crossings(split, moments, end) for split in wrong) > 100
    assert all(crossings(s, moments, end) == 0 for s in walk_forward(moments, end, folds=4, embargo=0))


@given(st.integers(2, 7), st.integers(1, 4))
def test_every_path_is_tested_once_everywhere_by_splits_of_its_own(groups, tested):
    assume(tested < groups)
    found = paths(groups, tested)
    assert len(found) == comb(groups - 1, tested - 1)
    chosen = [s.blocks for s in combinatorial(np.arange(70) * 10, np.arange(70) * 10 + 1, groups=groups, tested=tested,
                                              embargo=0)]  # fmt: skip
    for path in found:
        assert all(block in chosen[number] for block, number in enumerate(path))
    used = [(block, number) for path in found for block, number in enumerate(path)]
    assert len(set(used)) == len(used) == comb(groups, tested) * tested


@pytest.mark.parametrize("splitter", [walk_forward, combinatorial])
def test_nobody_splits_without_naming_an_embargo(splitter):
    assert inspect.signature(splitter).parameters["embargo"].default is inspect.Parameter.empty


def test_a_training_window_may_be_limited():
    ts = np.arange(100) * 300
    for split in walk_forward(ts, ts + 1, folds=4, embargo=0, span=3_000):
        assert ts[split.train].min() >= ts[split.test].min() - 3_000


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"folds": 2, "embargo": -1}, "embargo of -1 seconds"),
        ({"folds": 0, "embargo": 0}, "10 moments cannot be cut into 1 blocks"),
        ({"folds": 20, "embargo": 0}, "10 moments cannot be cut into 21 blocks"),
        ({"folds": 2, "embargo": 10**6}, "nothing to train on"),
    ],
)
def test_what_cannot_be_split_is_said(asked, said):
    ts = np.arange(10) * 300
    with pytest.raises(Invalid, match=said):
        list(walk_forward(ts, ts + 1, **asked))


def test_other_nonsense_is_said_too():
    ts = np.arange(10) * 300
    with pytest.raises(Invalid, match="5 blocks of 5 cannot be tested: use 1 to 4"):
        list(combinatorial(ts, ts + 1, groups=5, tested=5, embargo=0))
    with pytest.raises(Invalid, match="end that is not before its start"):
        list(walk_forward(ts, ts - 1, folds=2, embargo=0))
