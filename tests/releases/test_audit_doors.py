"""Audits from the browser, from scripts and from the shell: started, watched, cancelled, read and fetched."""

import dataclasses
import datetime as dt
import hashlib
import json

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse

from releases import tasks
from releases.models import Audit
from releases.services import audits
from sensequant.lib.clock import IST
from tests.trading.desks import command
from trading.core.rights import OPERATORS

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 23, 20, 0, tzinfo=IST)


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.SENSEQUANT_HOME = tmp_path / "home"
    settings.DESK = dataclasses.replace(settings.DESK, release_audit_parts=("optimizer",))


@pytest.fixture
def rung(monkeypatch):
    handed = []
    monkeypatch.setattr(tasks.run_audit, "delay_on_commit", lambda **told: handed.append(told["audit_id"]))
    return handed


@pytest.fixture
def trader(client):
    user = User.objects.create_user("asha")
    user.groups.add(Group.objects.get_or_create(name=OPERATORS)[0])
    client.force_login(user)
    return client


@pytest.fixture
def viewer(client):
    client.force_login(User.objects.create_user("vikram"))
    return client


@pytest.fixture
def done():
    return audits.run(skip_validation=True, by="asha", at=AT)


def text(answer):
    return " ".join(answer.content.decode().split())


def post(client, path, body=None):
    return client.post(path, json.dumps(body or {}), content_type="application/json")


def test_a_trader_starts_one_watches_it_and_cancels_it(trader, rung):
    answer = trader.post(reverse("start_audit"), {"skip_plots": "on"}, follow=True)
    row = Audit.objects.get()
    assert answer.redirect_chain[0][0] == reverse("audit", args=[row.audit_id])
    assert (rung, row.by, row.asked["skip_plots"], row.asked["skip_validation"]) == (
        [row.audit_id],
        "asha",
        True,
        False,
    )
    assert "waiting to begin" in text(answer)
    assert "every 1s" in text(answer)
    answer = trader.post(reverse("cancel_audit", args=[row.audit_id]), follow=True)
    assert "cancelled by asha" in text(answer)
    assert "every 1s" not in text(answer)
    answer = trader.post(reverse("cancel_audit", args=[row.audit_id]), follow=True)
    assert "cannot be cancelled" in text(answer)


def test_its_page_shows_risks_measures_approvals_and_files_that_are_saved_not_shown(viewer, done):
    page = text(viewer.get(reverse("audit", args=[done.audit_id])))
    for words in ("NOT READY", "4 open risks", "validation_skipped", "Engineering Lead", "Baseline and optimised",
                  "Swing, rolling 90 days", "Nobody has signed", "metrics.json", done.bundle_sha256):  # fmt: skip
        assert words in page, words
    assert 'aria-label="Cancel"' not in page
    answer = viewer.get(reverse("audit_file", args=[done.audit_id, "configs/settings.json"]))
    assert answer.status_code == 200
    assert json.loads(answer.content)["MODE"] == "dry-run"
    seal = viewer.get(reverse("audit_file", args=[done.audit_id, "bundle.json"])).content
    assert hashlib.sha256(seal).hexdigest() == done.bundle_sha256
    assert answer["Content-Disposition"] == f'attachment; filename="{done.audit_id}_configs_settings.json"'
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    for name in ("../../db.sqlite3", "approvals.md", "configs", "nothing.json"):
        assert viewer.get(f"/audits/{done.audit_id}/files/{name}").status_code == 404, name
    assert done.audit_id in text(viewer.get(reverse("audits")))
    assert viewer.get(reverse("audit", args=["audit_20200101_000000"])).status_code == 404


def test_a_bundle_that_was_changed_is_not_shown_as_if_it_were_whole(viewer, done):
    (audits.place(done) / "summary.md").write_text("<script>alert(1)</script>")
    page = text(viewer.get(reverse("audit", args=[done.audit_id])))
    assert "The bundle is not as it was sealed" in page
    assert viewer.get(reverse("audit_file", args=[done.audit_id, "summary.md"])).status_code == 404


def test_who_only_looks_starts_and_cancels_nothing_and_strangers_see_nothing(viewer, rung, done, client):
    assert "Start the audit" not in text(viewer.get(reverse("audits")))
    assert viewer.post(reverse("start_audit")).status_code == 403
    assert viewer.post(reverse("cancel_audit", args=[done.audit_id])).status_code == 403
    assert post(viewer, "/api/v1/audits").status_code == 403
    assert Audit.objects.count() == 1
    assert rung == []
    client.logout()
    for path in (reverse("audits"), reverse("audit", args=[done.audit_id]), "/audits/x/files/metrics.json"):
        assert client.get(path).status_code == 302
    assert client.get("/api/v1/audits").status_code == 401


def test_over_rest_one_is_started_read_and_its_files_fetched(trader, rung, done):
    answer = post(trader, "/api/v1/audits", {"skip_validation": True})
    told = answer.json()
    assert (answer.status_code, told["state"], rung) == (201, "queued", [told["audit_id"]])
    assert answer["Location"] == f"/api/v1/audits/{told['audit_id']}"
    assert post(trader, f"{answer['Location']}/cancel").json()["state"] == "cancelled"
    assert post(trader, f"{answer['Location']}/cancel").status_code == 409
    listed = trader.get("/api/v1/audits?state=done&ready=false").json()["items"]
    assert [each["audit_id"] for each in listed] == [done.audit_id]
    assert "metrics" not in listed[0]
    found = trader.get(f"/api/v1/audits/{done.audit_id}").json()
    assert found["metrics"] == done.metrics
    assert {flag["code"] for flag in found["flags"]} == {"missing", "validation_skipped"}
    fetched = trader.get(f"/api/v1/audits/{done.audit_id}/files/metrics.json")
    assert json.loads(fetched.content) == done.metrics
    assert fetched["Content-Disposition"].startswith("attachment")
    assert trader.get(f"/api/v1/audits/{done.audit_id}/files/../x").status_code in (404, 422)
    assert trader.get("/api/v1/audits/audit_20200101_000000").status_code == 404


def test_the_admin_looks_and_edits_nothing(admin_client, done):
    assert admin_client.get("/admin/releases/audit/").status_code == 200
    page = text(admin_client.get(f"/admin/releases/audit/{done.pk}/change/"))
    assert "validation_skipped" in page
    assert admin_client.get("/admin/releases/audit/add/").status_code == 403
    assert admin_client.post(f"/admin/releases/audit/{done.pk}/change/", {"by": "eve"}).status_code == 403
    assert admin_client.post(f"/admin/releases/audit/{done.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Audit.objects.get().by == "asha"


def test_from_the_shell_an_audit_answers_as_json_and_as_text(tmp_path):
    code, out, _ = command("release_audit", "--skip-validation", "--skip-plots", "--json")
    told = json.loads(out)
    assert (code, told["state"], told["deployment_ready"]) == (0, "done", False)
    assert told["metrics"]["deployment_ready"] is False
    code, out, _ = command("release_audit", "--skip-validation", "--skip-plots", "--output-dir", tmp_path / "mine")
    assert (code, "NOT ready" in out, str(tmp_path / "mine") in out) == (0, True, True)
    assert (tmp_path / "mine" / "metrics.json").exists()
    code, _, err = command("release_audit", "--output-dir", tmp_path / "mine")
    assert (code, err.count("\n")) == (2, 1)
    assert "is there already" in err
    assert command("release_audit", "--run", "audit_20200101_000000")[0] == 2
    assert command("release_archive", "--delete-after", "3")[0] == 2
    assert command("release_archive", "--dry-run")[1].strip() == "no bundle is old enough"
