"""A batch's windows: no day twice, no day lost, no two with one name."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_ml.core.windows import A_DAY, NoWindow, quarter, tiled, trailing

D = dt.date
DAYS = st.dates(D(2008, 1, 1), D(2030, 12, 31))


def days_of(windows):
    return [window.start + k * A_DAY for window in windows for k in range(window.days)]


def test_windows_of_ninety_days_are_labelled_by_their_quarters():
    plan = tiled("RELIANCE", D(2024, 1, 1), D(2024, 12, 25), 90)
    assert [window.label for window in plan.windows] == [f"RELIANCE_2024Q{number}" for number in (1, 2, 3, 4)]
    assert plan.windows[0] == ("RELIANCE", D(2024, 1, 1), D(2024, 3, 30), "RELIANCE_2024Q1")
    assert plan.windows[1].start == D(2024, 3, 31)


def test_several_windows_of_a_quarter_are_told_apart():
    plan = tiled("TCS", D(2024, 1, 1), D(2024, 3, 30), 30)
    assert [window.label for window in plan.windows] == ["TCS_2024Q1", "TCS_2024Q1_2", "TCS_2024Q1_3"]


def test_a_short_rest_is_left_over_and_named():
    plan = tiled("TCS", D(2024, 1, 1), D(2024, 4, 10), 90)
    assert [window.end for window in plan.windows] == [D(2024, 3, 30)]
    assert [(window.start, window.end) for window in plan.left_over] == [(D(2024, 3, 31), D(2024, 4, 10))]


@given(DAYS, st.integers(0, 900), st.integers(3, 400))
def test_every_day_is_in_one_window_or_left_over(start, length, days):
    end = start + length * A_DAY
    plan = tiled("X", start, end, days)
    every = sorted(days_of(plan.windows) + days_of(plan.left_over))
    assert every == [start + k * A_DAY for k in range(length + 1)]
    assert all(days >= window.days and 3 * window.days >= days for window in plan.windows)
    labels = [window.label for window in plan.windows]
    assert len(set(labels)) == len(labels)


@given(DAYS, st.integers(0, 700), st.integers(0, 700), st.integers(3, 200))
def test_an_update_covers_every_new_day_and_makes_no_window_without_one(first, before, length, days):
    newest = first + (before + length) * A_DAY
    trained = first + before * A_DAY
    plan = trailing("X", newest, trained, days, first=first)
    windows = sorted((*plan.windows, *plan.left_over), key=lambda window: window.start)
    new = {trained + k * A_DAY for k in range(1, length + 1)}
    told = days_of(windows)
    assert new <= set(told)
    assert len(told) == len(set(told))
    assert all(window.end > trained and window.start >= first for window in windows)
    assert not windows or windows[-1].end == newest
    assert bool(windows) is bool(new)


def test_the_first_update_takes_what_there_is():
    plan = trailing("TCS", D(2024, 3, 16), None, 90, first=D(2024, 2, 15))
    assert plan.windows == (("TCS", D(2024, 2, 15), D(2024, 3, 16), "TCS_2024Q1"),)


@given(DAYS, st.integers(0, 60))
def test_a_quarter_holds_the_middle(start, half):
    middle = start + half * A_DAY
    assert quarter(start, start + 2 * half * A_DAY) == f"{middle.year}Q{(middle.month - 1) // 3 + 1}"


@pytest.mark.parametrize(
    ("start", "end", "days", "told"),
    [(D(2024, 1, 2), D(2024, 1, 1), 90, "lies after"), (D(2024, 1, 1), D(2024, 2, 1), 2, "--window-days")],
)
def test_what_cannot_be_is_refused_with_the_fix(start, end, days, told):
    with pytest.raises(NoWindow, match=told):
        tiled("X", start, end, days)
