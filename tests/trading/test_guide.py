"""The first steps: a tour whose stops exist and lead on, and one source for what every number means."""

import html

import pytest
from django.test import Client

from tests.trading import rows
from trading.core.tour import TOUR
from trading.services import risk_status
from trading.templatetags.shell import address_of
from trading.views import metrics, telemetry

pytestmark = pytest.mark.django_db


@pytest.fixture
def looker():
    client = Client()
    client.force_login(rows.people()["viewer"])
    return client


def test_every_stop_of_the_tour_is_a_page_that_leads_to_the_next(looker):
    assert "Begin" in looker.get("/tour").content.decode()
    for k, stop in enumerate(TOUR, 1):
        page = looker.get(f"{address_of(stop.page)}?tour={k}").content.decode()
        assert stop.title in page
        following = f"{address_of(TOUR[k].page)}?tour={k + 1}" if k < len(TOUR) else "Done"
        assert following in page
    assert 'aria-label="Tour"' not in looker.get("/orders/?tour=1").content.decode()
    assert 'aria-label="Tour"' not in looker.get("/?tour=99").content.decode()


def test_every_measure_shown_is_explained(looker):
    page = html.unescape(looker.get("/glossary").content.decode())
    explained = {each.key for _, group in metrics.glossary() for each in group}
    assert {each.key for each in telemetry.CARD} | set(metrics.HEADLINE) | set(risk_status.GAUGES) <= explained
    for _, group in metrics.glossary():
        for each in group:
            assert each.title in page
            assert each.help in page
            assert len(each.help) > 15
