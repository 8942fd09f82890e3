"""The admin of names and actions: what the master said is only read, and a person's action is judged like a file's."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from sensequant.lib.clock import ist, now
from tests.trading import masters, rows
from trading.models import CorporateAction, Instrument, Listing, MasterFile
from trading.services import actions, instruments

pytestmark = pytest.mark.django_db


@pytest.fixture
def asha():
    instruments.load(masters.archive(*masters.SHARES, *masters.NOISE), at=now(), source="test")
    client = Client()
    client.force_login(rows.people()["staff"])
    return client


def address(model, page, *args):
    return reverse(f"admin:trading_{model._meta.model_name}_{page}", args=args)


def save(client, pk=None, **changes):
    data = {
        "symbol": "RELIANCE", "kind": "bonus", "ex_date": "2024-10-28", "terms": "1:1", "known_on": "", "source": "",
        **changes,
    }  # fmt: skip
    where = address(CorporateAction, "change", pk) if pk else address(CorporateAction, "add")
    return client.post(where, data)


def test_an_action_is_recorded_with_the_factors_that_follow_from_its_terms(asha):
    assert save(asha, symbol=" reliance ", source="NSE").status_code == 302
    row = CorporateAction.objects.get()
    assert (row.symbol, row.terms, str(row.price_factor), row.created_by, row.source, row.known_on) == (
        "RELIANCE", "bonus 1:1", "0.500000000000", "asha", "NSE", row.ex_date,
    )  # fmt: skip
    page = asha.get(address(CorporateAction, "change", row.pk)).content.decode()
    assert "0.500000000000" in page
    assert 'name="price_factor"' not in page


def test_an_action_is_changed_and_deleted(asha):
    save(asha)
    pk = CorporateAction.objects.get().pk
    save(asha, pk, terms="bonus 2:1", known_on="2024-09-05")
    (row,) = CorporateAction.objects.all()
    assert (row.pk, row.terms, row.known_on) == (pk, "bonus 2:1", dt.date(2024, 9, 5))
    asha.post(address(CorporateAction, "delete", pk), {"post": "yes"})
    assert actions.of("RELIANCE") == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"terms": "one to one"}, "cannot be read: write new:held"), ({"terms": ""}, "This field is required"),
        ({"kind": "merger"}, "Select a valid choice"), ({"ex_date": "2024-10-27"}, "is no trading day"),
        ({"ex_date": "soon"}, "Enter a valid date"), ({"symbol": "RELIND"}, "the broker&#x27;s code of RELIANCE"),
        ({"known_on": "2090-01-02"}, "lies in the future"), ({"kind": "split", "terms": "1:5"}, "face value falls"),
    ],
)  # fmt: skip
def test_an_action_that_cannot_be_is_said_so_and_not_recorded(asha, change, said):
    assert said in save(asha, **change).content.decode()
    assert not CorporateAction.objects.exists()


def test_the_same_action_twice_is_refused(asha):
    save(asha)
    assert "is recorded already" in save(asha, terms="2:1").content.decode()
    assert CorporateAction.objects.get().terms == "bonus 1:1"


def test_a_tick_set_by_hand_is_no_default_any_more(asha):
    row = Instrument.objects.get(symbol="TCS")
    data = {"symbol": "TCS", "series": "EQ", "segment": "equity", "tick": "0.05", "lot": "1", "token": "11536"}
    asha.post(address(Instrument, "change", row.pk), data)
    row.refresh_from_db()
    assert row.tick_since is None
    asha.post(address(Instrument, "change", row.pk), {**data, "tick": "0.10"})
    row.refresh_from_db()
    assert (str(row.tick), row.tick_since) == ("0.10", ist(now()).date())


def test_a_reading_shows_what_it_refused_by_name(asha):
    page = asha.get(address(MasterFile, "change", MasterFile.objects.get().pk)).content.decode()
    assert "HDFCBANK: W1 1467 (HDFCW1) set aside: EQ 1333 (HDFBAN) is used" in page


@pytest.mark.parametrize("query", [{"q": "RELIND"}, {"q": "2885"}, {"until__isempty": "1"}, {"series": "BE"}])
def test_names_are_found_by_any_of_them(asha, query):
    page = asha.get(address(Listing, "changelist"), query)
    assert page.status_code == 200
    assert ("RELIANCE" in page.content.decode()) == ("series" not in query)
