"""A list of shares that all survived a long time was chosen with hindsight, and says so."""

import datetime as dt

import pytest

from models_ml.core.universe import SURVIVORS, banners
from models_ml.services.lineage import until_of
from trading.models import Listing
from trading.selectors import universe

FIRST, LAST = dt.date(2020, 1, 1), dt.date(2025, 1, 1)


@pytest.mark.parametrize(
    ("first", "ended", "said"),
    [
        (FIRST, {"A": None, "B": None}, [SURVIVORS]),
        (FIRST, {"A": None, "B": dt.date(2022, 5, 2)}, []),
        (FIRST, {"A": None, "B": LAST}, [SURVIVORS]),
        (dt.date(2023, 1, 1), {"A": None}, []),
    ],
)
def test_survivors_over_a_long_time_are_named(first, ended, said):
    assert banners(first, LAST, ended) == said


@pytest.fixture
def renamed(db):
    row = {"isec_code": "X", "token": "1", "isin": "INE0", "series": "EQ"}
    Listing.objects.create(symbol="OLD", since=FIRST, until=dt.date(2022, 3, 31), **row)
    Listing.objects.create(symbol="NEW", since=dt.date(2022, 4, 1), until=dt.date(2024, 6, 28), **row)
    Listing.objects.create(symbol="OTHER", since=FIRST, isec_code="Y", token="2", isin="", series="EQ")


def test_a_share_is_followed_through_its_names(renamed):
    both = universe.names("NEW", FIRST, LAST)
    assert [(row["symbol"], str(row["since"])) for row in both] == [("OLD", "2020-01-01"), ("NEW", "2022-04-01")]
    assert [row["symbol"] for row in universe.names("OLD", FIRST, LAST)] == ["OLD", "NEW"]
    assert [row["symbol"] for row in universe.names("OTHER", FIRST, LAST)] == ["OTHER"]


def test_only_the_names_of_the_time_asked_about_count(renamed):
    assert [row["symbol"] for row in universe.names("NEW", FIRST, dt.date(2021, 1, 1))] == ["OLD"]
    assert [row["symbol"] for row in universe.names("NEW", dt.date(2023, 1, 2), LAST)] == ["NEW"]
    assert universe.names("NEW", dt.date(2024, 7, 1), LAST) == []
    assert universe.names("UNKNOWN", FIRST, LAST) == []


def test_the_last_listed_day_is_known_when_a_master_tells():
    assert until_of([]) is None
    assert until_of([{"until": None}]) is None
    assert until_of([{"until": "2022-03-31"}, {"until": "2024-06-28"}]) == dt.date(2024, 6, 28)
    assert until_of([{"until": None}, {"until": "2024-06-28"}]) is None  # one of two series was closed
