"""Lanes lie one after another in contiguous columns, with what was known of them at each bar's end."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.trading.core.panels import placed, walk
from trading.core.bars import Bars, empty
from trading.core.calendar import NSE
from trading.core.errors import Invalid
from trading.core.panel import NOTHING, LaneSpec, lane, panel, told

A, B = LaneSpec("A"), LaneSpec("B", tick=0.1)


def lanes(*sentiment):
    scores = sentiment or (NOTHING, NOTHING)
    return [
        placed(walk(seed, days=2, a_day=n), n, 5, spec, score)
        for seed, (n, spec, score) in enumerate(zip((4, 6), (A, B), scores, strict=True))
    ]


def test_each_lane_owns_a_stretch_of_every_column():
    one, two = lanes()
    both = panel([one, two])
    assert (both.starts.tolist(), both.stops.tolist(), len(both)) == ([0, 8], [8, 20], 20)
    np.testing.assert_array_equal(both.close[8:], two.bars.close)
    np.testing.assert_array_equal(both.session[:8], one.places.session)
    assert all(column.flags["C_CONTIGUOUS"] for column in both.columns())
    assert both.specs == (A, B)


def test_without_any_news_there_is_no_column_of_it_and_with_some_silence_is_nan():
    assert panel(lanes()).sentiment.size == 0
    scores = panel(lanes(NOTHING, np.full(12, 0.5))).sentiment
    assert np.isnan(scores[:8]).all()
    assert (scores[8:] == 0.5).all()


def test_no_bars_at_all_are_refused():
    with pytest.raises(Invalid, match="there are no bars to run on: choose other dates or symbols"):
        panel([lane(A, empty(), 5)])


def test_an_empty_lane_among_others_owns_nothing():
    both = panel([lane(A, empty(), 5), lanes()[1]])
    assert (both.starts.tolist(), both.stops.tolist()) == ([0, 0], [0, 12])


def test_bars_are_placed_in_the_sessions_of_the_calendar():
    ts = np.array([1795146300, 1795168200], np.int64)  # Friday 20 November 2026, 09:15 and 15:20
    price = np.full(2, 100.0)
    made = lane(A, Bars(ts, price, price, price, price, price), 5, calendar=NSE)
    assert made.places.minute.tolist() == [0, 365]
    assert made.places.left.tolist() == [370, 5]


# ---- news --------------------------------------------------------------------------------------------------------

BAR_STARTS = np.array([0, 300, 600, 900], np.int64)


def test_a_score_is_known_from_the_end_of_the_bar_it_was_published_in():
    known = told(BAR_STARTS, 5, [(301, 0.4)])
    np.testing.assert_array_equal(known, [math.nan, 0.4, 0.4, 0.4])


def test_a_score_published_at_a_bars_very_end_is_known_and_a_second_later_is_not():
    assert told(BAR_STARTS, 5, [(300, 0.4)])[0] == 0.4
    assert math.isnan(told(BAR_STARTS, 5, [(301, 0.4)])[0])


def test_the_newest_score_counts():
    np.testing.assert_array_equal(told(BAR_STARTS, 5, [(10, 0.4), (310, -0.2)]), [0.4, -0.2, -0.2, -0.2])


def test_old_news_is_forgotten():
    np.testing.assert_array_equal(told(BAR_STARTS, 5, [(0, 0.4)], memory=600), [0.4, 0.4, math.nan, math.nan])


def test_no_news_is_no_column():
    assert told(BAR_STARTS, 5, []).size == 0
