"""The guide to the API: current, whole, and its curl lines are what a shell would run."""

import shlex

import pytest

from sensequant import api_guide
from sensequant.config import ROOT
from tests.trading import rows


def test_the_guide_in_the_repository_is_the_schemas():
    kept = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert kept == api_guide.markdown(), "write it again: python manage.py api_guide > docs/api.md"


def test_every_operation_has_a_curl_line_a_shell_understands():
    for operations in api_guide.sections().values():
        for each in operations:
            words = shlex.split(each.curl)
            assert words[0] == "curl"
            assert words[-1].startswith("$DESK/api/v1/")
            assert "{" not in words[-1]
            assert (each.call.split()[0] == "GET") is ("-X" not in words)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/v1/backtests", "/api/v1/optimizations"])
def test_who_copies_the_guides_line_begins_a_job_on_the_demo_market(client, path):
    client.force_login(rows.people()["operator"])
    line = next(each for each in api_guide.sections()[path.rpartition("/")[2]] if each.call == f"POST {path}")
    answer = client.post(path, line.request, content_type="application/json")
    assert (answer.status_code, answer.json()["status"]) == (201, "queued"), answer.content


@pytest.mark.django_db
def test_the_page_shows_every_noun_to_those_logged_in(client):
    assert client.get("/api/guide").status_code == 302
    client.force_login(rows.people()["viewer"])
    page = client.get("/api/guide").content.decode()
    assert all(f'id="noun-{noun}"' in page for noun in api_guide.sections())
