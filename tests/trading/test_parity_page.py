"""A day the desk traded is simulated again: the same, or what differs is named."""

import datetime as dt

import pytest
from django.test import Client

from sensequant.lib.errors import BadInput, NotFound
from tests.trading import rows
from tests.trading.desks import NOON, WEEK, begun, driven
from trading.models import Fill
from trading.services import day_parity

pytestmark = pytest.mark.django_db
SPAN = WEEK[0], WEEK[0] + dt.timedelta(days=1)


def test_a_day_of_a_run_is_the_day_simulated_until_somebody_changes_what_happened():
    run = driven(begun(span=SPAN))
    day = day_parity.days(run)[0]
    found = day_parity.compare(run.pk, day, at=NOON)
    assert found.ours["fill"] > 0
    assert found.identical, found.rows
    assert (found.ours, found.net_ours) == (found.theirs, found.net_theirs)
    fill = Fill.objects.filter(order__run=run, at__date=day).first()
    Fill.objects.filter(pk=fill.pk).update(price=fill.price + 1)
    changed = day_parity.compare(run.pk, day, at=NOON)
    assert [row["where"] for row in changed.rows] in (
        ["desk only", "simulation only"],
        ["simulation only", "desk only"],
    )
    client = Client()
    client.force_login(rows.people()["viewer"])
    page = client.get(f"/parity?run={run.pk}&day={day}").content.decode()
    assert "▲ 2 differ" in page
    assert "desk only" in page


def test_what_cannot_be_compared_is_refused_with_a_word_of_advice(monkeypatch):
    run = begun(span=SPAN)
    with pytest.raises(NotFound, match="begins on"):
        day_parity.compare(run.pk, SPAN[0] - dt.timedelta(days=3), at=NOON)
    with pytest.raises(NotFound, match="no engine run"):
        day_parity.compare(run.pk + 1, SPAN[0], at=NOON)
    monkeypatch.setattr(day_parity, "MOST", 10)
    with pytest.raises(BadInput, match="too many to wait for"):
        day_parity.compare(run.pk, SPAN[0], at=NOON)


def test_the_page_says_what_to_do_before_there_is_a_day():
    client = Client()
    client.force_login(rows.people()["viewer"])
    assert "No engine has run yet" in client.get("/parity").content.decode()
    begun()
    assert "has traded on no day yet" in client.get("/parity").content.decode()
    assert "is not a date" in client.get("/parity?day=tomorrow").content.decode()
