"""What is wrong now: one row from the moment it began to the moment it ended."""

import datetime as dt

import pytest

from trading.models import Condition
from trading.services import conditions

pytestmark = pytest.mark.django_db
STALE = {"level": "bad", "message": "no tick for 31 s", "fix": "look at the stream"}


def test_a_condition_that_goes_on_is_one_row(noon):
    for seconds in (0, 1, 30):
        conditions.hold("feed-stale", subject="TCS", at=noon + dt.timedelta(seconds=seconds), **STALE)
    row = Condition.objects.get()
    assert (row.since, row.seen_at, row.until) == (noon, noon + dt.timedelta(seconds=30), None)


def test_each_subject_has_its_own_and_clearing_one_leaves_the_other(noon):
    for symbol in ("TCS", "INFY"):
        conditions.hold("feed-stale", subject=symbol, at=noon, **STALE)
    assert conditions.clear("feed-stale", at=noon, subject="TCS") == 1
    assert list(Condition.objects.filter(until=None).values_list("subject", flat=True)) == ["INFY"]


def test_one_that_came_back_is_a_new_row(noon):
    for _ in range(2):
        conditions.keep(True, "feed-stale", subject="TCS", at=noon, **STALE)
        conditions.keep(False, "feed-stale", subject="TCS", at=noon, **STALE)
    assert Condition.objects.count() == 2
    assert conditions.clear("feed-stale", at=noon) == 0


def test_a_message_that_changed_is_told(noon):
    conditions.hold("feed-stale", at=noon, **STALE)
    conditions.hold("feed-stale", at=noon, **{**STALE, "message": "no tick for 40 s", "level": "warn"})
    row = Condition.objects.get()
    assert (row.message, row.level) == ("no tick for 40 s", "warn")
