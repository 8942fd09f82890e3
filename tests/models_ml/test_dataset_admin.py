"""The admin shows a dataset with where it comes from, and changes nothing."""

import pytest

from models_ml.models import Dataset
from models_ml.services import datasets
from tests.models_ml.wanted import plan
from tests.trading.desks import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(settings, tmp_path):
    settings.SENSEQUANT_HOME = tmp_path
    return datasets.freeze(plan(symbols=("DEMOBANK",)), by="asha", at=NOON)[0]


def test_the_list_and_the_page_of_a_dataset_open(row, admin_client):
    page = admin_client.get("/admin/models_ml/dataset/").content.decode()
    assert f"{row.digest[:12]} DEMOBANK" in page
    assert (
        admin_client.get(f"/admin/models_ml/dataset/?q={row.digest[:9]}").content.decode().count(row.digest[:12]) == 1
    )
    page = admin_client.get(f"/admin/models_ml/dataset/{row.pk}/change/").content.decode()
    assert row.manifest["symbols"]["DEMOBANK"]["bars"]["sha256"] in page
    assert str(row) == f"{row.digest[:12]} DEMOBANK 5minute 2026-10-12…2026-10-30"


def test_a_dataset_is_neither_added_changed_nor_deleted_there(row, admin_client):
    assert admin_client.get("/admin/models_ml/dataset/add/").status_code == 403
    assert admin_client.post(f"/admin/models_ml/dataset/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    admin_client.post(f"/admin/models_ml/dataset/{row.pk}/change/", {"rows": 1})
    assert Dataset.objects.get().rows == row.rows
