"""The admin of the news: everything can be looked up, and nothing can be changed."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from sensequant import urls  # noqa: F401 - finds the pages of the admin
from tests.trading import rows
from trading.models import NewsCall, NewsItem, NewsProvider, SentimentScore, SnapshotFetch

pytestmark = pytest.mark.django_db
MODELS = (NewsCall, NewsItem, NewsProvider, SentimentScore, SnapshotFetch)


@pytest.fixture
def asha():
    client = Client()
    client.force_login(rows.people()["staff"])
    rows.news()
    return client


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_rows_can_be_found_and_read_and_not_touched(asha, model):
    def address(page, *args):
        return reverse(f"admin:trading_{model._meta.model_name}_{page}", args=args)

    page = admin.site._registry[model]
    assert page.search_fields
    row = model.objects.get()
    for query in ({}, {"q": "ACME"}):
        assert asha.get(address("changelist"), query).status_code == 200
    assert asha.get(address("change", row.pk)).status_code == 200
    assert asha.get(address("add")).status_code == 403
    assert asha.post(address("change", row.pk), {"symbol": "X"}).status_code == 403
    assert asha.post(address("delete", row.pk), {"post": "yes"}).status_code == 403


def test_a_headline_is_shown_as_text(asha):
    NewsItem.objects.update(title="<script>alert(1)</script>")
    page = asha.get(reverse("admin:trading_newsitem_changelist")).content.decode()
    assert "&lt;script&gt;" in page
