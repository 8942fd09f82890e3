"""News are asked for often while a symbol can be traded, and seldom otherwise."""

import datetime as dt

import pytest

from trading.core.calendar import IST, NSE
from trading.core.news_pace import CALM, pace

MONDAY = dt.datetime(2026, 11, 23, tzinfo=IST)


@pytest.mark.parametrize(
    ("hour", "minute", "seconds"),
    [(12, 0, 900.0), (8, 5, 900.0), (15, 30, 900.0), (7, 0, CALM), (20, 0, CALM)],
)
def test_a_session_quickens_the_pace(hour, minute, seconds):
    assert pace(900.0, MONDAY.replace(hour=hour, minute=minute), NSE) == seconds


def test_a_holiday_is_calm_and_a_long_lived_score_is_not_asked_for_earlier():
    sunday = MONDAY.replace(day=22, hour=12)
    assert pace(900.0, sunday, NSE) == CALM
    assert pace(7_200.0, sunday, NSE) == 7_200.0
